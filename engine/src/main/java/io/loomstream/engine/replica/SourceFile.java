package io.loomstream.engine.replica;

import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;

/**
 * What a write needs of a local LTX file; the codec proper belongs to whoever made the file.
 *
 * @param createdAt the header's timestamp
 * @param sizeBytes the file's length
 */
public record SourceFile(Instant createdAt, long sizeBytes) {
    /** An LTX header's length. */
    public static final int HEADER_BYTES = 100;

    private static final int MAGIC = 0x4C545831; // "LTX1"
    private static final int MIN_TXID_AT = 16;
    private static final int MAX_TXID_AT = 24;
    private static final int TIMESTAMP_AT = 32;

    /**
     * Reads the header.
     *
     * @throws CorruptDataException when this is no LTX file or not the one to be stored under this range
     */
    public static SourceFile read(Path source, TxidRange range) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(HEADER_BYTES);
        try (FileChannel channel = FileChannel.open(source, StandardOpenOption.READ)) {
            while (bytes.hasRemaining() && channel.read(bytes) >= 0) {}
            if (bytes.hasRemaining() || bytes.getInt(0) != MAGIC) {
                throw new CorruptDataException(source.toString(), 0, "not an LTX file");
            }
            Txid min = new Txid(bytes.getLong(MIN_TXID_AT));
            Txid max = new Txid(bytes.getLong(MAX_TXID_AT));
            // Refused here because a file that is not what its name says is refused by every reader.
            if (!min.equals(range.min()) || !max.equals(range.max())) {
                throw new CorruptDataException(
                        source.toString(),
                        MIN_TXID_AT,
                        "its header says " + min + "-" + max + ", to be stored as " + range);
            }
            return new SourceFile(timestamp(bytes.array()), channel.size());
        }
    }

    /** The timestamp in the first {@value #HEADER_BYTES} bytes of an LTX file. */
    public static Instant timestamp(byte[] header) {
        return Instant.ofEpochMilli(ByteBuffer.wrap(header).getLong(TIMESTAMP_AT));
    }
}
