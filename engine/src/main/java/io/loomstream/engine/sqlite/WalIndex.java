package io.loomstream.engine.sqlite;

import io.loomstream.engine.wal.WalSalts;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The head of a {@code -shm} file, as SQLite's processes share it: which frame of the WAL is the last committed one and
 * how many are in the database file already (sqlite.org/walformat.html, "The WAL-Index File Format"). Native byte order,
 * since it never leaves its host. The salts are kept as the WAL header's bytes say them, big-endian.
 *
 * @param lastFrame {@code mxFrame}: the last frame SQLite regards as committed; 0 = the WAL holds nothing
 * @param commitPages database size in pages after that frame
 * @param pageSize bytes
 * @param backfilled {@code nBackfill}: frames that are in the database file for certain
 * @param backfillAttempted frames that a checkpoint may have begun to write there
 */
public record WalIndex(
        int lastFrame, int commitPages, int pageSize, WalSalts salts, int backfilled, int backfillAttempted) {
    /** Two copies of the header (48 bytes each) and the checkpoint information up to nBackfillAttempted and one spare. */
    public static final int SIZE_BYTES = 136;

    static final int READ_MARK_COUNT = 5;
    static final int READ_MARK_UNUSED = 0xFFFFFFFF;

    /** More than can follow one another before a writer puts down the new header. */
    private static final int MOST_RESETS = 1000;

    private static final int COPY_BYTES = 48;
    private static final int VERSION = 3007000;
    private static final int READ_MARKS_OFFSET = 100;

    /** What a read of the first {@link #SIZE_BYTES} bytes gave. */
    public sealed interface Reading permits Valid, Unsettled {}

    /** Both copies agree and carry a right checksum. */
    public record Valid(WalIndex index) implements Reading {}

    /** Nobody has written the index yet, or a writer is inside the update, or died there. */
    public record Unsettled(String why) implements Reading {}

    static Reading parse(byte[] bytes, int length) {
        if (length < SIZE_BYTES) {
            return new Unsettled("the -shm file has " + length + " bytes");
        }
        if (!Arrays.equals(bytes, 0, COPY_BYTES, bytes, COPY_BYTES, 2 * COPY_BYTES)) {
            return new Unsettled("the two copies of the wal-index header differ");
        }
        ByteBuffer index = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        if (index.get(12) == 0) {
            return new Unsettled("the wal-index is not initialised");
        }
        if (index.getInt(0) != VERSION) {
            return new Unsettled("the wal-index has version " + index.getInt(0));
        }
        int s1 = 0;
        int s2 = 0;
        for (int i = 0; i < 40; i += 8) {
            s1 += index.getInt(i) + s2;
            s2 += index.getInt(i + 4) + s1;
        }
        if (s1 != index.getInt(40) || s2 != index.getInt(44)) {
            return new Unsettled("the wal-index header has a wrong checksum");
        }
        // 65536 does not fit into 16 bits and is stored as 1.
        int pageSize = Short.toUnsignedInt(index.getShort(14));
        ByteBuffer salts = ByteBuffer.wrap(bytes).order(ByteOrder.BIG_ENDIAN);
        return new Valid(new WalIndex(
                index.getInt(16),
                index.getInt(20),
                pageSize == 1 ? 65536 : pageSize,
                new WalSalts(salts.getInt(32), salts.getInt(36)),
                index.getInt(96),
                index.getInt(128)));
    }

    /** The frame up to which the reader of a slot needs the WAL; {@link #READ_MARK_UNUSED} when nobody uses the slot. */
    static int readMark(byte[] bytes, int slot) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).getInt(READ_MARKS_OFFSET + 4 * slot);
    }

    /**
     * Whether the index is one of a WAL that was reset after it had other salts: each reset adds 1 to the first one. (Chance
     * alone makes it so once in four million.)
     */
    public boolean restartedAfter(WalSalts older) {
        int resets = salts.salt1() - older.salt1();
        return resets > 0 && resets <= MOST_RESETS;
    }

    /** Whether every committed frame is in the database file. */
    public boolean fullyBackfilled() {
        return backfilled == lastFrame;
    }

    /** Committed frames that are not in the database file yet. */
    public int framesToBackfill() {
        return lastFrame - backfilled;
    }
}
