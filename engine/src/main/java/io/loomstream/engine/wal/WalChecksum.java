package io.loomstream.engine.wal;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The running checksum of a WAL (sqlite.org/fileformat2.html, "Checksum Algorithm"): two sums over pairs of 32-bit words, in
 * the byte order that the WAL's magic number names.
 *
 * <p>Mutable, for one thread: half a gigabyte goes through it word by word.
 */
final class WalChecksum {
    private static final VarHandle BIG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle LITTLE = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final boolean bigEndian;
    private int s1;
    private int s2;

    WalChecksum(boolean bigEndian, FrameChecksum start) {
        this.bigEndian = bigEndian;
        this.s1 = start.s1();
        this.s2 = start.s2();
    }

    /** Adds bytes; {@code length} is a multiple of 8. */
    void add(byte[] bytes, int offset, int length) {
        int a = s1;
        int b = s2;
        int end = offset + length;
        if (bigEndian) {
            for (int i = offset; i < end; i += 8) {
                long words = (long) BIG.get(bytes, i);
                a += (int) (words >>> 32) + b;
                b += (int) words + a;
            }
        } else {
            for (int i = offset; i < end; i += 8) {
                long words = (long) LITTLE.get(bytes, i);
                a += (int) words + b;
                b += (int) (words >>> 32) + a;
            }
        }
        s1 = a;
        s2 = b;
    }

    boolean is(int stored1, int stored2) {
        return s1 == stored1 && s2 == stored2;
    }

    FrameChecksum value() {
        return new FrameChecksum(s1, s2);
    }
}
