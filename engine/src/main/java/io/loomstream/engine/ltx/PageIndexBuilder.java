package io.loomstream.engine.ltx;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;

/**
 * The page index while a file is written: page number and frame length per page, as differences in variable-length
 * integers, about four bytes a page. The absolute offsets that the file wants are computed when it is written out.
 */
final class PageIndexBuilder {
    private static final int VARINT_MAX_BYTES = 10;

    private byte[] entries = new byte[64];
    private int used;
    private int lastPage;
    private int count;

    void add(int page, int frameBytes) {
        if (used + 2 * VARINT_MAX_BYTES > entries.length) {
            entries = Arrays.copyOf(entries, entries.length * 2);
        }
        used = putVarint(entries, used, page - lastPage);
        used = putVarint(entries, used, frameBytes);
        lastPage = page;
        count++;
    }

    /**
     * Writes entries, terminator and length.
     *
     * @param crc takes the same bytes
     */
    void writeTo(OutputStream out, Crc64 crc) throws IOException {
        byte[] buffer = new byte[8192];
        int at = 0;
        int page = 0;
        long offset = LtxHeader.SIZE_BYTES;
        long length = 0;
        int filled = 0;
        long[] read = new long[2];
        for (int i = 0; i < count; i++) {
            at = getVarint(at, read);
            page += (int) read[0];
            at = getVarint(at, read);
            long frameBytes = read[0];
            if (filled + 3 * VARINT_MAX_BYTES > buffer.length) {
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
