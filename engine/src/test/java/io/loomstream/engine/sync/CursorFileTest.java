package io.loomstream.engine.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.posix.Posix;
import io.loomstream.engine.sync.Observation.ReplicaPosition;
import io.loomstream.engine.sync.Observation.Wal;
import io.loomstream.engine.testing.FileLocker;
import io.loomstream.engine.wal.FrameChecksum;
import io.loomstream.engine.wal.WalSalts;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CursorFileTest {
    private static final Posix POSIX = Posix.load().orElseThrow();
    private static final BootId BOOT = new BootId(11, 12);
    private static final BootId NEXT_BOOT = new BootId(11, 13);
    private static final int FIRST_SLOT = 128;
    private static final int SLOT_BYTES = 128;

    @TempDir
    Path directory;

    private Path path;

    @BeforeEach
    void name() {
        path = directory.resolve("loomstream.cursor");
    }

    /** Every field has a value of its own, so that two that are mixed up show. */
    private static Cursor cursor(long txid, boolean sealed) {
        return new Cursor(
                new Txid(txid),
                8192,
                31,
                new WalSalts(-101, 102),
                103,
                new FrameChecksum(-104, 105),
                sealed,
                new FileFingerprint(-106, 107, 108, 109, 110, -111, false),
                -112);
    }

    private Optional<Cursor> loadAfterReopening(Cursor stored, BootId boot) throws IOException {
        try (CursorFile file = CursorFile.open(POSIX, path, boot, Time.system(), database -> false)) {
            return file.load(stored.txid(), stored.ltxChecksum()).map(CursorFile.Slot::cursor);
        }
    }

    private void store(Cursor... cursors) throws IOException {
        try (CursorFile file = CursorFile.open(POSIX, path, BOOT, Time.system(), database -> false)) {
            for (Cursor cursor : cursors) {
                file.store(cursor, Txid.ZERO);
            }
        }
    }

    @Test
    void everyFieldSurvivesARestart() throws IOException {
        for (boolean sealed : new boolean[] {true, false}) {
            Cursor cursor = cursor(7, sealed);
            store(cursor);
            assertEquals(Optional.of(cursor), loadAfterReopening(cursor, BOOT));
            store(cursor.unproven());
            assertEquals(Optional.of(cursor.unproven()), loadAfterReopening(cursor, BOOT));
        }
    }

    @Test
    void anEmptyFileHasNoCursor() throws IOException {
        assertEquals(Optional.empty(), loadAfterReopening(cursor(7, true), BOOT));
        assertEquals(Optional.empty(), loadAfterReopening(cursor(8, true), BOOT));
    }

    @Test
    void theSlotOfTheNextTxidLeavesTheOneOfThisAlone() throws IOException {
        Cursor seven = cursor(7, true);
        Cursor eight = cursor(8, false);
        store(seven, eight);
        assertEquals(Optional.of(seven), loadAfterReopening(seven, BOOT));
        assertEquals(Optional.of(eight), loadAfterReopening(eight, BOOT));
    }

    @Test
    void aSlotOfAnotherTxidOrAnotherFileCountsForNothing() throws IOException {
        Cursor seven = cursor(7, true);
        store(seven);
        try (CursorFile file = CursorFile.open(POSIX, path, BOOT, Time.system(), database -> false)) {
            assertEquals(Optional.empty(), file.load(new Txid(9), seven.ltxChecksum()));
            assertEquals(Optional.empty(), file.load(seven.txid(), seven.ltxChecksum() + 1));
        }
    }

    @Test
    void afterAnotherBootTheFingerprintProvesNothing() throws IOException {
        Cursor seven = cursor(7, true);
        store(seven);
        assertEquals(Optional.of(seven.unproven()), loadAfterReopening(seven, NEXT_BOOT));
    }

    @ParameterizedTest
    @CsvSource({"7", "8"})
    void aShutdownInOrderVouchesOverARestartOfTheMachine(long txid) throws IOException {
        Cursor cursor = cursor(txid, true);
        try (CursorFile file = CursorFile.open(POSIX, path, BOOT, Time.system(), database -> false)) {
            file.storeClean(cursor, Txid.ZERO);
        }
        assertEquals(Optional.of(cursor), loadAfterReopening(cursor, NEXT_BOOT));
    }

    /** Otherwise a power cut during the next run would be vouched for by the shutdown before it. */
    @ParameterizedTest
    @CsvSource({"7", "8"})
    void aShutdownInOrderVouchesOnce(long txid) throws IOException {
        Cursor cursor = cursor(txid, true);
        try (CursorFile file = CursorFile.open(POSIX, path, BOOT, Time.system(), database -> false)) {
            file.storeClean(cursor, Txid.ZERO);
        }
        assertEquals(Optional.of(cursor), loadAfterReopening(cursor, BOOT), "killed in the same boot: still good");
        assertEquals(Optional.of(cursor.unproven()), loadAfterReopening(cursor, NEXT_BOOT));
    }

    @Test
    void keepsWhatTheReplicaHad() throws IOException {
        Cursor seven = cursor(7, true);
        try (CursorFile file = CursorFile.open(POSIX, path, BOOT, Time.system(), database -> false)) {
            file.store(seven, new Txid(6));
        }
        try (CursorFile file = CursorFile.open(POSIX, path, BOOT, Time.system(), database -> false)) {
            assertEquals(
                    Optional.of(new Txid(6)),
                    file.load(seven.txid(), seven.ltxChecksum()).map(CursorFile.Slot::uploaded));
        }
    }

    @Test
    void aTornOrBitFlippedSlotCountsForNothingAndTheOtherStays() throws IOException {
        Cursor seven = cursor(7, true);
        Cursor eight = cursor(8, true);
        store(seven, eight);
        byte[] whole = Files.readAllBytes(path);
        for (int at = 0; at < SLOT_BYTES; at++) {
            byte[] flipped = whole.clone();
            flipped[FIRST_SLOT + at] ^= (byte) (1 << (at & 7));
            Files.write(path, flipped);
            assertEquals(Optional.empty(), loadAfterReopening(eight, BOOT), "byte " + at);
            assertEquals(Optional.of(seven), loadAfterReopening(seven, BOOT), "byte " + at);
        }
        for (int length = 0; length < FIRST_SLOT + 2 * SLOT_BYTES; length++) {
            Files.write(path, Arrays.copyOf(whole, length));
            assertEquals(
                    length > FIRST_SLOT + SLOT_BYTES - 1 ? Optional.of(eight) : Optional.empty(),
                    loadAfterReopening(eight, BOOT),
                    "cut to " + length);
            assertEquals(Optional.empty(), loadAfterReopening(seven, BOOT), "cut to " + length);
        }
    }

    /** A field that an older release did not write reads as zero. It may cost a copy, never a transaction. */
    @ParameterizedTest
    @CsvSource({
        "boot id, 4, 16",
        "TXID, 21, 8",
        "page size, 29, 4",
        "size in pages, 33, 4",
        "salts, 37, 8",
        "frame, 45, 4",
        "frame checksum, 49, 8",
        "sealed, 57, 1",
        "device, 58, 8",
        "inode, 66, 8",
        "birth, 74, 8",
        "size, 82, 8",
        "mtime, 90, 8",
        "ctime, 98, 8",
        "proves, 106, 1",
        "L0 checksum, 107, 8"
    })
    void aFieldThatIsMissingProvesNothing(String field, int offset, int length) throws IOException {
        for (boolean sealed : new boolean[] {true, false}) {
            Cursor cursor = cursor(8, sealed);
            store(cursor);
            byte[] bytes = Files.readAllBytes(path);
            Arrays.fill(bytes, FIRST_SLOT + offset, FIRST_SLOT + offset + length, (byte) 0);
            CRC32C crc = new CRC32C();
            crc.update(bytes, FIRST_SLOT, SLOT_BYTES - 4);
            ByteBuffer.wrap(bytes).putInt(FIRST_SLOT + SLOT_BYTES - 4, (int) crc.getValue());
            Files.write(path, bytes);

            Optional<Cursor> loaded = loadAfterReopening(cursor, BOOT);
            assertFalse(loaded.equals(Optional.of(cursor)) && !(field.equals("sealed") && !sealed), field);
            if (loaded.isPresent()) {
                Verdict verdict = verdictFor(loaded.get(), cursor);
                // Sealed, and the file proven unchanged: the whole WAL again is a superset, never a gap.
                boolean again = sealed && verdict.equals(new Verdict.Continue(0));
                boolean lessKnown = field.equals("sealed") && verdict.equals(new Verdict.Continue(cursor.frame()));
                assertTrue(again || lessKnown || verdict instanceof Verdict.Resync, field + ": " + verdict);
            }
        }
    }

    /** After a restart, with nothing changed in the world since {@code truth} was stored. */
    private static Verdict verdictFor(Cursor loaded, Cursor truth) {
        boolean frameAtCursor = loaded.walSalts().equals(truth.walSalts())
                && loaded.frame() == truth.frame()
                && loaded.frameChecksum().equals(truth.frameChecksum());
        return Continuity.decide(new Observation(
                Optional.of(loaded),
                new ReplicaPosition.At(truth.txid()),
                false,
                loaded.database().sameFile(truth.database()),
                truth.pageSize(),
                true,
                new Wal.Present(truth.walSalts()),
                frameAtCursor,
                loaded.database().proves(truth.database())));
    }

    @Test
    void aSecondProcessIsKeptOutAndKeepsUsOut() throws Exception {
        try (CursorFile file = CursorFile.open(POSIX, path, BOOT, Time.system(), database -> false)) {
            assertEquals(Optional.empty(), FileLocker.lock(path));
            assertEquals(Optional.empty(), file.load(new Txid(1), 1), "the file still serves who has it");
        }
        try (FileLocker other = FileLocker.lock(path).orElseThrow()) {
            ConflictException refused = assertThrows(
                    ConflictException.class,
                    () -> CursorFile.open(POSIX, path, BOOT, Time.system(), database -> false));
            String pid = "pid " + ProcessHandle.current().pid();
            assertTrue(refused.getMessage().contains(pid), "names who was here last: " + refused.getMessage());
            assertEquals(Optional.empty(), FileLocker.lock(path), "the try did not free the other's lock: " + other);
        }
        CursorFile.open(POSIX, path, BOOT, Time.system(), database -> false).close();
    }
}
