package io.loomstream.engine.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.concurrent.Gate;
import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.posix.Posix;
import io.loomstream.engine.sqlite.HoldTaker.Attempt;
import io.loomstream.engine.sqlite.HoldTaker.Taken;
import io.loomstream.engine.sqlite.HoldTaker.Technique;
import io.loomstream.engine.sqlite.HoldTaker.Unavailable;
import io.loomstream.engine.sqlite.SqliteConnections.Access;
import io.loomstream.engine.sqlite.WalIndex.Unsettled;
import io.loomstream.engine.sqlite.WalIndex.Valid;
import io.loomstream.engine.testing.AppProcess;
import io.loomstream.engine.testing.WalForge;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a hold keeps applications from, and what it must not keep them from. */
class HoldTest {
    private static final WalHold.SealCheck BACKFILLED = WalIndex::fullyBackfilled;

    @TempDir
    Path directory;

    private Path database;
    private DatabaseFiles files;
    private final HoldTaker taker = new HoldTaker(Time.system());
    private final List<WalHold> held = new ArrayList<>();
    private AppProcess app;

    @BeforeEach
    void start() {
        database = directory.resolve("app.db");
        files = filesOf(database);
        app = AppProcess.start();
        app.open("a", database).exec("a", "pragma journal_mode=wal").exec("a", "create table t(x)");
    }

    @AfterEach
    void stop() throws IOException {
        held.forEach(WalHold::release);
        app.close();
    }

    private static DatabaseFiles filesOf(Path database) {
        return new DatabaseFiles(Posix.load().orElseThrow(), new SqliteConnections(new Gate("native", 6)), database);
    }

    private WalHold take(Technique technique) throws Exception {
        return take(files, technique);
    }

    private WalHold take(DatabaseFiles of, Technique technique) throws Exception {
        Attempt attempt = taker.take(of, technique, Duration.ofSeconds(5));
        WalHold hold =
                assertInstanceOf(Taken.class, attempt, attempt.toString()).hold();
        held.add(hold);
        assertEquals(technique == Technique.LOCKS ? LockHold.class : ConnectionHold.class, hold.getClass());
        return hold;
    }

    private void insert(int rows) {
        for (int i = 0; i < rows; i++) {
            app.exec("a", "insert into t values (randomblob(3000))");
        }
    }

    private static WalIndex index(WalHold hold) throws IOException {
        return assertInstanceOf(Valid.class, hold.readIndex()).index();
    }

    private int salt1() throws IOException {
        try (WalForge wal = WalForge.open(files.wal())) {
            return wal.salt1();
        }
    }

    /** busy, frames in the WAL, frames in the database file. */
    private List<String> checkpoint(String mode) {
        return app.query("a", "pragma wal_checkpoint(" + mode + ")").getFirst();
    }

