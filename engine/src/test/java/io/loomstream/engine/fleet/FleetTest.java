package io.loomstream.engine.fleet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileReplicaClient;
import io.loomstream.engine.replica.FileRootStore;
import io.loomstream.engine.restore.Restore;
import io.loomstream.engine.restore.RestoreOutcome;
import io.loomstream.engine.restore.RestoreProgress;
import io.loomstream.engine.restore.RestoreRequest;
import io.loomstream.engine.sqlite.ConnectionLimits;
import io.loomstream.engine.sync.DatabaseOptions;
import io.loomstream.engine.sync.DatabaseSpec;
import io.loomstream.engine.testing.AppProcess;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A small fleet in its rhythm of tiers, while real applications write to it. */
class FleetTest {
    @TempDir
    Path directory;

    private Path data;
    private Path replicas;
    private AppProcess app;
    private final List<Replication> started = new ArrayList<>();

    @BeforeEach
    void start() throws IOException {
        data = Files.createDirectories(directory.resolve("data"));
        replicas = directory.resolve("replicas");
        app = AppProcess.start();
    }

    @AfterEach
    void stop() throws Exception {
        app.close();
        for (Replication replication : started) {
            replication.stop(Duration.ZERO, Duration.ofMillis(1));
        }
    }

    private Replication replicate(int hotMax) {
        return replicate(hotMax, ReplicationOptions.defaults());
    }

    private Replication replicate(int hotMax, ReplicationOptions server) {
        FleetOptions options = new FleetOptions(
                Selection.ofPatterns(List.of(data + "/**/*.db"), List.of("**/skipped/**")),
                (path, pattern) -> new DatabaseSpec(
                        DatabaseOptions.defaults(path).withMonitorInterval(Duration.ofMillis(50)),
                        new FileReplicaClient(
                                replicas.resolve(data.relativize(path).toString()), FileAccess.PRIVATE)),
                Duration.ofMillis(100),
                Duration.ofSeconds(2),
                Duration.ofMillis(300),
                hotMax,
                Duration.ofMinutes(5));
        Workload.State state =
                new Workload.State(directory.resolve("state"), "node-1", Optional.of(new FileRootStore(replicas)));
        Replication replication = Replication.start(
                new Workload(List.of(), List.of(new Workload.Section(options, Optional.of(state)))), server);
        started.add(replication);
        return replication;
    }

    private void stop(Replication replication) throws InterruptedException {
        started.remove(replication);
        Report report = replication.stop(Duration.ofSeconds(20), Duration.ofMillis(50));
        assertTrue(report.complete(), report.toString());
        assertFalse(replication.broken(), "a thread of the server ended early");
    }

    private static Fleet only(Replication replication) {
        return replication.fleets().getFirst();
    }

