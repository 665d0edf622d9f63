package io.loomstream.engine.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.concurrent.Gate;
import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.posix.Posix;
import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileReplicaClient;
import io.loomstream.engine.sqlite.ConnectionLimits;
import io.loomstream.engine.sqlite.SqliteConnections;
import io.loomstream.engine.sync.DatabaseSync.Look;
import io.loomstream.engine.testing.AppProcess;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** One database, looked at and uploaded by hand, while a real application in another process uses it. */
class ReplicatedDatabaseTest {
    private static final String WRITE_TEN_FRAMES =
            "insert or replace into t(rowid, x) values (abs(random()) % 100, printf('%.36000c', 'x') || random())";

    @TempDir
    Path directory;

    private Path database;
    private Path replica;
    private AppProcess app;
    private SyncServices services;

    @BeforeEach
    void start() {
        database = directory.resolve("app.db");
        replica = directory.resolve("replica");
        app = AppProcess.start();
        services = services(Time.system());
    }

    private static SyncServices services(Time time) {
        return SyncServices.create(
                time,
                Posix.load().orElseThrow(),
                new SqliteConnections(new Gate("native", 6), Time.system(), ConnectionLimits.defaults()),
                CodecResources.shared());
    }

    @AfterEach
    void stop() throws IOException {
        app.close();
    }

    private ReplicatedDatabase replicate(HoldMode hold) {
        DatabaseOptions options = DatabaseOptions.defaults(database).withHold(hold);
        return new ReplicatedDatabase(
                new DatabaseSpec(options, new FileReplicaClient(replica, FileAccess.PRIVATE)), services);
    }

    /** Looks and uploads until a look finds nothing new. */
    private static void catchUp(ReplicatedDatabase copied) {
        Awaitility.await()
                .pollInterval(Duration.ofMillis(5))
                .atMost(Duration.ofSeconds(20))
                .until(() -> {
                    Look look = copied.sync().look(true);
                    copied.upload();
                    return look == Look.QUIET && !copied.behind();
                });
    }

