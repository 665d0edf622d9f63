package io.loomstream.perf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.MissingFileException;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.ReplicaFile;
import io.loomstream.engine.restore.Restore;
import io.loomstream.engine.restore.RestoreOutcome;
import io.loomstream.engine.restore.RestoreProgress;
import io.loomstream.engine.restore.RestoreRequest;
import io.loomstream.perf.check.PageCompare;
import io.loomstream.perf.server.Fleet;
import io.loomstream.perf.server.S3Store;
import io.loomstream.perf.server.ServerProcess;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two servers that were given the same replica: one of them goes on, and neither writes over what is there. */
class TwoServersIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int LEVELS = 10;

    @TempDir
    Path directory;

    private S3Store bucket;
    private final List<Server> started = new ArrayList<>();
    /** Everything that was ever seen in the replica. */
    private final Map<String, byte[]> seen = new HashMap<>();

    private int restores;

    @BeforeEach
    void openBucket() throws Exception {
        bucket = S3Store.start(directory.resolve("s3"));
    }

    @AfterEach
    void endAll() throws Exception {
        for (Server server : started) {
            server.process.kill(); // also ends one that is stopped
        }
        bucket.close();
    }

    /** A server with a copy of the database, and the number of the last row that its application wrote. */
    private final class Server {
        private final Path database;
        private final Path log;
        private final String instance;
        private ServerProcess process;
        private int rows;

        /** @param instance as configured; empty: not at all */
        Server(String name, String instance) throws IOException {
            Path home = directory.resolve(name);
            database = home.resolve("app.db");
            log = home.resolve("server.log");
            this.instance = instance;
            Files.createDirectories(home);
        }

        void start() throws Exception {
            Path config = instance.isEmpty() ? named() : patterns();
            process = ServerProcess.replicate(ServerProcess.launcher(), config, log);
            started.add(this);
            Awaitility.await().atMost(PATIENCE).until(process::ready);
        }

        private Path named() throws IOException {
            return new Fleet(database.getParent(), List.of(database))
                    .writeConfig(bucket, List.of("monitor-interval: 100ms"), List.of("sync-interval: 100ms"));
        }

        /** Databases of a fleet go cold and come back: also then the one that was refused must not try again. */
        private Path patterns() throws IOException {
            return Files.writeString(
                    database.resolveSibling("loomstream.yml"),
                    String.join("\n", bucket.top())
                            + """

                    instance: INSTANCE
                    state-dir: DIR/state
                    multi-db:
                      patterns: [DIR/*.db]
                      scan-interval: 200ms
                      hot-duration: 1s
                      monitor-interval: 100ms
                      replica-template: {type: s3, path: "fleet/{{filename}}", sync-interval: 100ms}
                    """.replace("DIR", database.getParent().toString())
                                    .replace("INSTANCE", instance));
        }

        /** Its application commits one row. */
        void commit() throws Exception {
            rows++;
            sqlite(database, "insert into t(writer, x) values ('" + database.getParent() + "', " + rows + ")");
        }

        void awaitReplicated() {
            Awaitility.await().atMost(PATIENCE).untilAsserted(() -> {
                noteObjects();
                assertEquals(lastRow(database), lastRow(restored()));
            });
        }

        boolean refused() throws IOException {
            return process.output().contains("another writer uses this replica");
        }

        /** As the other's error has to name it. */
        String owner() {
            return "/" + process.pid() + ";";
        }
    }

    private static String sqlite(Path database, String sql) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("sqlite3", "-cmd", ".timeout 20000", database.toString(), sql)
                .redirectErrorStream(true)
                .start();
        String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), database + ": " + answer);
        return answer.strip();
    }

    private static String lastRow(Path database) throws IOException, InterruptedException {
        return sqlite(database, "select writer, x from t order by rowid desc limit 1");
    }

    private static void signal(String name, Server server) throws IOException, InterruptedException {
        Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(server.process.pid())).start();
        assertEquals(0, kill.waitFor());
    }

    private ReplicaClient replica() {
        return bucket.client(directory.resolve("app.db"));
    }

    private Path restored() throws Exception {
        return restore(directory.resolve("restored-" + ++restores + ".db"));
    }

    private Path restore(Path output) throws Exception {
        assertInstanceOf(
                RestoreOutcome.Restored.class,
                Restore.from(replica(), RestoreProgress.NONE).run(RestoreRequest.latest(output)));
        return output;
    }

    /** An object that was seen once has the same bytes for ever. */
    private void noteObjects() throws IOException {
        Map<String, byte[]> now = new HashMap<>();
        for (int number = 0; number < LEVELS; number++) {
            for (ReplicaFile file : replica().list(new Level(number), Txid.ZERO)) {
                try (InputStream bytes = replica().open(file.level(), file.range(), 0)) {
                    now.put(file.level() + "/" + file.range().fileName(), bytes.readAllBytes());
                } catch (MissingFileException gone) {
                    throw new AssertionError(file + " was removed", gone);
                }
            }
        }
        seen.forEach((name, bytes) -> assertArrayEquals(bytes, now.get(name), name));
        seen.putAll(now);
    }

    /** Both applications commit, until one of the servers has been refused. */
    private Server firstRefused(Server one, Server two) throws IOException {
        Awaitility.await().atMost(PATIENCE).pollInterval(Duration.ofMillis(200)).until(() -> {
            one.commit();
            two.commit();
            noteObjects();
            return one.refused() || two.refused();
        });
        return assertRefusal(one, two);
    }

    private static Server assertRefusal(Server one, Server two) throws IOException {
        Server loser = one.refused() ? one : two;
        Server winner = loser == one ? two : one;
        String line = loser.process
                .output()
                .lines()
                .filter(text -> text.contains("another writer uses this replica"))
                .findFirst()
                .orElseThrow();
        assertTrue(line.contains("level=ERROR"), line);
        assertTrue(line.contains("uploads have stopped"), line);
        assertTrue(line.contains(loser.database.toString()), line);
        assertTrue(line.contains(winner.owner()), line + " does not name " + winner.owner());
        assertTrue(line.contains(winner.instance + "/"), line);
        assertFalse(winner.refused(), "both were refused");
        return loser;
    }

    private void assertOneGoesOn(Server winner, Server loser) throws Exception {
        for (int i = 0; i < 5; i++) {
            loser.commit();
            winner.commit();
            winner.awaitReplicated();
        }
        assertNotEquals(0, loser.process.stop(), "it ends as if its commits were on the replica");
        assertEquals(0, winner.process.stop());
        noteObjects();
        assertEquals(Optional.empty(), PageCompare.difference(winner.database, restored()));
        assertFalse(winner.refused());
    }

    private void twoCopies(String firstInstance, String secondInstance) throws Exception {
        Server one = new Server("one", firstInstance);
        Server two = new Server("two", secondInstance);
        sqlite(one.database, "pragma journal_mode=wal; create table t(writer, x)");
        one.commit();
        Files.copy(one.database, two.database);

        one.start();
        one.commit();
        one.awaitReplicated();
        two.start();
        Server loser = firstRefused(one, two);
        assertOneGoesOn(loser == one ? two : one, loser);
    }

    @Test
    void ofTwoOnOneHostExactlyOneGoesOn() throws Exception {
        twoCopies("", "");
    }

    @Test
    void ofTwoInstancesExactlyOneGoesOn() throws Exception {
        twoCopies("east", "west");
    }

    @Test
    void oneThatWasPausedWhileAnotherTookOverDoesNoHarm() throws Exception {
        oneThatWasPaused("");
    }

    @Test
    void oneOfAFleetThatWasPausedWhileAnotherTookOverDoesNoHarm() throws Exception {
        oneThatWasPaused("tenants");
    }

    private void oneThatWasPaused(String instance) throws Exception {
        Server paused = new Server("paused", instance);
        sqlite(paused.database, "pragma journal_mode=wal; create table t(writer, x)");
        paused.start();
        paused.commit();
        paused.awaitReplicated();
        signal("STOP", paused);

        Server successor = new Server("successor", instance);
        restore(successor.database);
        successor.start();
        for (int i = 0; i < 5; i++) {
            successor.commit();
            successor.awaitReplicated();
        }
        signal("CONT", paused);
        paused.commit();
        Awaitility.await().atMost(PATIENCE).until(paused::refused);
        assertEquals(paused, assertRefusal(paused, successor));
        noteObjects();
        assertEquals(lastRow(successor.database), lastRow(restored()));
        assertOneGoesOn(successor, paused);
    }
}
