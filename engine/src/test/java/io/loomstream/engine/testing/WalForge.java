package io.loomstream.engine.testing;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.function.UnaryOperator;

/**
 * Writes to a {@code -wal} file by hand, with right checksums (sqlite.org/fileformat2.html, "The Write-Ahead Log"; a sum of
 * its own, not the engine's): what a power cut or a killed writer leaves.
 */
public final class WalForge implements AutoCloseable {
    private static final int HEADER_BYTES = 32;
    private static final int FRAME_HEADER_BYTES = 24;
    private static final int LITTLE_ENDIAN_SUMS = 0x377F0682;

    private final RandomAccessFile file;
    private int s1;
    private int s2;

    private WalForge(RandomAccessFile file) {
        this.file = file;
    }

    /** Opens a WAL that has a header already. */
    public static WalForge open(Path wal) throws IOException {
        return new WalForge(new RandomAccessFile(wal.toFile(), "rw"));
    }

    /** Whole frames in the file, valid or not. */
    public int frames() throws IOException {
        return (int) ((file.length() - HEADER_BYTES) / frameBytes());
    }

    private int pageSize() throws IOException {
        return header().getInt(8);
    }

    private int frameBytes() throws IOException {
        return FRAME_HEADER_BYTES + pageSize();
    }

    private ByteBuffer header() throws IOException {
        return read(0, HEADER_BYTES);
    }

    private ByteBuffer read(long position, int length) throws IOException {
        return ByteBuffer.wrap(readBytes(position, length));
    }

    private byte[] readBytes(long position, int length) throws IOException {
        byte[] bytes = new byte[length];
        file.seek(position);
        file.readFully(bytes);
        return bytes;
    }

    private long offset(int frame) throws IOException {
        return HEADER_BYTES + (frame - 1L) * frameBytes();
    }

    /** The salt that a reset counts up. */
    public int salt1() throws IOException {
        return header().getInt(16);
    }

    /** The page in a frame. */
    public byte[] page(int frame) throws IOException {
        return readBytes(offset(frame) + FRAME_HEADER_BYTES, pageSize());
    }

    /** The page number in a frame. */
    public int pageNumber(int frame) throws IOException {
        return read(offset(frame), 4).getInt();
    }

    /** The database size in a frame, in pages; 0 where it is no commit. */
    public int commit(int frame) throws IOException {
        return read(offset(frame), 8).getInt(4);
    }

    /** Writes a frame behind another one, whose checksum it continues. */
    public WalForge write(int frame, int pageNumber, int commit, byte[] page) throws IOException {
        ByteBuffer header = header();
        if (frame == 1) {
            s1 = header.getInt(24);
            s2 = header.getInt(28);
        } else {
            ByteBuffer before = read(offset(frame - 1), FRAME_HEADER_BYTES);
            s1 = before.getInt(16);
            s2 = before.getInt(20);
        }
        ByteBuffer bytes = ByteBuffer.allocate(FRAME_HEADER_BYTES + page.length);
        bytes.putInt(pageNumber).putInt(commit).putInt(header.getInt(16)).putInt(header.getInt(20));
        bytes.position(FRAME_HEADER_BYTES);
        bytes.put(page);
        boolean little = header.getInt(0) == LITTLE_ENDIAN_SUMS;
        sum(bytes.array(), 0, 8, little);
        sum(bytes.array(), FRAME_HEADER_BYTES, page.length, little);
        bytes.putInt(16, s1).putInt(20, s2);
        file.seek(offset(frame));
        file.write(bytes.array());
        return this;
    }

    /** Changes the page of a frame and puts every checksum after it right. */
    public WalForge change(int frame, UnaryOperator<byte[]> change) throws IOException {
        int last = frames();
        for (int i = frame; i <= last; i++) {
            byte[] page = page(i);
            write(i, pageNumber(i), commit(i), i == frame ? change.apply(page) : page);
        }
        return this;
    }

    /** Overwrites the header with one of a reset: the first salt is one more, the second another. The frames stay. */
    public WalForge newHeader() throws IOException {
        byte[] bytes = readBytes(0, HEADER_BYTES);
        ByteBuffer header = ByteBuffer.wrap(bytes);
        header.putInt(12, header.getInt(12) + 1)
                .putInt(16, header.getInt(16) + 1)
                .putInt(20, header.getInt(20) ^ 0x5A5A5A5A);
        s1 = 0;
        s2 = 0;
        sum(bytes, 0, 24, header.getInt(0) == LITTLE_ENDIAN_SUMS);
        header.putInt(24, s1).putInt(28, s2);
        file.seek(0);
        file.write(bytes);
        return this;
    }

    private void sum(byte[] bytes, int offset, int length, boolean little) {
        ByteBuffer words = ByteBuffer.wrap(bytes).order(little ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        for (int i = offset; i < offset + length; i += 8) {
            s1 += words.getInt(i) + s2;
            s2 += words.getInt(i + 4) + s1;
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
