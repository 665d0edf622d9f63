package io.loomstream.engine.ltx;

import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.wal.WalSalts;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The first 100 bytes of an LTX file, version 3 (docs/formats.md).
 *
 * @param flags only {@link #NO_CHECKSUM} is legal
 * @param pageSize bytes, a power of two from 512 to 65536
 * @param commit database size in pages after the file is applied
 * @param timestampMillis milliseconds since the epoch
 * @param preApplyChecksum rolling checksum of the database before the file
 * @param walOffset where in the WAL the copy began, bytes
 * @param walSize how much of the WAL it covers, bytes
 * @param nodeId 0 in everything Litestream and Loomstream write
 */
public record LtxHeader(
        int flags,
        int pageSize,
        int commit,
        TxidRange range,
        long timestampMillis,
        long preApplyChecksum,
        long walOffset,
        long walSize,
        WalSalts walSalts,
        long nodeId) {
    public static final int SIZE_BYTES = 100;
    public static final int NO_CHECKSUM = 0x2;

    static final long CHECKSUM_FLAG = 1L << 63;

    private static final byte[] MAGIC = "LTX1".getBytes(StandardCharsets.US_ASCII);

    /** The header of a file of ours: no rolling checksums, node 0. */
    public static LtxHeader of(
            int pageSize,
            int commit,
            TxidRange range,
            long timestampMillis,
            long walOffset,
            long walSize,
            WalSalts salts) {
        return new LtxHeader(NO_CHECKSUM, pageSize, commit, range, timestampMillis, 0, walOffset, walSize, salts, 0);
    }

    /** The same header for another range of TXIDs. */
    public LtxHeader withRange(TxidRange other) {
        return new LtxHeader(
                flags,
                pageSize,
                commit,
                other,
                timestampMillis,
                preApplyChecksum,
                walOffset,
                walSize,
                walSalts,
                nodeId);
    }

    /** Whether the file holds the whole database: it begins with the first TXID. */
    public boolean isSnapshot() {
        return range.min().equals(Txid.ONE);
    }

    /** Whether the file carries rolling checksums of the database. */
    public boolean tracksChecksums() {
        return (flags & NO_CHECKSUM) == 0;
    }

    /** Reads and validates a header. */
    static LtxHeader parse(byte[] bytes, String source) {
        ByteBuffer header = ByteBuffer.wrap(bytes);
        if (!Arrays.equals(bytes, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
            throw new CorruptDataException(source, 0, "not an LTX file");
        }
        Txid min = new Txid(header.getLong(16));
        Txid max = new Txid(header.getLong(24));
        if (min.isZero() || min.isAfter(max)) {
            throw new CorruptDataException(source, 16, "TXIDs " + min + " to " + max + " are no range");
        }
        LtxHeader parsed = new LtxHeader(
                header.getInt(4),
                header.getInt(8),
                header.getInt(12),
                new TxidRange(min, max),
                header.getLong(32),
                header.getLong(40),
                header.getLong(48),
                header.getLong(56),
                new WalSalts(header.getInt(64), header.getInt(68)),
                header.getLong(72));
        parsed.validate(source);
        return parsed;
    }

    /** Checks the rules between the fields; offsets in errors are those of the field. */
    void validate(String source) {
        require((flags & ~NO_CHECKSUM) == 0, source, 4, "flags that are not known: " + flags);
        require(
                pageSize >= 512 && pageSize <= 65536 && Integer.bitCount(pageSize) == 1,
                source,
                8,
                "page size " + Integer.toUnsignedString(pageSize));
        // SQLite's largest database has 2^32 - 2 pages; page numbers here are ints, which its own limit of 2^31 - 2
        // fits.
        require(commit >= 0, source, 12, "database size " + Integer.toUnsignedString(commit) + " pages");
        require(walOffset >= 0, source, 48, "WAL offset " + walOffset);
        require(walSize >= 0, source, 56, "WAL size " + walSize);
        require(walSalts.equals(WalSalts.NONE) || walOffset != 0, source, 48, "WAL salts without an offset");
        require(walSize == 0 || walOffset != 0, source, 48, "a WAL size without an offset");
        if (isSnapshot() || !tracksChecksums()) {
            require(preApplyChecksum == 0, source, 40, "a pre-apply checksum where none may be");
        } else {
            require((preApplyChecksum & CHECKSUM_FLAG) != 0, source, 40, "no pre-apply checksum");
        }
    }

    private static void require(boolean condition, String source, long offset, String problem) {
        if (!condition) {
            throw new CorruptDataException(source, offset, "invalid header: " + problem);
        }
    }

    byte[] encode() {
        ByteBuffer header = ByteBuffer.allocate(SIZE_BYTES);
        header.put(MAGIC).putInt(flags).putInt(pageSize).putInt(commit);
        header.putLong(range.min().value()).putLong(range.max().value()).putLong(timestampMillis);
        header.putLong(preApplyChecksum).putLong(walOffset).putLong(walSize);
        header.putInt(walSalts.salt1()).putInt(walSalts.salt2()).putLong(nodeId);
        return header.array();
    }
}
