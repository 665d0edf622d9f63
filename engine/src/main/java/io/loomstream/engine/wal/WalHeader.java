package io.loomstream.engine.wal;

import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * The first 32 bytes of a WAL (sqlite.org/fileformat2.html, "The Write-Ahead Log").
 *
 * @param bigEndianChecksums byte order of the words that are summed; all other numbers are big-endian
 * @param pageSize bytes, a power of two from 512 to 65536
 * @param checkpointSequence counts restarts, per connection: proves nothing
 * @param checksum over the first 24 bytes; seeds the first frame's
 */
public record WalHeader(
        boolean bigEndianChecksums, int pageSize, int checkpointSequence, WalSalts salts, FrameChecksum checksum) {
    public static final int SIZE_BYTES = 32;
    public static final int FRAME_HEADER_BYTES = 24;

    private static final int MAGIC_LITTLE_ENDIAN = 0x377F0682;
    private static final int MAGIC_BIG_ENDIAN = 0x377F0683;
    private static final int VERSION = 3007000;
    private static final int SUMMED_BYTES = 24;

    /** Empty when the bytes are not a whole and valid header. */
    public static Optional<WalHeader> parse(byte[] bytes) {
        if (bytes.length < SIZE_BYTES) {
            return Optional.empty();
        }
        ByteBuffer header = ByteBuffer.wrap(bytes);
        int magic = header.getInt(0);
        int pageSize = header.getInt(8);
        boolean plausible = (magic == MAGIC_LITTLE_ENDIAN || magic == MAGIC_BIG_ENDIAN)
                && header.getInt(4) == VERSION
                && pageSize >= 512
                && pageSize <= 65536
                && Integer.bitCount(pageSize) == 1;
        if (!plausible) {
            return Optional.empty();
        }
        boolean bigEndian = magic == MAGIC_BIG_ENDIAN;
        WalChecksum checksum = new WalChecksum(bigEndian, FrameChecksum.START);
        checksum.add(bytes, 0, SUMMED_BYTES);
        if (!checksum.is(header.getInt(24), header.getInt(28))) {
            return Optional.empty();
        }
        return Optional.of(new WalHeader(
                bigEndian,
                pageSize,
                header.getInt(12),
                new WalSalts(header.getInt(16), header.getInt(20)),
                checksum.value()));
    }

    public int frameSizeBytes() {
        return FRAME_HEADER_BYTES + pageSize;
    }

    /** Where a frame begins; frames count from 1. */
    public long frameOffset(int frame) {
        return SIZE_BYTES + (frame - 1L) * frameSizeBytes();
    }

    /** Where a frame's page begins. */
    public long pageOffset(int frame) {
        return frameOffset(frame) + FRAME_HEADER_BYTES;
    }

    /** Where a frame ends; for 0 where the header ends. */
    public long endOfFrame(int frame) {
        return SIZE_BYTES + (long) frame * frameSizeBytes();
    }

    /**
     * The frame that ends at an offset, 0 for the end of the header.
     *
     * @throws IllegalArgumentException when no frame ends there
     */
    public int frameEndingAt(long offset) {
        long frames = (offset - SIZE_BYTES) / frameSizeBytes();
        if (offset < SIZE_BYTES || frames > Integer.MAX_VALUE || endOfFrame((int) frames) != offset) {
            throw new IllegalArgumentException("no frame ends at offset " + offset);
        }
        return (int) frames;
    }
}
