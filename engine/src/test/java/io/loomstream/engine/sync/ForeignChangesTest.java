package io.loomstream.engine.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.sync.DatabaseSync.Look;
import io.loomstream.engine.testing.AppProcess;
import io.loomstream.engine.testing.WalForge;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What happens to a database besides commits: kills, power cuts, restores in place, deleted side files. Each of these
 * passed unseen by some rule that looked reasonable.
 */
class ForeignChangesTest {
    @TempDir
    Path directory;

    private Captured captured;
    private AppProcess app;

    @BeforeEach
    void start() {
        captured = new Captured(directory);
        app = AppProcess.start();
        app.open("a", captured.database).exec("a", "pragma journal_mode=wal").exec("a", "create table t(x)");
    }

    @AfterEach
    void stop() throws IOException {
        captured.close();
        app.close();
    }

    private void insert(int rows) {
        for (int i = 0; i < rows; i++) {
            app.exec("a", "insert into t values (hex(randomblob(900)))");
        }
    }

    /** A copy of the database file alone, as a backup made while everything was in it. */
    private Path backup() throws IOException {
        app.exec("a", "pragma wal_checkpoint(PASSIVE)");
        return Files.copy(captured.database, directory.resolve("backup.db"));
    }

    /** What {@code cp backup.db app.db} does: the same inode, written over. */
    private void copyOver(Path backup) throws IOException {
        Files.write(captured.database, Files.readAllBytes(backup), StandardOpenOption.TRUNCATE_EXISTING);
    }

    // ---- while nobody holds -------------------------------------------------------------------------------------

    @Test
    void goesOnWhereItWasWhenOnlyTheWalGrew() throws Exception {
        insert(3);
        captured.settle().kill();
        insert(3);
        captured.start().catchUp();
        assertFalse(captured.copiedEverything());
        captured.assertRestoresToSource();
    }

    @Test
    void aDatabaseRestoredInPlaceBesideItsWalIsCopiedAnew() throws Exception {
        insert(3);
        Path backup = backup();
        insert(3);
        captured.settle().kill();
        app.kill();
        copyOver(backup);
        captured.start().catchUp();
        assertTrue(captured.copiedEverything());
        captured.assertRestoresToSource();
    }

    /** synchronous=NORMAL: the WAL may lose its tail, and the next writer writes another history of the same length. */
    @Test
    void anotherHistoryOfTheSameLengthIsCopiedAnew() throws Exception {
        insert(4);
        captured.settle().kill();
        app.kill();
        Cursor cursor = captured.cursor();
        try (WalForge wal = WalForge.open(captured.wal())) {
            int last = wal.frames();
            assertEquals(last, cursor.frame());
            wal.change(last - 2, page -> {
                page[page.length - 5] ^= 1; // in the middle of a row's text
                return page;
            });
        }
        captured.start().catchUp();
        assertTrue(captured.copiedEverything());
        captured.assertRestoresToSource();
    }

    @Test
    void anUnsealedCursorThatFindsANewWalIsCopiedAnew() throws Exception {
        insert(4);
        captured.settle().kill();
        assertFalse(captured.cursor().sealed());
        app.exec("a", "pragma wal_checkpoint(RESTART)");
        insert(1);
        captured.start().catchUp();
        assertTrue(captured.copiedEverything());
        captured.assertRestoresToSource();
    }

    @Test
    void aSealedCursorFollowsTheWalOverItsReset() throws Exception {
        insert(4);
        captured.catchUp();
        app.exec("a", "pragma wal_checkpoint(PASSIVE)");
        captured.settle().kill();
        assertTrue(captured.cursor().sealed());
        insert(2);
        captured.start().catchUp();
        assertFalse(captured.copiedEverything());
        captured.assertRestoresToSource();
    }

    @Test
    void whatWasBackfilledAfterTheSealIsNotTakenForNothing() throws Exception {
        insert(4);
        captured.catchUp();
        app.exec("a", "pragma wal_checkpoint(PASSIVE)");
        captured.settle().kill();
        insert(2); // resets the WAL
        app.exec("a", "pragma wal_checkpoint(TRUNCATE)");
        insert(1); // all that is in the WAL now
        captured.start().catchUp();
        assertTrue(captured.copiedEverything());
        captured.assertRestoresToSource();
    }

