package io.loomstream.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.admin.AdminOptions;
import io.loomstream.admin.AdminServer;
import io.loomstream.admin.AdminSources;
import io.loomstream.admin.metrics.Metrics;
import io.loomstream.engine.compaction.Levels;
import io.loomstream.engine.fleet.FleetControl;
import io.loomstream.engine.testing.AppProcess;
import io.loomstream.engine.testing.SmallFleet;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots and merges that somebody asks for: of the running server, and of a run that ends. */
@SuppressWarnings("try") // a test that is interrupted while it closes has ended anyway
class SnapshotCommandsTest {
    private static final String FIRST = "0000000000000001-0000000000000001.ltx";
    private static final String SECOND = "0000000000000001-0000000000000002.ltx";

    @TempDir
    Path directory;

    private record Answer(int status, String out, String err) {}

    private static Answer run(String... words) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = Main.run(
                words,
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));
        return new Answer(status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    private Path config(String text) throws IOException {
        return Files.writeString(directory.resolve("ls.yml"), text.replace("DIR", directory.toString()));
    }

    @Test
    void theRunningServerCompactsAndMakesASnapshot() throws Exception {
        Path config;
        Path database = directory.resolve("a b&c.db");
        try (SmallFleet fleet = new SmallFleet(directory)) {
            fleet.withLevels(Levels.defaults()).make(database);
            FleetControl control = fleet.withNamed(database).start().control(100);
            AdminOptions options =
                    new AdminOptions("127.0.0.1", 0, Optional.of("a secret token"), false, Optional.empty(), List.of());
            try (AdminServer server = AdminServer.start(
                    options,
                    new AdminSources(control, Optional::empty, List.of(), "1"),
                    new Metrics(control, true, Optional::empty))) {
                config = config("admin: {addr: '127.0.0.1:%d', token: a secret token}%n".formatted(server.port()));
                Path replica = directory.resolve("named-replica/ltx");
                Awaitility.await()
                        .atMost(Duration.ofSeconds(30))
                        .until(() -> Files.exists(replica.resolve("0").resolve(FIRST)));
                Answer compacted = run("compact", "-config", config.toString(), database.toString());
                assertEquals(0, compacted.status(), compacted.toString());
                assertTrue(compacted.out().contains("TXID 0000000000000001"), compacted.out());
                assertTrue(Files.exists(replica.resolve("3").resolve(FIRST)));
                Answer made = run("snapshot", "-config", config.toString(), database.toString());
                assertEquals(0, made.status(), made.toString());
                assertTrue(Files.exists(replica.resolve("9").resolve(FIRST)));

                Answer unknown = run("snapshot", "-config", config.toString(), "/no/such.db");
                assertEquals(1, unknown.status());
                assertTrue(unknown.err().contains("there is no such database"), unknown.err());
            }
        }
        Answer alone = run("snapshot", "-config", config.toString(), database.toString());
        assertEquals(1, alone.status());
        assertTrue(alone.err().contains("is it running?"), alone.err());
    }

    @Test
    void withoutAnAdminApiNobodyCanBeAsked() throws Exception {
        Path config = config("dbs: [{path: DIR/a.db, replica: {type: file, path: DIR/a}}]");
        Answer answer = run(
                "snapshot",
                "-config",
                config.toString(),
                directory.resolve("a.db").toString());
        assertEquals(1, answer.status());
        assertTrue(answer.err().contains("admin.addr"), answer.err());
    }

    @Test
    void runThatEndsMakesASnapshotAndDeletesTheOldOnes() throws Exception {
        Path database = directory.resolve("a.db");
        Path config = config("""
                snapshot: {interval: 1h, retention: 24h}
                dbs: [{path: DIR/a.db, replica: {type: file, path: DIR/a}}]
                """);
        String[] once = {"replicate", "-once", "-force-snapshot", "-enforce-retention", "-config", config.toString()};
        Path snapshots = directory.resolve("a/ltx/9");
        try (AppProcess app = AppProcess.start()) {
            app.open("a", database).exec("a", "pragma journal_mode=wal").exec("a", "create table t(x)");
            assertEquals(0, run(once).status());
            assertEquals(1, count(snapshots));
            Path first = snapshots.resolve(FIRST);
            assertTrue(Files.exists(first));
            age(first, 3);
            app.exec("a", "insert into t values (1)");
            assertEquals(0, run(once).status());
            assertEquals(2, count(snapshots), "what it was a day ago is in the first one");
            Path second = snapshots.resolve(SECOND);
            age(first, 3);
            age(second, 2);
            app.exec("a", "insert into t values (2)");
            assertEquals(0, run(once).status());
            assertEquals(2, count(snapshots), "the oldest is gone");
            assertTrue(Files.notExists(first));
            assertTrue(Files.exists(second));
            app.exec("a", "pragma wal_checkpoint(truncate)");
        }
        Path restored = directory.resolve("restored.db");
        Answer answer = run("restore", "-o", restored.toString(), "-config", config.toString(), database.toString());
        assertEquals(0, answer.status(), answer.toString());
        assertEquals(-1, Files.mismatch(database, restored));
    }

    /** The file replica keeps a file's time as its modification time; what the index says is older than that. */
    private void age(Path snapshot, int days) throws IOException {
        Files.setLastModifiedTime(snapshot, FileTime.from(Instant.now().minus(Duration.ofDays(days))));
        Files.deleteIfExists(directory.resolve(".a.db-litestream/loomstream.levels"));
    }

    private static long count(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.count();
        }
    }
}
