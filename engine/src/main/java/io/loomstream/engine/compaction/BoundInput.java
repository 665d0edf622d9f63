package io.loomstream.engine.compaction;

import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.ltx.LtxHeader;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;

/**
 * The bytes of a file of the replica, refused when they are not that file: when the header's TXIDs are not those of the
 * name, or the checksum at its end is not the one of the file that was uploaded. A file that is valid in itself may be of
 * another history. That the checksum is right for the bytes is the decoder's business. Not thread-safe.
 */
final class BoundInput extends FilterInputStream {
    private static final int TXIDS_AT = 16;

    private final String name;
    private final long sizeBytes;
    private final long checksum;
    private final ByteBuffer head;
    private final TxidRange range;
    private long position;
    private long last;

    BoundInput(InputStream in, Stored stored) {
        super(in);
        this.name = Unusable.name(stored.file());
        this.range = stored.range();
        this.sizeBytes = stored.file().sizeBytes();
        this.checksum = stored.checksum();
        this.head = ByteBuffer.allocate(LtxHeader.SIZE_BYTES);
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
        int count = in.read(buffer, offset, length);
        if (count > 0) {
            seen(buffer, offset, count);
        }
        return count;
    }

    private void seen(byte[] buffer, int offset, int count) {
        if (head.hasRemaining()) {
            head.put(buffer, offset, Math.min(count, head.remaining()));
            if (!head.hasRemaining()) {
                checkRange();
            }
        }
        for (int i = Math.max(0, count - Long.BYTES); i < count; i++) {
            last = last << Byte.SIZE | (buffer[offset + i] & 0xff);
        }
        position += count;
        if (position == sizeBytes && checksum != 0 && last != checksum) {
            throw new CorruptDataException(
                    name,
                    sizeBytes - Long.BYTES,
                    "is not the file that was uploaded: checksum " + Long.toHexString(last) + ", not "
                            + Long.toHexString(checksum));
        }
    }

    private void checkRange() {
        Txid min = new Txid(head.getLong(TXIDS_AT));
        Txid max = new Txid(head.getLong(TXIDS_AT + Long.BYTES));
        if (!min.equals(range.min()) || !max.equals(range.max())) {
            throw new CorruptDataException(name, TXIDS_AT, "its header says " + min + "-" + max);
        }
    }
}
