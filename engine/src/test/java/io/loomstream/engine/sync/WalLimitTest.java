package io.loomstream.engine.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.sync.DatabaseSync.Look;
import io.loomstream.engine.testing.AppProcess;
import io.loomstream.engine.testing.WalForge;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A WAL that grows too large is let go of, its writer can reset it, and nothing is missing from the replica afterwards. */
class WalLimitTest {
    private static final long LIMIT = 200_000;
    /** Some 500 kB of WAL. */
    private static final int MANY = 120;

    @TempDir
    Path directory;

    private Captured captured;
    private AppProcess app;

    @BeforeEach
    void start() {
        captured = new Captured(directory);
        captured.start(options -> options.withWalBytesMax(LIMIT)
                .withMinCheckpointPages(1_000_000) // so that nothing else lets the WAL restart
                .withTruncatePages(0));
        app = AppProcess.start();
        app.open("a", captured.database, 30)
                .exec("a", "pragma journal_mode=wal")
                .exec("a", "pragma wal_autocheckpoint=0")
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

    private int salt1() throws IOException {
        try (WalForge wal = WalForge.open(captured.wal())) {
            return wal.salt1();
        }
    }

    private String busyAtTruncate() {
        return app.value("a", "pragma wal_checkpoint(TRUNCATE)");
    }

    @Test
    void aSmallWalIsHeld() throws Exception {
        insert(1);
        captured.catchUp();
        app.close();
        app = AppProcess.start();
        app.open("a", captured.database, 0);
        assertEquals("1", busyAtTruncate());
    }

    @Test
    void itsNextWriterResetsAWalThatNothingElseLetRestart() throws Exception {
        insert(2);
        captured.catchUp();
        int salt = salt1();
        insert(MANY);
        captured.catchUp();

        insert(3);
        assertNotEquals(salt, salt1());
        insert(3);

        captured.catchUp();
        captured.assertRestoresToSource();
        // Held again, and the WAL is copied from as ever.
        long whole = captured.services().counters().differenceCopies();
        insert(3);
        captured.catchUp();
        assertEquals(whole, captured.services().counters().differenceCopies());
        assertEquals(0, captured.services().counters().resyncs(Verdict.Reason.BROKEN_INVARIANT));
        captured.assertRestoresToSource();
    }

    @Test
    void aReplicaThatCannotTellItsPositionDoesNotFillTheVolume() throws Exception {
        insert(MANY);
        assertEquals(Look.WAITS_FOR_REPLICA, captured.look());
        assertEquals("0", busyAtTruncate());
        insert(5);
        captured.catchUp();
        captured.assertRestoresToSource();
    }

    @Test
    void copiesThatFailDoNotFillTheVolume() throws Exception {
        insert(2);
        captured.catchUp();
        Path files = DatabaseOptions.defaultMetaPath(captured.database).resolve("ltx");
        Path away = files.resolveSibling("away");
        Files.move(files, away);
        Files.createFile(files);
        insert(1);
        assertThrows(TransientStorageException.class, captured::look);
        app.exec("a", "pragma busy_timeout=0");
        assertEquals("1", busyAtTruncate(), "a WAL of this size stays held");
        insert(MANY);
        assertThrows(TransientStorageException.class, captured::look);
        assertEquals("0", busyAtTruncate());
        assertThrows(TransientStorageException.class, captured::look, "still nothing can be copied");

        insert(4);
        Files.delete(files);
        Files.move(away, files);
        captured.catchUp();
        captured.assertRestoresToSource();
    }

    @Test
    void aWalThatAReaderNeedsStaysHeldAndIsCopied() throws Exception {
        insert(2);
        captured.catchUp();
        app.open("r", captured.database).exec("r", "begin").value("r", "select count(*) from t");
        insert(MANY);
        captured.catchUp();
        insert(1);
        assertEquals(Look.COPIED, captured.look());
        app.exec("r", "rollback");
        captured.catchUp();
        captured.assertRestoresToSource();
    }

    @Test
    void anEndInOrderCopiesWhatWasWrittenWithoutTheHold() throws Exception {
        insert(2);
        captured.catchUp();
        insert(MANY);
        captured.catchUp();
        insert(3);
        captured.stop();
        captured.assertRestoresToSource();
    }

    @Test
    void aSixteenthCountsWhereTheVolumeIsNearlyFull() {
        long gigabyte = 1L << 30;
        assertEquals(gigabyte, WalLimit.bytesMax(gigabyte, 6 * gigabyte, 100 * gigabyte));
        assertEquals(gigabyte / 16, WalLimit.bytesMax(gigabyte, 4 * gigabyte, 100 * gigabyte));
        assertEquals(gigabyte, WalLimit.bytesMax(gigabyte, 0, 0), "where nobody says");
        assertEquals(0, WalLimit.bytesMax(0, 0, 100 * gigabyte), "no limit");
    }
}