    /** A writer died in the fsync of a new WAL's header: nothing is in the WAL, whatever its salts say. */
    @Test
    void aNewHeaderWithoutAFrameChangesNothing() throws Exception {
        insert(4);
        captured.catchUp();
        app.exec("a", "pragma wal_checkpoint(PASSIVE)");
        captured.settle().kill();
        app.kill();
        try (WalForge wal = WalForge.open(captured.wal())) {
            wal.newHeader();
        }
        Files.delete(captured.shm());
        long before = captured.txid();
        captured.start().catchUp();
        assertTrue(captured.cursor().sealed());
        assertEquals(before, captured.txid());
        captured.assertRestoresToSource();
    }

    /** A failed copy must leave the old fingerprint, or the next start would find everything proven. */
    @Test
    void aStopBeforeTheNewCopyWasMadeProvesNothing() throws Exception {
        insert(3);
        Path backup = backup();
        insert(3);
        captured.settle().kill();
        app.kill();
        copyOver(backup);
        captured.start();
        assertEquals(Look.NEEDS_FULL_COPY, captured.sync().look(false));
        captured.sync().shutDown();
        captured.start().catchUp();
        assertTrue(captured.copiedEverything());
        captured.assertRestoresToSource();
    }

    @Test
    void aStopBeforeTheNewCopyWasMadeProvesNothingWithAnEmptyWalEither() throws Exception {
        insert(3);
        captured.catchUp();
        app.exec("a", "pragma wal_checkpoint(PASSIVE)");
        captured.settle().kill();
        assertTrue(captured.cursor().sealed());
        insert(3);
        app.close("a"); // brings all into the file and deletes the WAL
        captured.start();
        assertEquals(Look.NEEDS_FULL_COPY, captured.sync().look(false));
        captured.sync().shutDown();
        captured.start().catchUp();
        assertTrue(captured.copiedEverything());
        captured.assertRestoresToSource();
    }

    // ---- under the hold -----------------------------------------------------------------------------------------

    @Test
    void aRestoreInPlaceUnderTheHoldIsCopied() throws Exception {
        insert(3);
        Path backup = backup();
        insert(3);
        app.exec("a", "pragma wal_checkpoint(PASSIVE)");
        captured.settle();
        app.close("a"); // the hold keeps the WAL
        assertTrue(captured.hasWal());
        captured.look();
        copyOver(backup);
        long before = captured.txid();
        captured.look();
        captured.catchUp();
        assertTrue(captured.txid() > before, "the change was seen");
        captured.assertRestoresToSource();
    }

    @Test
    void aRestoreInPlaceUnderTheHoldIsCopiedAlsoWhenTheWalWasPartlyInTheFile() throws Exception {
        insert(3);
        Path backup = backup();
        insert(3);
        app.exec("a", "pragma wal_checkpoint(PASSIVE)");
        insert(2);
        captured.settle();
        captured.look();
        app.kill();
        copyOver(backup);
        long before = captured.txid();
        Awaitility.await()
                .pollInterval(Duration.ofMillis(5))
                .atMost(Duration.ofSeconds(20))
                .until(() -> {
                    captured.look();
                    captured.replicated().upload();
                    return !captured.hasWal();
                });
        assertTrue(captured.txid() > before, "the change was seen");
        assertReplicaHasEveryPageOfTheFile();
    }

    /** Not through SQLite: what two histories made of the file need not be a database any more. */
    private void assertReplicaHasEveryPageOfTheFile() throws Exception {
        captured.catchUp();
        Path restored = Restored.latest(captured.replica, directory.resolve("restored.db"));
        assertEquals(-1, Files.mismatch(captured.database, restored));
    }

    @Test
    void checkpointsOfApplicationsAreNotTakenForForeignWrites() throws Exception {
        insert(3);
        captured.settle();
        long full = captured.sync().completeAt().value();
        for (int i = 0; i < 30; i++) {
            insert(2);
            captured.look();
            app.exec("a", "pragma wal_checkpoint(" + (i % 2 == 0 ? "PASSIVE" : "FULL") + ")");
            captured.look();
        }
        captured.catchUp();
        assertEquals(full, captured.sync().completeAt().value());
        captured.assertRestoresToSource();
    }