    private String dump(Path file) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("sqlite3", file.toString(), ".dump")
                .redirectErrorStream(true)
                .start();
        String dump = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), dump);
        return dump;
    }

    private void assertRestoresToSource() throws IOException, InterruptedException {
        Path restored = Restored.latest(replica, directory.resolve("restored.db"));
        assertEquals(dump(database), dump(restored));
        Files.delete(restored);
    }

    @ParameterizedTest
    @EnumSource(names = {"AUTO", "OFD", "CONNECTION", "NONE"})
    void copiesWhatIsCommittedWhileTheApplicationStaysConnected(HoldMode hold) throws Exception {
        app.open("a", database).exec("a", "pragma journal_mode=wal").exec("a", "create table t(x)");
        ReplicatedDatabase copied = replicate(hold);
        catchUp(copied);
        assertRestoresToSource();
        for (int i = 0; i < 20; i++) {
            app.exec("a", "insert into t values (randomblob(3000))");
            if (i % 7 == 3) {
                app.exec("a", "pragma wal_checkpoint(PASSIVE)");
            }
            catchUp(copied);
        }
        assertRestoresToSource();
        copied.close();
    }

    @Test
    void goesOnAfterARestartWithoutAnotherFullCopy() throws Exception {
        app.open("a", database).exec("a", "pragma journal_mode=wal").exec("a", "create table t(x)");
        ReplicatedDatabase first = replicate(HoldMode.AUTO);
        catchUp(first);
        awaitProvingFingerprint(first);
        Txids before = new Txids(first);
        first.close();
        app.exec("a", "insert into t values (1)");
        ReplicatedDatabase second = replicate(HoldMode.AUTO);
        catchUp(second);
        assertEquals(before.local() + 1, new Txids(second).local());
        assertTrue(second.sync().completeAt().isZero(), "a full copy was made");
        assertRestoresToSource();
        second.close();
    }

    /** A database written to a moment ago has a fingerprint that proves nothing: after a kill then, a full copy is right. */
    private static void awaitProvingFingerprint(ReplicatedDatabase copied) {
        Awaitility.await().pollInterval(Duration.ofMillis(5)).until(() -> {
            copied.sync().look(true);
            return !copied.sync().cursor().orElseThrow().database().racy();
        });
    }

    private record Txids(ReplicatedDatabase of) {
        long local() {
            return of.sync().localMax().value();
        }
    }

    @Test
    void makesTheLastCloseWhenNobodyIsLeft() throws Exception {
        app.open("a", database).exec("a", "pragma journal_mode=wal").exec("a", "create table t(x)");
        ReplicatedDatabase copied = replicate(HoldMode.AUTO);
        catchUp(copied);
        app.exec("a", "insert into t values (1)");
        app.close("a");
        assertTrue(Files.exists(directory.resolve("app.db-wal")), "the hold keeps the WAL");
        Awaitility.await().pollInterval(Duration.ofMillis(5)).until(() -> {
            copied.sync().look(true);
            copied.upload();
            return !Files.exists(directory.resolve("app.db-wal"));
        });
        assertRestoresToSource();
        long txid = new Txids(copied).local();
        catchUp(copied);
        assertFalse(Files.exists(directory.resolve("app.db-wal")), "a resting database is left alone");
        app.open("a", database).exec("a", "insert into t values (2)");
        catchUp(copied);
        assertEquals(txid + 1, new Txids(copied).local());
        assertRestoresToSource();
        copied.close();
    }

    @Test
    void letsTheWalRestartWhileTheApplicationWrites() throws Exception {
        app.open("a", database).exec("a", "pragma journal_mode=wal").exec("a", "create table t(x)");
        services = services(new HurriedTime());
        ReplicatedDatabase copied = replicate(HoldMode.AUTO);
        catchUp(copied);
        assertWalRestartsUnder(copied, 600, 0.003);
    }

    @Test
    void interruptsAWriterThatNeverPausesWhenItsWalIsLarge() throws Exception {
        app.open("a", database, 5).exec("a", "pragma journal_mode=wal").exec("a", "create table t(x)");
        app.exec("a", "pragma wal_autocheckpoint=0");
        services = services(new HurriedTime());
        DatabaseOptions options = DatabaseOptions.defaults(database)
                .withTruncatePages(1500)
                .withMinCheckpointPages(1_000_000)
                .withCheckpointInterval(Duration.ZERO);
        ReplicatedDatabase copied = new ReplicatedDatabase(
                new DatabaseSpec(options, new FileReplicaClient(replica, FileAccess.PRIVATE)), services);
        catchUp(copied);
        // A multiple of what a quick machine writes between two interruptions.
        assertWalRestartsUnder(copied, 12_000, 0);
    }

    /** The application writes about ten frames in each transaction, of text that takes little room in LTX files. */
    private void assertWalRestartsUnder(ReplicatedDatabase copied, int transactions, double pauseSeconds)
            throws Exception {
        int before = walSequence();
        CompletableFuture<Void> writer = app.repeatAsync("a", transactions, pauseSeconds, WRITE_TEN_FRAMES);
        while (!writer.isDone()) {
            copied.sync().look(true);
        }
        writer.get();
        int restarts = walSequence() - before;
        catchUp(copied);
        assertTrue(restarts >= 2, "the WAL restarted so often: " + restarts);
        assertTrue(copied.sync().completeAt().value() <= 1, "a full copy was made");
        assertRestoresToSource();
        copied.close();
    }

    /** The checkpoint sequence number of the WAL header: one more after each restart. */
    private int walSequence() throws IOException {
        try (DataInputStream wal = new DataInputStream(Files.newInputStream(directory.resolve("app.db-wal")))) {
            wal.skipNBytes(12);
            return wal.readInt();
        }
    }

    /** A clock by which five seconds are a quarter of one. */
    private static final class HurriedTime implements Time {
        @Override
        public Instant now() {
            return Time.system().now();
        }

        @Override
        public long nanoTime() {
            return System.nanoTime() * 20;
        }

        @Override
        public void sleep(Duration duration) throws InterruptedException {
            Time.system().sleep(duration);
        }
    }

    @Test
    void copiesADatabaseWithoutWalWhenItChanges() throws Exception {
        app.open("a", database).exec("a", "create table t(x)");
        DatabaseOptions options = DatabaseOptions.defaults(database).withJournalPolicy(JournalPolicy.OBSERVE);
        ReplicatedDatabase copied = new ReplicatedDatabase(
                new DatabaseSpec(options, new FileReplicaClient(replica, FileAccess.PRIVATE)), services);
        catchUp(copied);
        app.exec("a", "insert into t values (1)");
        catchUp(copied);
        assertRestoresToSource();
        assertEquals("delete", app.value("a", "pragma journal_mode"));
        copied.close();
    }

    @Test
    void convertsToWalOnce() throws Exception {
        app.open("a", database).exec("a", "create table t(x)");
        ReplicatedDatabase copied = replicate(HoldMode.AUTO);
        catchUp(copied);
        app.exec("a", "insert into t values (1)");
        assertEquals("wal", app.value("a", "pragma journal_mode"));
        catchUp(copied);
        assertRestoresToSource();
        copied.close();
    }
}
