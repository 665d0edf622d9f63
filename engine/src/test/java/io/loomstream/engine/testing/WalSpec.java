package io.loomstream.engine.testing;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A WAL as a value, written from SQLite's description of the format and sharing no code with the reader. */
public final class WalSpec {
    private static final int HEADER_BYTES = 32;
    private static final int FRAME_HEADER_BYTES = 24;

    private final boolean bigEndian;
    private final int pageSize;
    private final int sequence;
    private final int salt1;
    private final int salt2;
    private final List<Frame> frames;

    private static final class Frame {
        private final int page;
        private final int commit;
        private final byte[] bytes;

        Frame(int page, int commit, byte[] bytes) {
            this.page = page;
            this.commit = commit;
            this.bytes = bytes;
        }
    }

    private WalSpec(boolean bigEndian, int pageSize, int sequence, int salt1, int salt2, List<Frame> frames) {
        this.bigEndian = bigEndian;
        this.pageSize = pageSize;
        this.sequence = sequence;
        this.salt1 = salt1;
        this.salt2 = salt2;
        this.frames = frames;
    }

    /** A WAL without frames. */
    public static WalSpec of(int pageSize, int salt1, int salt2) {
        return new WalSpec(false, pageSize, 0, salt1, salt2, List.of());
    }

    /** Takes a WAL apart, without a look at its checksums. */
    public static WalSpec parse(byte[] wal) {
        ByteBuffer bytes = ByteBuffer.wrap(wal);
        int pageSize = bytes.getInt(8);
        List<Frame> frames = new ArrayList<>();
        int frameBytes = FRAME_HEADER_BYTES + pageSize;
        for (int at = HEADER_BYTES; at + frameBytes <= wal.length; at += frameBytes) {
            byte[] page = Arrays.copyOfRange(wal, at + FRAME_HEADER_BYTES, at + frameBytes);
            frames.add(new Frame(bytes.getInt(at), bytes.getInt(at + 4), page));
        }
        return new WalSpec(
                (bytes.getInt(0) & 1) != 0, pageSize, bytes.getInt(12), bytes.getInt(16), bytes.getInt(20), frames);
    }

    /** The same with checksums over big-endian words, as a big-endian machine writes them. */
    public WalSpec bigEndian() {
        return new WalSpec(true, pageSize, sequence, salt1, salt2, frames);
    }

    /**
     * The same with one frame more.
     *
     * @param commit database size in pages; 0 when the transaction goes on
     */
    public WalSpec frame(int page, int commit, int fill) {
        byte[] bytes = new byte[pageSize];
        Arrays.fill(bytes, (byte) fill);
        return frame(page, commit, bytes);
    }

    /** The same with one frame more. */
    public WalSpec frame(int page, int commit, byte[] bytes) {
        List<Frame> more = new ArrayList<>(frames);
        more.add(new Frame(page, commit, bytes));
        return new WalSpec(bigEndian, pageSize, sequence, salt1, salt2, more);
    }

    public int frames() {
        return frames.size();
    }

    /** The file's bytes, checksums right. */
    public byte[] encode() {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        int[] sum = new int[2];
        ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
        header.putInt(bigEndian ? 0x377F0683 : 0x377F0682)
                .putInt(3007000)
                .putInt(pageSize)
                .putInt(sequence);
        header.putInt(salt1).putInt(salt2);
        add(sum, header.array(), 24);
        header.putInt(sum[0]).putInt(sum[1]);
        file.writeBytes(header.array());
        for (Frame frame : frames) {
            ByteBuffer head = ByteBuffer.allocate(FRAME_HEADER_BYTES);
            head.putInt(frame.page).putInt(frame.commit);
            add(sum, head.array(), 8);
            add(sum, frame.bytes, pageSize);
            head.putInt(salt1).putInt(salt2).putInt(sum[0]).putInt(sum[1]);
            file.writeBytes(head.array());
            file.writeBytes(frame.bytes);
        }
        return file.toByteArray();
    }

    private void add(int[] sum, byte[] bytes, int length) {
        ByteBuffer words =
                ByteBuffer.wrap(bytes, 0, length).order(bigEndian ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
        while (words.hasRemaining()) {
            sum[0] += words.getInt() + sum[1];
            sum[1] += words.getInt() + sum[0];
        }
    }
}
