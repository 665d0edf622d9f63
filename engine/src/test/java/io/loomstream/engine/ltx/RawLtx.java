package io.loomstream.engine.ltx;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import net.jpountz.lz4.LZ4FrameOutputStream;
import net.jpountz.lz4.LZ4FrameOutputStream.BLOCKSIZE;
import net.jpountz.lz4.LZ4FrameOutputStream.FLG;

/**
 * An LTX file written byte by byte from the description of the format, sharing no code with the encoder: pages are single
 * literal runs, the checksum is computed bit by bit, nothing is checked.
 */
final class RawLtx {
    private final ByteArrayOutputStream file = new ByteArrayOutputStream();
    private final ByteArrayOutputStream index = new ByteArrayOutputStream();
    private long crc = -1;

    /** Starts with a header; all fields as they stand in the file. */
    RawLtx(
            int flags,
            int pageSize,
            int commit,
            long min,
            long max,
            long timestamp,
            long walOffset,
            int salt1,
            int salt2) {
        ByteBuffer header = ByteBuffer.allocate(100);
        header.put("LTX1".getBytes(StandardCharsets.US_ASCII));
        header.putInt(flags).putInt(pageSize).putInt(commit).putLong(min).putLong(max);
        header.putLong(timestamp)
                .putLong(0)
                .putLong(walOffset)
                .putLong(0)
                .putInt(salt1)
                .putInt(salt2);
        append(header.array());
    }

    static RawLtx plain(int pageSize, int commit, long min, long max) {
        return new RawLtx(2, pageSize, commit, min, max, 1000, 0, 0, 0);
    }

    private void append(byte[] bytes) {
        file.writeBytes(bytes);
        hash(bytes);
    }

    private void hash(byte[] bytes) {
        crc = bitwise(crc, bytes);
    }

    /** The checksum's state after some bytes; starts as -1 and is inverted at the end. */
    static long bitwise(long state, byte[] bytes) {
        long crc = state;
        for (byte b : bytes) {
            crc ^= b & 0xFF;
            for (int bit = 0; bit < 8; bit++) {
                crc = (crc & 1) == 0 ? crc >>> 1 : (crc >>> 1) ^ 0xD800000000000000L;
            }
        }
        return crc;
    }

    RawLtx page(int number, byte[] bytes) {
        return page(number, 1, literalRun(bytes), bytes);
    }

    /**
     * A page in the present encoding.
     *
     * @param block its bytes in the file
     * @param hashed what the file's checksum takes for them
     */
    RawLtx page(int number, int flags, byte[] block, byte[] hashed) {
        indexEntry(number, 10 + block.length);
        append(ByteBuffer.allocate(10)
                .putInt(number)
                .putShort((short) flags)
                .putInt(block.length)
                .array());
        file.writeBytes(block);
        hash(hashed);
        return this;
    }

    /** A page as older writers encoded it, an LZ4 frame. */
    RawLtx legacyPage(int number, byte[] frame, byte[] hashed) {
        indexEntry(number, 6 + frame.length);
        append(ByteBuffer.allocate(6).putInt(number).array());
        file.writeBytes(frame);
        hash(hashed);
        return this;
    }

    /** An LZ4 frame; older writers always set the content checksum. */
    static byte[] lz4Frame(byte[] bytes, FLG.Bits... options) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (LZ4FrameOutputStream frame = new LZ4FrameOutputStream(out, BLOCKSIZE.SIZE_64KB, options)) {
            frame.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    private void indexEntry(int number, int size) {
        varint(number);
        varint(file.size());
        varint(size);
    }

    private void varint(long value) {
        long rest = value;
        while (Long.compareUnsigned(rest, 0x80) >= 0) {
            index.write((int) ((rest & 0x7F) | 0x80));
            rest >>>= 7;
        }
        index.write((int) rest);
    }

    byte[] index() {
        byte[] entries = index.toByteArray();
        return ByteBuffer.allocate(entries.length + 1).put(entries).array();
    }

    byte[] end() {
        return end(0);
    }

    byte[] end(long postApply) {
        append(new byte[6]);
        byte[] whole = index();
        append(whole);
        append(ByteBuffer.allocate(8).putLong(whole.length).array());
        append(ByteBuffer.allocate(8).putLong(postApply).array());
        file.writeBytes(ByteBuffer.allocate(8).putLong(~crc | (1L << 63)).array());
        return file.toByteArray();
    }

    /** An LZ4 block without any match. */
    static byte[] literalRun(byte[] bytes) {
        ByteArrayOutputStream block = new ByteArrayOutputStream();
        block.write(0xF0);
        int rest = bytes.length - 15;
        for (; rest >= 255; rest -= 255) {
            block.write(255);
        }
        block.write(rest);
        block.writeBytes(bytes);
        return block.toByteArray();
    }
}
