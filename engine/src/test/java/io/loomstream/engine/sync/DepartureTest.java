package io.loomstream.engine.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.concurrent.Gate;
import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.posix.Posix;
import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileReplicaClient;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.ReplicaFile;
import io.loomstream.engine.sqlite.ConnectionLimits;
import io.loomstream.engine.sqlite.SqliteConnections;
import io.loomstream.engine.sync.ReplicatedDatabase.Looked;
import io.loomstream.engine.testing.AppProcess;
import io.loomstream.engine.wal.UnpublishedCommit;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A database that is left alone must show every change from then on, and cost next to nothing to come back to. */
class DepartureTest {
    @TempDir
    Path directory;

    private Path database;
    private Path replica;
    private AppProcess app;
    private Recording requests;
    private SyncServices services;

    @BeforeEach
    void start() throws IOException {
        database = directory.resolve("app.db");
        replica = directory.resolve("replica");
        app = AppProcess.start();
        requests = new Recording(new FileReplicaClient(replica, FileAccess.PRIVATE));
        services = SyncServices.create(
                Time.system(),
                Posix.load().orElseThrow(),
                new SqliteConnections(new Gate("native", 6), Time.system(), ConnectionLimits.defaults()),
                CodecResources.shared());
        app.open("a", database).exec("a", "pragma journal_mode=wal").exec("a", "create table t(x)");
    }

    @AfterEach
    void stop() throws IOException {
        app.close();
    }

    private ReplicatedDatabase come() {
        return new ReplicatedDatabase(new DatabaseSpec(DatabaseOptions.defaults(database), requests), services);
    }

    /** Looks, uploads and tries to leave until it has left. */
    private static Departure leave(ReplicatedDatabase copied) {
        Departure[] last = {new Departure.NotYet()};
        Awaitility.await()
                .pollInterval(Duration.ofMillis(5))
                .atMost(Duration.ofSeconds(20))
                .until(() -> {
                    Looked looked = copied.look(true);
                    copied.upload();
                    if (looked instanceof Looked.Quiet && !copied.behind()) {
                        last[0] = copied.depart();
                    }
                    return !(last[0] instanceof Departure.NotYet);
                });
        copied.close();
        return last[0];
    }

    private List<String> files() throws IOException {
        List<String> found = new ArrayList<>();
        try (Stream<Path> entries = Files.list(directory)) {
            for (Path file : entries.filter(Files::isRegularFile).sorted().toList()) {
                FileTime modified = Files.getLastModifiedTime(file);
                found.add(file.getFileName() + " " + Files.size(file) + " "
                        + (file.toString().endsWith("-shm") ? "" : modified));
            }
        }
        return found;
    }

    @Test
    void provesTheFilesCleanWithTheApplicationConnected() {
        assertInstanceOf(Departure.Clean.class, leave(come()));
        assertTrue(Files.exists(directory.resolve("app.db-wal")), "the WAL is the application's");
    }

    @Test
    void makesTheLastCloseWhenNobodyElseHasItOpen() throws Exception {
        ReplicatedDatabase copied = come();
        copied.look(true);
        app.exec("a", "insert into t values (1)");
        app.close("a");
        assertInstanceOf(Departure.Clean.class, leave(copied));
        assertFalse(Files.exists(directory.resolve("app.db-wal")));
        assertFalse(Files.exists(directory.resolve("app.db-shm")));
        assertRestoresToSource();
    }

    @Test
    void isAFixedPointForAnIdleDatabase() throws Exception {
        leave(come());
        List<String> before = files();
        requests.clear();
        for (int cycle = 0; cycle < 20; cycle++) {
            assertInstanceOf(Departure.Clean.class, leave(come()));
        }
        assertEquals(before, files());
        assertEquals(20, requests.asked.size(), "one look at the replica a time: " + requests.asked);
        assertTrue(requests.asked.stream().allMatch(request -> request.startsWith("open")), "" + requests.asked);
    }

    @Test
    void asksForNoListingAfterApplicationsThatOpenWriteAndClose() throws Exception {
        app.close("a");
        leave(come());
        requests.clear();
        for (int cycle = 0; cycle < 5; cycle++) {
            app.open("b", database)
                    .exec("b", "insert into t values (" + cycle + ")")
                    .close("b");
            ReplicatedDatabase copied = come();
            // Until the WAL is gone, too: then there is no hold to give up.
            Awaitility.await().until(() -> {
                copied.look(true);
                copied.upload();
                return !copied.behind() && !Files.exists(directory.resolve("app.db-wal"));
            });
            leave(copied);
        }
        assertEquals(
                List.of(),
                requests.asked.stream().filter(r -> r.startsWith("list")).toList());
        assertRestoresToSource();
    }

    @Test
    void goesOnWhereItLeft() throws Exception {
        leave(come());
        app.exec("a", "insert into t values (1)");
        ReplicatedDatabase again = come();
        leave(again);
        assertEquals(2, again.sync().localMax().value());
        assertTrue(again.sync().completeAt().isZero(), "a full copy was made");
        assertRestoresToSource();
    }

    @Test
    void isNotCleanWhileACommitIsInTheWalThatSqliteDoesNotShowYet() throws Exception {
        ReplicatedDatabase copied = come();
        Awaitility.await().until(() -> {
            copied.look(true);
            copied.upload();
            return copied.depart() instanceof Departure.NotYet && !copied.behind();
        });
        Path wal = directory.resolve("app.db-wal");
        // The same commit once more as a frame of its own: valid, and beyond what the wal-index shows.
        UnpublishedCommit.append(wal);
        Awaitility.await()
                .during(Duration.ofMillis(300))
                .atMost(Duration.ofSeconds(5))
                .until(() -> {
                    copied.look(true);
                    return copied.depart() instanceof Departure.NotYet;
                });
        copied.close();
    }

    @Test
    void copiesEverythingAgainWhenTheReplicaWasEmptied() throws Exception {
        leave(come());
        app.exec("a", "insert into t values (1)");
        leave(come());
        requests.deleteAll();
        app.exec("a", "insert into t values (2)");
        leave(come());
        assertRestoresToSource();
    }

    private void assertRestoresToSource() throws IOException, InterruptedException {
        Path restored = Restored.latest(replica, directory.resolve("restored.db"));
        assertEquals(dump(database), dump(restored));
    }

    private static String dump(Path file) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("sqlite3", file.toString(), ".dump")
                .redirectErrorStream(true)
                .start();
        String dump = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), dump);
        return dump;
    }

    /** Notes every request but writes. */
    private static final class Recording implements ReplicaClient {
        private final ReplicaClient real;
        private final List<String> asked = new ArrayList<>();

        Recording(ReplicaClient real) {
            this.real = real;
        }

        void clear() {
            asked.clear();
        }

        @Override
        public String type() {
            return real.type();
        }

        @Override
        public String describe() {
            return real.describe();
        }

        @Override
        public List<ReplicaFile> list(Level level, Txid seek) {
            asked.add("list " + level);
            return real.list(level, seek);
        }

        @Override
        public Optional<ReplicaFile> find(Level level, TxidRange range) {
            asked.add("find " + range);
            return real.find(level, range);
        }

        @Override
        public InputStream open(Level level, TxidRange range, long offset) throws IOException {
            asked.add("open " + range);
            return real.open(level, range, offset);
        }

        @Override
        public ReplicaFile write(Level level, TxidRange range, Path source) {
            return real.write(level, range, source);
        }

        @Override
        public void delete(Level level, Collection<TxidRange> ranges) {
            real.delete(level, ranges);
        }

        @Override
        public void deleteAll() {
            real.deleteAll();
        }
    }
}