    @Test
    void aCommitFrameThatSqliteDoesNotKnowOfIsNotCopied() throws Exception {
        insert(3);
        captured.catchUp();
        long before = captured.txid();
        try (WalForge wal = WalForge.open(captured.wal())) {
            int last = wal.frames();
            byte[] page = wal.page(last);
            Arrays.fill(page, page.length - 400, page.length - 10, (byte) 'Z');
            wal.write(last + 1, wal.pageNumber(last), wal.commit(last), page);
        }
        for (int i = 0; i < 5; i++) {
            assertEquals(Look.QUIET, captured.look());
        }
        assertEquals(before, captured.txid());
        insert(1); // overwrites the phantom
        captured.catchUp();
        captured.assertRestoresToSource();
    }

    /** Nobody is left who could tell whether that transaction happened: SQLite's recovery decides, then it is copied. */
    @Test
    void aWalThatHidesACommitIsNotDeletedButRecovered() throws Exception {
        insert(3);
        app.exec("a", "pragma wal_checkpoint(PASSIVE)");
        captured.settle();
        app.close("a");
        try (WalForge wal = WalForge.open(captured.wal())) {
            int last = wal.frames();
            wal.write(last + 1, wal.pageNumber(last), wal.commit(last), wal.page(last));
        }
        long before = captured.txid();
        Awaitility.await()
                .pollInterval(Duration.ofMillis(5))
                .atMost(Duration.ofSeconds(20))
                .until(() -> {
                    captured.look();
                    captured.replicated().upload();
                    return captured.txid() > before && !captured.hasWal();
                });
        captured.assertRestoresToSource();
    }

    @Test
    void deletedSharedMemoryIsNoticedAndTheHoldTakenAnew() throws Exception {
        insert(3);
        captured.settle();
        app.kill();
        Files.delete(captured.shm());
        app = AppProcess.start();
        app.open("a", captured.database);
        insert(2);
        captured.catchUp();
        captured.assertRestoresToSource();
        insert(2);
        captured.catchUp();
        captured.assertRestoresToSource();
    }

    @Test
    void anotherDatabaseMovedOverTheOldOneIsCopied() throws Exception {
        insert(3);
        captured.settle();
        app.kill();
        Path other = directory.resolve("other.db");
        app = AppProcess.start();
        app.open("b", other).exec("b", "pragma journal_mode=wal").exec("b", "create table t(y)");
        app.exec("b", "insert into t values (4711)").close("b");
        Files.deleteIfExists(captured.wal());
        Files.deleteIfExists(captured.shm());
        Files.move(other, captured.database, StandardCopyOption.REPLACE_EXISTING);
        captured.catchUp();
        captured.assertRestoresToSource();
    }

    /** A writer died inside the update of the wal-index header. */
    @Test
    void aHalfWrittenWalIndexIsRecovered() throws Exception {
        insert(3);
        captured.settle();
        new ProcessBuilder(
                        "python3",
                        "-c",
                        "import sys; f = open(sys.argv[1], 'r+b'); f.seek(16); f.write(b'\\x07\\x00\\x00\\x00')",
                        captured.shm().toString())
                .inheritIO()
                .start()
                .waitFor();
        assertEquals(Look.MOVED, captured.look());
        Awaitility.await()
                .pollInterval(Duration.ofMillis(50))
                .atMost(Duration.ofSeconds(20))
                .until(() -> captured.look() == Look.QUIET);
        insert(2);
        captured.catchUp();
        captured.assertRestoresToSource();
    }

    @Test
    void aDatabaseThatLeftWalModeIsNotConvertedAgain() throws Exception {
        insert(3);
        captured.settle().kill();
        app.exec("a", "pragma journal_mode=delete");
        captured.start().catchUp();
        insert(2);
        captured.catchUp();
        assertEquals("delete", app.value("a", "pragma journal_mode"));
        captured.assertRestoresToSource();
        app.exec("a", "pragma journal_mode=wal");
        insert(2);
        captured.catchUp();
        captured.assertRestoresToSource();
    }
}
