package io.loomstream.perf.jmh;

import java.nio.ByteBuffer;

/** A WAL of one transaction, made as SQLite makes it (sqlite.org/fileformat2.html, "The Write-Ahead Log"). */
final class SampleWal {
    private static final int HEADER_BYTES = 32;
    private static final int FRAME_HEADER_BYTES = 24;
    private static final int MAGIC_BIG_ENDIAN = 0x377F0683;

    private final ByteBuffer wal;
    private int s1;
    private int s2;

    private SampleWal(int bytes) {
        this.wal = ByteBuffer.allocate(bytes);
    }

    static int frames(byte[] pages) {
        return pages.length / SamplePages.PAGE_BYTES;
    }

    /** A frame for each page, in order; the last one commits. */
    static byte[] of(byte[] pages) {
        int frames = frames(pages);
        SampleWal made = new SampleWal(HEADER_BYTES + frames * (FRAME_HEADER_BYTES + SamplePages.PAGE_BYTES));
        made.header();
        for (int frame = 1; frame <= frames; frame++) {
            made.frame(frame, frame == frames ? frames : 0, pages);
        }
        return made.wal.array();
    }

    private void header() {
        wal.putInt(MAGIC_BIG_ENDIAN)
                .putInt(3007000)
                .putInt(SamplePages.PAGE_BYTES)
                .putInt(0);
        wal.putInt(0x5A17_0001).putInt(0x5A17_0002);
        sum(0, 24);
        wal.putInt(s1).putInt(s2);
    }

    private void frame(int number, int commit, byte[] pages) {
        int start = wal.position();
        wal.putInt(number)
                .putInt(commit)
                .putInt(0x5A17_0001)
                .putInt(0x5A17_0002)
                .putLong(0);
        wal.put(pages, (number - 1) * SamplePages.PAGE_BYTES, SamplePages.PAGE_BYTES);
        sum(start, 8);
        sum(start + FRAME_HEADER_BYTES, SamplePages.PAGE_BYTES);
        wal.putInt(start + 16, s1).putInt(start + 20, s2);
    }

    private void sum(int from, int length) {
        for (int at = from; at < from + length; at += 8) {
            s1 += wal.getInt(at) + s2;
            s2 += wal.getInt(at + 4) + s1;
        }
    }
}
