package io.loomstream.engine.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.testing.AppProcess;
import io.loomstream.engine.testing.WalForge;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The application comes first: its checkpoints pass, its WAL restarts, and still nothing is missed. */
class CheckpointYieldTest {
    @TempDir
    Path directory;

    private Captured captured;
    private AppProcess app;

    @BeforeEach
    void start() {
        captured = new Captured(directory);
        app = AppProcess.start();
        app.open("a", captured.database, 30)
                .exec("a", "pragma journal_mode=wal")
                .exec("a", "create table t(x)");
    }

    @AfterEach
    void stop() throws IOException {
        captured.close();
        app.close();
    }

    private void insert(int rows) {
        for (int i = 0; i < rows; i++) {
            app.exec("a", "insert into t values (randomblob(3000))");
        }
    }

    @ParameterizedTest
    @CsvSource({"OFD, RESTART", "OFD, TRUNCATE", "CONNECTION, RESTART", "CONNECTION, TRUNCATE"})
    void aPatientCheckpointPassesWithoutAGap(HoldMode hold, String mode) throws Exception {
        captured.start(hold);
        insert(5);
        captured.catchUp();
        long full = captured.sync().completeAt().value();
        for (int round = 0; round < 3; round++) {
            insert(4);
            CompletableFuture<String> waiting =
                    CompletableFuture.supplyAsync(() -> app.value("a", "pragma wal_checkpoint(" + mode + ")"));
            while (!waiting.isDone()) {
                captured.look();
            }
            assertEquals("0", waiting.get(), "busy");
        }
        insert(2);
        captured.catchUp();
        assertEquals(full, captured.sync().completeAt().value(), "no gap, so no complete copy");
        captured.assertRestoresToSource();
    }

    /** The hold of locks does it under the freeze, see {@link ReplicatedDatabaseTest}; this one by moving its reader. */
    @Test
    void theWalRestartsUnderAConnectionHoldToo() throws Exception {
        captured.start(options -> options.withHold(HoldMode.CONNECTION).withMinCheckpointPages(10));
        insert(5);
        captured.catchUp();
        int before = salt1();
        long full = captured.sync().completeAt().value();
        int restarts = 0;
        for (int i = 0; i < 60 && restarts < 2; i++) {
            insert(6);
            captured.look();
            app.exec("a", "pragma wal_checkpoint(PASSIVE)");
            captured.look();
            restarts = salt1() - before;
        }
        assertTrue(restarts >= 1, "the WAL restarted so often: " + restarts);
        captured.catchUp();
        assertEquals(full, captured.sync().completeAt().value(), "no gap, so no complete copy");
        captured.assertRestoresToSource();
    }

    private int salt1() throws IOException {
        try (WalForge wal = WalForge.open(captured.wal())) {
            return wal.salt1();
        }
    }

    /** Nobody checkpoints: the WAL is brought into the file by us, PASSIVE only. */
    @Test
    void aWalThatNobodyCheckpointsIsBackfilledAfterAWhile() throws Exception {
        ShiftedTime time = new ShiftedTime();
        captured.with(time);
        app.exec("a", "pragma wal_autocheckpoint=0");
        insert(5);
        captured.settle();
        assertTrue(!captured.cursor().sealed());
        captured.look();
        time.shift = Duration.ofMinutes(2);
        captured.look();
        captured.look();
        assertTrue(captured.cursor().sealed());
        assertTrue(Files.size(captured.wal()) > 0);
        captured.assertRestoresToSource();
    }

    private static final class ShiftedTime implements Time {
        private volatile Duration shift = Duration.ZERO;

        @Override
        public Instant now() {
            return Time.system().now().plus(shift);
        }

        @Override
        public long nanoTime() {
            return System.nanoTime() + shift.toNanos();
        }

        @Override
        public void sleep(Duration duration) throws InterruptedException {
            Time.system().sleep(duration);
        }
    }

    /** A database in a rollback mode whose writer was killed after its changes reached the file. */
    @Test
    void aHotJournalIsRolledBackBeforeAnythingIsCopied() throws Exception {
        Path other = directory.resolve("hot");
        Files.createDirectory(other);
        try (Captured hot = new Captured(other);
                AppProcess victim = AppProcess.start()) {
            victim.open("v", hot.database).exec("v", "create table t(x)");
            victim.exec("v", "insert into t values (randomblob(3000)), (randomblob(3000))");
            victim.exec("v", "pragma cache_size=5").exec("v", "begin");
            for (int i = 0; i < 40; i++) {
                victim.exec("v", "insert into t values (randomblob(3000))");
            }
            victim.kill();
            assertTrue(Files.size(other.resolve("app.db-journal")) > 0, "it spilled");
            hot.catchUp();
            hot.assertRestoresToSource();
            assertEquals(
                    "2", Captured.sqlite(hot.database, "select count(*) from t").strip());
        }
    }

    @Test
    void aWriterKilledInsideATransactionLeavesNothingUncommittedInTheReplica() throws Exception {
        insert(3);
        captured.catchUp();
        app.exec("a", "pragma cache_size=5").exec("a", "begin");
        for (int i = 0; i < 40; i++) {
            app.exec("a", "insert into t values (randomblob(3000))");
        }
        captured.catchUp();
        app.kill();
        app = AppProcess.start();
        app.open("a", captured.database, 30);
        insert(2);
        captured.catchUp();
        assertEquals(Optional.empty(), app.tryExec("a", "pragma wal_checkpoint(PASSIVE)"));
        captured.assertRestoresToSource();
        assertEquals("5", app.value("a", "select count(*) from t"));
    }
}