    private static void awaitAllCold(Replication replication, int databases) {
        Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> {
            PathTable table = only(replication).table();
            return table.count(Tier.COLD_CLEAN) == databases;
        });
    }

    private Path make(String name) throws IOException {
        Path database = data.resolve(name);
        Files.createDirectories(database.getParent());
        app.open("make", database, 10)
                .exec("make", "pragma journal_mode=wal")
                .exec("make", "create table t(x)")
                .close("make");
        return database;
    }

    private void assertRestores(Path database) throws Exception {
        Path replica = replicas.resolve(data.relativize(database).toString());
        Path restored = directory.resolve("restored.db");
        RestoreOutcome outcome = Restore.from(new FileReplicaClient(replica, FileAccess.PRIVATE), RestoreProgress.NONE)
                .run(RestoreRequest.latest(restored));
        assertInstanceOf(RestoreOutcome.Restored.class, outcome, database.toString());
        assertEquals(dump(database), dump(restored), database.toString());
        Files.delete(restored);
    }

    private static String dump(Path file) throws IOException, InterruptedException {
        return sqlite(file, ".dump");
    }

    private static String sqlite(Path file, String command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("sqlite3", file.toString(), command)
                .redirectErrorStream(true)
                .start();
        String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), answer);
        return answer.strip();
    }

    private Set<Path> ltxFiles() throws IOException {
        try (Stream<Path> files = Files.walk(replicas)) {
            return new HashSet<>(
                    files.filter(file -> file.toString().endsWith(".ltx")).toList());
        }
    }

    @Test
    void thePathMapSaysWhereEachReplicaIsAndForgetsWhatIsGone() throws Exception {
        Path kept = make("a/one.db");
        Path doomed = make("a/two.db");
        Files.writeString(Files.createDirectories(data.resolve("b")).resolve("text.db"), "no database at all");
        Replication replication = replicate(10);
        awaitAllCold(replication, 2);
        Files.delete(doomed);
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .until(() -> only(replication).table().count(Tier.COLD_CLEAN) == 1);
        stop(replication);

        List<PathMap.Entry> entries = new ArrayList<>();
        try (InputStream map = Files.newInputStream(replicas.resolve("_loomstream/node-1/databases.jsonl.gz"))) {
            PathMap.read(map, "map", entries::add);
        }
        assertEquals(List.of(new PathMap.Entry(kept.toString(), "a/one.db")), entries);
    }

    @Test
    void losesNothingWithMoreWritersThanMayBeHot() throws Exception {
        long seed = Long.getLong("loomstream.seed", new Random().nextLong());
        System.out.println("FleetTest seed: -Dloomstream.seed=" + seed);
        Random random = new Random(seed);
        List<Path> databases = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            databases.add(make("p" + i % 3 + "/db" + i + ".db"));
        }
        Replication replication = replicate(3);
        for (int step = 0; step < 400; step++) {
            int which = random.nextInt(databases.size());
            Path database = databases.get(which);
            if (which % 2 == 0) {
                String connection = "stays" + which;
                if (step < 60) {
                    app.open(connection, database, 5);
                }
                app.open(connection, database, 5)
                        .exec(connection, "insert into t values (randomblob(" + random.nextInt(3000) + "))");
            } else {
                app.open("once", database, 5)
                        .exec("once", "insert into t values (" + step + ")")
                        .close("once");
            }
        }
        awaitAllCold(replication, databases.size());
        for (Path database : databases) {
            assertRestores(database);
        }
        assertTrue(only(replication).census().movedInto(Tier.HOT) > 0, "somebody was hot");
        stop(replication);
    }

    @Test
    void anIdleFleetIsProvenCleanByItsCatalogAfterARestart() throws Exception {
        for (int i = 0; i < 5; i++) {
            make("db" + i + ".db");
        }
        Replication first = replicate(10);
        awaitAllCold(first, 5);
        stop(first);
        Set<Path> before = ltxFiles();
        Replication second = replicate(10);
        awaitAllCold(second, 5);
        assertEquals(0, only(second).census().movedInto(Tier.SEEDING), "nobody had to be looked into");
        stop(second);
        assertEquals(before, ltxFiles());
    }

    @Test
    void whatWasWrittenWhileTheServerWasDownIsFound() throws Exception {
        Path database = make("db.db");
        Replication first = replicate(10);
        awaitAllCold(first, 1);
        stop(first);
        app.open("a", database).exec("a", "insert into t values (1)").close("a");
        Replication second = replicate(10);
        Awaitility.await()
                .atMost(Duration.ofSeconds(20))
                .until(() -> only(second).table().count(Tier.COLD_CLEAN) == 1
                        && only(second).census().movedInto(Tier.SEEDING) == 1);
        assertRestores(database);
        stop(second);
    }

    @Test
    void databasesComeAndGoAndComeBack() throws Exception {
        Path database = make("a/db.db");
        make("b/other.db");
        Replication replication = replicate(10);
        awaitAllCold(replication, 2);
        Files.delete(database);
        Awaitility.await().until(() -> only(replication).table().size() == 1);
        assertFalse(Files.exists(database), "nobody makes it again");
        make("a/db.db");
        app.open("a", database).exec("a", "insert into t values (42)").close("a");
        awaitAllCold(replication, 2);
        assertRestores(database);
        Path fresh = make("c/d/fresh.db");
        awaitAllCold(replication, 3);
        assertRestores(fresh);
        stop(replication);
    }

    @Test
    void whatIsGoneIsForgottenAndItsReplicaIsKept() throws Exception {
        for (int i = 0; i < 20; i++) {
            make("stays/db" + i + ".db");
        }
        Replication replication = replicate(10);
        awaitAllCold(replication, 20);
        PathTable table = only(replication).table();
        for (int i = 0; i < 3; i++) {
            Path database = make("comes" + i + "/and goes.db");
            app.open("hot", database).exec("hot", "insert into t values (" + i + ")");
            awaitAllCold(replication, 21);
            assertRestores(database);
            app.exec("hot", "insert into t values (0)"); // it goes while it is served
            try (Stream<Path> files = Files.walk(database.getParent())) {
                for (Path file :
                        files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(file);
                }
            }
            app.close("hot");
            Awaitility.await()
                    .atMost(Duration.ofSeconds(30))
                    .until(() -> table.size() == 20 && only(replication).tiers().served() == 0);
            assertEquals(-1, table.find(database.toString().getBytes(StandardCharsets.UTF_8)));
            assertTrue(
                    Files.isDirectory(replicas.resolve(data.relativize(database).toString())), "its replica is kept");
        }
        awaitAllCold(replication, 20);
        stop(replication);
        assertEquals("20", inCatalog());

        for (int i = 0; i < 3; i++) {
            Files.delete(data.resolve("stays/db" + i + ".db"));
        }
        Replication again = replicate(10);
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .until(() -> inCatalog().equals("17"));
        awaitAllCold(again, 17);
        stop(again);
        assertEquals("17", inCatalog());
    }

    private String inCatalog() throws IOException, InterruptedException {
        return sqlite(directory.resolve("state/catalog.db"), "select count(*) from databases");
    }

    @Test
    void aFileThatIsNoDatabaseIsIgnoredUntilItBecomesOne() throws Exception {
        Path file = data.resolve("x.db");
        Files.writeString(file, "this is not a database, however long it is ".repeat(100));
        Replication replication = replicate(10);
        Awaitility.await().until(() -> only(replication).table().count(Tier.IGNORED) == 1);
        Files.delete(file);
        Path database = make("x.db");
        app.open("a", database).exec("a", "insert into t values (7)").close("a");
        awaitAllCold(replication, 1);
        assertRestores(database);
        stop(replication);
    }

    private void awaitReplicated(Path database) {
        Path files = replicas.resolve(data.relativize(database).toString());
        Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> {
            app.exec("busy", "insert into t values (1)"); // never quiet: it keeps the only hot place
            return Files.exists(files) && ltxFiles().stream().anyMatch(file -> file.startsWith(files));
        });
    }

    @Test
    void moreRecentlyWrittenDatabasesThanMayBeHotAreReplicatedWhileTheHotOnesAreBusy() throws Exception {
        List<Path> databases = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Path database = make("db" + i + ".db");
            Files.setLastModifiedTime(database, FileTime.from(Instant.now().minusSeconds(10 - i)));
            databases.add(database);
        }
        app.open("busy", databases.getLast());
        replicate(1);
        for (Path database : databases) {
            awaitReplicated(database);
        }
    }

    @Test
    void replicasThatFailKeepNobodyElseWaiting() throws Exception {
        Files.createDirectories(replicas);
        Path blocked = Files.writeString(replicas.resolve("failing"), "no directory");
        for (int i = 0; i < 5; i++) {
            make("failing/db" + i + ".db");
        }
        Path healthy = make("healthy.db");
        Files.setLastModifiedTime(healthy, FileTime.from(Instant.now().minus(Duration.ofDays(1))));
        Replication replication =
                replicate(1, new ReplicationOptions(100, 2, 200, 20, 6, ConnectionLimits.defaults(), Time.system()));
        awaitAllCold(replication, 1);
        assertRestores(healthy);
        Files.delete(blocked);
        awaitAllCold(replication, 6);
        for (int i = 0; i < 5; i++) {
            assertRestores(data.resolve("failing/db" + i + ".db"));
        }
        stop(replication);
    }

    @Test
    void whatADeletedDatabaseStillHadToUploadIsUploaded() throws Exception {
        Path database = make("failing/db.db");
        Replication replication = replicate(10);
        awaitAllCold(replication, 1);
        Path folder = replicas.resolve("failing");
        Path away = directory.resolve("away");
        Files.move(folder, away);
        Files.writeString(folder, "no directory");
        app.open("a", database).exec("a", "insert into t values (7)");
        Awaitility.await()
                .until(() -> only(replication).tiers().live().stream()
                        .anyMatch(live -> live.database().uploadFailures() > 0));
        String expected = dump(database);
        app.close("a");
        Files.delete(database);
        Awaitility.await().until(() -> only(replication).table().count(Tier.GONE) == 1);
        Files.delete(folder);
        Files.move(away, folder);
        stop(replication);
        Path restored = directory.resolve("restored.db");
        Restore.from(new FileReplicaClient(folder.resolve("db.db"), FileAccess.PRIVATE), RestoreProgress.NONE)
                .run(RestoreRequest.latest(restored));
        assertEquals(expected, dump(restored));
    }

    @Test
    void aCatalogThatIsBusyIsNotTakenForDamaged() {
        Path state = directory.resolve("state");
        Catalog first = Catalog.open(state, "boot-1", "file");
        first.keep(List.of(new Catalog.Entry("/a.db".getBytes(StandardCharsets.UTF_8), 17)));
        first.close();
        app.open("other", state.resolve("catalog.db")).exec("other", "begin immediate");
        assertThrows(TransientStorageException.class, () -> Catalog.open(state, "boot-1", "file"));
        app.exec("other", "rollback").close("other");
        try (Catalog again = Catalog.open(state, "boot-1", "file")) {
            assertEquals(1, again.load().size());
        }
    }

    @Test
    void theHotListNamesWhoIsHot() throws Exception {
        Path database = make("db.db");
        app.open("a", database);
        Replication replication = replicate(10);
        Path list = replicas.resolve("_loomstream/node-1/hot-list.json");
        Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> {
            app.exec("a", "insert into t values (1)");
            return Files.exists(list) && Files.readString(list).contains("db.db");
        });
        stop(replication);
    }

    @Test
    void aSecondServerOnTheSameStateDirectoryIsRefused() throws Exception {
        make("db.db");
        Replication replication = replicate(10);
        Exception refused = org.junit.jupiter.api.Assertions.assertThrows(
                io.loomstream.engine.error.ConflictException.class, () -> replicate(10));
        assertTrue(refused.getMessage().contains("node-1"), refused.getMessage());
        stop(replication);
    }
}