    private static String sha256(Path file) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
    }

    private List<String> names() throws IOException {
        try (Stream<Path> listed = Files.list(directory)) {
            return listed.map(f -> f.getFileName().toString()).sorted().toList();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"LOCKS", "CONNECTION"})
    void restartAndTruncateAnswerBusyAndNoSaltChanges(Technique technique) throws Exception {
        insert(5);
        take(technique);
        insert(1);
        int salt = salt1();
        for (String mode : List.of("RESTART", "TRUNCATE")) {
            assertEquals("1", checkpoint(mode).getFirst(), mode);
            insert(3);
            assertEquals(salt, salt1(), mode);
        }
    }

    @Test
    void passiveAndFullBackfillEverythingUnderTheSlotAndTheWalStillGrows() throws Exception {
        insert(5);
        WalHold hold = take(Technique.LOCKS);
        assertFalse(hold.limitsBackfill());
        int salt = salt1();
        for (String mode : List.of("PASSIVE", "FULL", "PASSIVE", "FULL")) {
            insert(4);
            List<String> row = checkpoint(mode);
            assertEquals("0", row.getFirst(), mode);
            assertEquals(row.get(1), row.get(2), mode + " left frames behind");
            assertTrue(index(hold).fullyBackfilled());
            int frames = index(hold).lastFrame();
            insert(1);
            assertTrue(index(hold).lastFrame() > frames, "the WAL was reset");
            assertEquals(salt, salt1());
        }
    }

    @Test
    void aConnectionHoldLetsBackfillGoOnWhenItHops() throws Exception {
        insert(5);
        WalHold hold = take(Technique.CONNECTION);
        insert(5);
        List<String> limited = checkpoint("PASSIVE");
        assertTrue(Integer.parseInt(limited.get(2)) < Integer.parseInt(limited.get(1)), limited.toString());
        hold.hop(BACKFILLED);
        List<String> row = checkpoint("PASSIVE");
        assertEquals(row.get(1), row.get(2));
        assertTrue(hold.intact());
    }

    @ParameterizedTest
    @EnumSource(names = {"LOCKS", "CONNECTION"})
    void theLastApplicationToCloseLeavesTheWal(Technique technique) throws Exception {
        insert(5);
        WalHold hold = take(technique);
        assertTrue(hold.applicationAttached());
        byte[] wal = Files.readAllBytes(files.wal());
        app.close("a");
        assertFalse(hold.applicationAttached());
        assertEquals(-1, mismatch(wal, Files.readAllBytes(files.wal())));
        assertTrue(hold.intact());
    }

    private static int mismatch(byte[] a, byte[] b) {
        return Arrays.mismatch(a, b);
    }

    @ParameterizedTest
    @EnumSource(names = {"LOCKS", "CONNECTION"})
    void writesNothing(Technique technique) throws Exception {
        insert(5);
        String databaseBefore = sha256(database);
        String walBefore = sha256(files.wal());
        List<String> names = names();
        for (int i = 0; i < 20; i++) {
            WalHold hold = take(technique);
            index(hold);
            hold.hop(index -> false);
            hold.release();
        }
        assertEquals(databaseBefore, sha256(database));
        assertEquals(walBefore, sha256(files.wal()));
        assertEquals(names, names());
    }

    /**
     * A folder copied, or left by a power cut, with a {@code -shm} that is older than its WAL: taking the dead-man switch
     * first would make SQLite trust it, and the user's commits be gone.
     */
    @ParameterizedTest
    @EnumSource(names = {"LOCKS", "CONNECTION"})
    void aStaleWalIndexIsRebuiltBeforeTheHoldVouchesForIt(Technique technique) throws Exception {
        insert(3);
        Path copy = Files.createDirectory(directory.resolve("copy")).resolve("app.db");
        Files.copy(files.shm(), DatabaseFiles.sibling(copy, "-shm"));
        insert(4);
        Files.copy(database, copy);
        Files.copy(files.wal(), DatabaseFiles.sibling(copy, "-wal"));
        DatabaseFiles copied = filesOf(copy);
        WalHold hold = take(copied, technique);
        try (WalForge wal = WalForge.open(copied.wal())) {
            assertEquals(wal.frames(), index(hold).lastFrame());
        }
        app.open("copy", copy);
        assertEquals("7", app.value("copy", "select count(*) from t"));
    }

    @Test
    void lettingTheWalRestartMovesTheSaltByOneAndDelaysNoWrite() throws Exception {
        insert(5);
        checkpoint("PASSIVE");
        WalHold hold = take(Technique.LOCKS);
        int salt = salt1();
        assertTrue(hold.letRestart(BACKFILLED));
        assertFalse(hold.intact(), "between letting go and taking back nothing is vouched for");
        insert(1); // with no busy timeout: a lock in its way would be an error
        assertEquals(salt + 1, salt1());
        List<String> frozen = checkpoint("PASSIVE");
        assertFalse(index(hold).fullyBackfilled(), "nothing is backfilled under the freeze: " + frozen);
        for (int i = 0; i < 5; i++) {
            insert(2);
            checkpoint("PASSIVE");
            assertEquals("1", checkpoint("RESTART").getFirst());
        }
        assertEquals(salt + 1, salt1(), "so only one reset can follow");
        assertTrue(hold.endRestart());
        assertTrue(hold.intact());
        List<String> row = checkpoint("PASSIVE");
        assertEquals(row.get(1), row.get(2), "the freeze is gone");
        insert(1);
        assertEquals(salt + 1, salt1(), "the slot is back");
    }

    @Test
    void theWalMayNotRestartUnlessSealedUnderTheFreeze() throws Exception {
        insert(5);
        WalHold hold = take(Technique.LOCKS);
        assertFalse(hold.letRestart(BACKFILLED), "nothing is in the file yet");
        assertTrue(hold.intact());
        checkpoint("PASSIVE");
        assertFalse(hold.letRestart(index -> false));
        int salt = salt1();
        insert(1);
        assertEquals(salt, salt1());
        checkpoint("PASSIVE");
        assertTrue(index(hold).fullyBackfilled(), "a refused restart leaves no freeze behind");
    }

    @Test
    void aConnectionHoldLetsTheWalRestartOnceWhenItMovesToTheDatabaseFile() throws Exception {
        insert(5);
        WalHold hold = take(Technique.CONNECTION);
        insert(2);
        hold.hop(BACKFILLED);
        checkpoint("PASSIVE");
        int salt = salt1();
        hold.letRestart(index -> false);
        insert(1);
        assertEquals(salt, salt1(), "not sealed");
        hold.hop(BACKFILLED);
        checkpoint("PASSIVE");
        hold.letRestart(BACKFILLED);
        insert(1);
        assertEquals(salt + 1, salt1());
        for (int i = 0; i < 5; i++) {
            insert(1);
            checkpoint("PASSIVE");
        }
        assertEquals(salt + 1, salt1(), "only once: nothing can be backfilled meanwhile");
        assertTrue(hold.intact());
    }

    @ParameterizedTest
    @EnumSource(names = {"LOCKS", "CONNECTION"})
    void deletedSharedMemoryEndsTheHold(Technique technique) throws Exception {
        insert(2);
        WalHold hold = take(technique);
        assertTrue(hold.intact());
        Files.delete(files.shm());
        assertFalse(hold.intact());
        app.open("b", database).query("b", "select count(*) from t");
        assertFalse(hold.intact(), "a new file at the path is not the one that carries our locks");
    }

    @ParameterizedTest
    @EnumSource(names = {"LOCKS", "CONNECTION"})
    void anotherFileAtThePathEndsTheHold(Technique technique) throws Exception {
        insert(2);
        WalHold hold = take(technique);
        Path copy = Files.copy(database, directory.resolve("other.db"));
        Files.move(copy, database, StandardCopyOption.REPLACE_EXISTING);
        assertFalse(hold.intact());
    }

    @ParameterizedTest
    @EnumSource(names = {"LOCKS", "CONNECTION"})
    void aDeletedWalEndsTheHold(Technique technique) throws Exception {
        insert(2);
        WalHold hold = take(technique);
        Files.delete(files.wal());
        assertFalse(hold.intact());
    }

    /** POSIX locks belong to the process: closing any descriptor of a file drops SQLite's own locks on it. */
    @ParameterizedTest
    @EnumSource(names = {"LOCKS", "CONNECTION"})
    void releasingAHoldLeavesTheLocksOfAConnectionOfOursAlone(Technique technique) throws Exception {
        insert(5);
        SqliteConnection reader = files.connect(Access.READ_ONLY);
        reader.beginRead();
        insert(2);
        take(technique).release();
        taker.readHeader(files);
        files.openDatabase().close();
        assertEquals("1", checkpoint("TRUNCATE").getFirst(), "our reader still needs the WAL");
        app.close("a");
        assertTrue(Files.size(files.wal()) > 0, "our connection is not the last one to close");
        files.disconnect(reader);
        app.open("a", database);
        assertEquals("0", checkpoint("TRUNCATE").getFirst(), "with the connection gone all is free");
    }

    @ParameterizedTest
    @EnumSource(names = {"LOCKS", "CONNECTION"})
    void noDescriptorStaysOpen(Technique technique) throws Exception {
        insert(2);
        take(technique).release();
        assertEquals(List.of(), openDescriptors());
        WalHold hold = take(technique);
        assertEquals(
                technique == Technique.LOCKS ? 2 : 5,
                openDescriptors().size(),
                () -> openDescriptors().toString());
        taker.lastClose(files, hold);
        assertEquals(List.of(), openDescriptors());
    }

    private List<Path> openDescriptors() {
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            List<Path> ours = new ArrayList<>();
            for (Path fd : all.toList()) {
                if (Files.isSymbolicLink(fd)) {
                    Path target = Files.readSymbolicLink(fd);
                    if (target.startsWith(directory)) {
                        ours.add(target);
                    }
                }
            }
            return ours;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"LOCKS", "CONNECTION"})
    void anApplicationInExclusiveModeIsReportedAndHeldOnceItEnds(Technique technique) throws Exception {
        app.close("a");
        app.open("x", database).exec("x", "pragma locking_mode=EXCLUSIVE").exec("x", "insert into t values (1)");
        Attempt refused = taker.take(files, technique, Duration.ofMillis(20));
        assertInstanceOf(Unavailable.class, refused, refused.toString());
        assertEquals(Optional.empty(), app.tryExec("x", "insert into t values (2)"), "and is not disturbed");
        app.close("x");
        app.open("a", database);
        insert(1);
        take(technique);
    }

    /** Each reader leaves its mark in a slot; with all in use we share one, and move on when a checkpoint cleared one. */
    @Test
    void withAllReadMarksInUseItSharesOneAndMovesOnLater() throws Exception {
        for (String reader : List.of("r1", "r2", "r3", "r4")) {
            insert(2);
            app.open(reader, database).exec(reader, "begin").query(reader, "select count(*) from t");
        }
        WalHold hold = take(Technique.LOCKS);
        assertTrue(hold.limitsBackfill());
        insert(2);
        int salt = salt1();
        for (String reader : List.of("r1", "r2", "r3", "r4")) {
            app.close(reader);
        }
        List<String> row = checkpoint("PASSIVE");
        assertTrue(Integer.parseInt(row.get(2)) < Integer.parseInt(row.get(1)), "it stops at the shared mark: " + row);
        hold.hop(BACKFILLED);
        assertFalse(hold.limitsBackfill());
        row = checkpoint("PASSIVE");
        assertEquals(row.get(1), row.get(2));
        insert(1);
        assertEquals(salt, salt1());
        assertEquals("1", checkpoint("RESTART").getFirst());
    }

    @ParameterizedTest
    @EnumSource(names = {"LOCKS", "CONNECTION"})
    void seesACheckpointThatWaitsForIt(Technique technique) throws Exception {
        insert(5);
        WalHold hold = take(technique);
        insert(1);
        assertFalse(hold.checkpointMayWaitForUs());
        app.exec("a", "begin immediate");
        assertFalse(hold.checkpointMayWaitForUs(), "a writer alone is none");
        app.exec("a", "commit");
        try (AppProcess patient = AppProcess.start()) {
            patient.open("p", database, 10);
            CompletableFuture<Optional<String>> waiting = patient.execAsync("p", "pragma wal_checkpoint(TRUNCATE)");
            Awaitility.await().pollInterval(Duration.ofMillis(5)).until(hold::checkpointMayWaitForUs);
            hold.release();
            assertEquals(Optional.empty(), waiting.get());
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"LOCKS", "CONNECTION"})
    void theLastCloseLeavesTheFilesAsSqliteWould(Technique technique) throws Exception {
        insert(5);
        app.exec("a", "pragma wal_checkpoint(PASSIVE)");
        WalHold hold = take(technique);
        app.close("a");
        String before = sha256(database);
        FileTime modified = Files.getLastModifiedTime(database);
        taker.lastClose(files, hold);
        assertEquals(List.of("app.db"), names());
        assertEquals(before, sha256(database), "a WAL that is in the file already changes nothing");
        assertEquals(modified, Files.getLastModifiedTime(database));
    }

    @ParameterizedTest
    @EnumSource(names = {"LOCKS", "CONNECTION"})
    void theLastCloseIsTheApplicationsWhileOneIsThere(Technique technique) throws Exception {
        insert(5);
        WalHold hold = take(technique);
        taker.lastClose(files, hold);
        assertTrue(Files.exists(files.wal()));
        insert(1);
        assertEquals("6", app.value("a", "select count(*) from t"));
    }

    @Test
    void theJournalModeCannotChangeUnderTheHold() throws Exception {
        insert(1);
        take(Technique.LOCKS);
        assertTrue(app.tryExec("a", "pragma journal_mode=delete").orElse("").contains("locked"));
        assertEquals("wal", app.value("a", "pragma journal_mode"));
    }

    @Test
    void aRemainderOfAPersistentJournalIsNoHotJournal() throws Exception {
        Path other = directory.resolve("persist.db");
        app.open("p", other).exec("p", "pragma journal_mode=persist").exec("p", "create table t(x)");
        assertTrue(Files.size(DatabaseFiles.sibling(other, "-journal")) > 0);
        DatabaseFiles persistent = filesOf(other);
        assertFalse(persistent.hasJournal());
        assertTrue(taker.convertToWal(persistent));
        take(persistent, Technique.LOCKS);
    }

    @Test
    void anIndexWhoseCopiesDifferIsUnsettled() throws Exception {
        insert(1);
        WalHold hold = take(Technique.LOCKS);
        try (RandomAccessFile shm = new RandomAccessFile(files.shm().toFile(), "rw")) {
            shm.seek(16);
            shm.write(7);
        }
        assertInstanceOf(Unsettled.class, hold.readIndex());
        assertTrue(taker.recover(files));
        assertInstanceOf(Valid.class, hold.readIndex());
        assertTrue(hold.intact());
    }
}
