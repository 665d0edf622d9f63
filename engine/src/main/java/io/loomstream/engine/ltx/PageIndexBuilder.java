package io.loomstream.engine.ltx;

import io.loomstream.engine.error.TransientStorageException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The page index while a file is written: page number and frame length per page, as differences in variable-length
 * integers, about four bytes a page. The absolute offsets that the file wants are computed when it is written out. Above
 * {@value #MEMORY_BYTES} bytes, which is 64 MB of database, the entries go to a temporary file where there is a place for one.
 */
final class PageIndexBuilder implements AutoCloseable {
    static final int MEMORY_BYTES = 64 * 1024;

    private static final int VARINT_MAX_BYTES = 10;
    private static final int ENTRY_MAX_BYTES = 2 * VARINT_MAX_BYTES;
    private static final int WRITTEN_ENTRY_MAX_BYTES = 3 * VARINT_MAX_BYTES;
    private static final int BUFFER_ENTRIES_MAX = 256;

    private final @Nullable IndexSpill spill;
    private @Nullable SeekableByteChannel spilled;
    private byte[] entries = new byte[64];
    private int used;
    private int lastPage;
    private int count;

    PageIndexBuilder(@Nullable IndexSpill spill) {
        this.spill = spill;
    }

    void add(int page, int frameBytes) throws IOException {
        if (used + ENTRY_MAX_BYTES > entries.length) {
            makeRoom();
        }
        used = putVarint(entries, used, page - lastPage);
        used = putVarint(entries, used, frameBytes);
        lastPage = page;
        count++;
    }

    private void makeRoom() throws IOException {
        if (spill == null || entries.length < MEMORY_BYTES) {
            entries = Arrays.copyOf(entries, entries.length * 2);
            return;
        }
        if (spilled == null) {
            spilled = spill.open();
        }
        moveTo(spilled);
    }

    private void moveTo(SeekableByteChannel channel) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(entries, 0, used);
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
        used = 0;
    }

    /** Moves what was not read yet to the front and fills the rest from the temporary file. */
    private void refill(SeekableByteChannel channel, int from) throws IOException {
        System.arraycopy(entries, from, entries, 0, used - from);
        ByteBuffer rest = ByteBuffer.wrap(entries).position(used - from);
        while (rest.hasRemaining() && channel.read(rest) >= 0) {}
        used = rest.position();
    }

    /**
     * Writes entries, terminator and length. To be called once.
     *
     * @param crc takes the same bytes
     */
    void writeTo(OutputStream out, Crc64 crc) throws IOException {
        byte[] buffer = new byte[(Math.min(count, BUFFER_ENTRIES_MAX) + 1) * WRITTEN_ENTRY_MAX_BYTES];
        int at = 0;
        int page = 0;
        long offset = LtxHeader.SIZE_BYTES;
        long length = 0;
        int filled = 0;
        long[] read = new long[2];
        SeekableByteChannel channel = spilled;
        if (channel != null) {
            moveTo(channel);
            channel.position(0);
        }
        for (int i = 0; i < count; i++) {
            if (channel != null && used - at < ENTRY_MAX_BYTES) {
                refill(channel, at);
                at = 0;
            }
            at = getVarint(at, read);
            page += (int) read[0];
            at = getVarint(at, read);
            long frameBytes = read[0];
            if (filled + WRITTEN_ENTRY_MAX_BYTES > buffer.length) {
                length += flush(out, crc, buffer, filled);
                filled = 0;
            }
            filled = putVarint(buffer, filled, page);
            filled = putVarint(buffer, filled, offset);
            filled = putVarint(buffer, filled, frameBytes);
            offset += frameBytes;
        }
        if (filled == buffer.length) {
            length += flush(out, crc, buffer, filled);
            filled = 0;
        }
        buffer[filled++] = 0;
        length += flush(out, crc, buffer, filled);
        for (int i = 0; i < Long.BYTES; i++) {
            buffer[i] = (byte) (length >>> (56 - 8 * i));
        }
        flush(out, crc, buffer, Long.BYTES);
    }

    private static int flush(OutputStream out, Crc64 crc, byte[] buffer, int length) throws IOException {
        crc.update(buffer, 0, length);
        out.write(buffer, 0, length);
        return length;
    }

    private int getVarint(int at, long[] value) {
        long result = 0;
        int shift = 0;
        int i = at;
        while (true) {
            byte b = entries[i++];
            result |= (long) (b & 0x7F) << shift;
            if (b >= 0) {
                value[0] = result;
                return i;
            }
            shift += 7;
        }
    }

    /** Gives the temporary file up. Idempotent. */
    @Override
    public void close() {
        SeekableByteChannel open = spilled;
        spilled = null;
        if (open != null) {
            try {
                open.close();
            } catch (IOException e) {
                throw new TransientStorageException("cannot close a temporary file: " + e.getMessage(), e);
            }
        }
    }

    /** Unsigned LEB128; returns the place after it. */
    static int putVarint(byte[] bytes, int at, long value) {
        int i = at;
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            bytes[i++] = (byte) (rest | 0x80);
            rest >>>= 7;
        }
        bytes[i++] = (byte) rest;
        return i;
    }
}
