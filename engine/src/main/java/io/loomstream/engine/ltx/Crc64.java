package io.loomstream.engine.ltx;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * CRC-64/GO-ISO (polynomial 0x1B, reflected, initial value and final xor all ones), sixteen bytes a step ("slicing"; Kounavis
 * and Berry, 2008). Mutable, for one thread.
 */
public final class Crc64 {
    private static final long POLYNOMIAL = 0xD800000000000000L;
    private static final int SLICES = 16;
    private static final long[][] TABLES = tables();
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private long crc = -1;

    private static long[][] tables() {
        long[][] tables = new long[SLICES][256];
        for (int i = 0; i < 256; i++) {
            long value = i;
            for (int bit = 0; bit < 8; bit++) {
                value = (value & 1) != 0 ? value >>> 1 ^ POLYNOMIAL : value >>> 1;
            }
            tables[0][i] = value;
        }
        for (int slice = 1; slice < SLICES; slice++) {
            for (int i = 0; i < 256; i++) {
                long before = tables[slice - 1][i];
                tables[slice][i] = tables[0][(int) before & 0xFF] ^ before >>> 8;
            }
        }
        return tables;
    }

    public void update(byte[] bytes, int offset, int length) {
        long c = crc;
        int i = offset;
        int end = offset + length;
        long[] t0 = TABLES[0];
        long[] t1 = TABLES[1];
        long[] t2 = TABLES[2];
        long[] t3 = TABLES[3];
        long[] t4 = TABLES[4];
        long[] t5 = TABLES[5];
        long[] t6 = TABLES[6];
        long[] t7 = TABLES[7];
        long[] t8 = TABLES[8];
        long[] t9 = TABLES[9];
        long[] t10 = TABLES[10];
        long[] t11 = TABLES[11];
        long[] t12 = TABLES[12];
        long[] t13 = TABLES[13];
        long[] t14 = TABLES[14];
        long[] t15 = TABLES[15];
        for (; end - i >= SLICES; i += SLICES) {
            long a = (long) LONGS.get(bytes, i) ^ c;
            long b = (long) LONGS.get(bytes, i + 8);
            c = t15[(int) a & 0xFF]
                    ^ t14[(int) (a >>> 8) & 0xFF]
                    ^ t13[(int) (a >>> 16) & 0xFF]
                    ^ t12[(int) (a >>> 24) & 0xFF]
                    ^ t11[(int) (a >>> 32) & 0xFF]
                    ^ t10[(int) (a >>> 40) & 0xFF]
                    ^ t9[(int) (a >>> 48) & 0xFF]
                    ^ t8[(int) (a >>> 56)]
                    ^ t7[(int) b & 0xFF]
                    ^ t6[(int) (b >>> 8) & 0xFF]
                    ^ t5[(int) (b >>> 16) & 0xFF]
                    ^ t4[(int) (b >>> 24) & 0xFF]
                    ^ t3[(int) (b >>> 32) & 0xFF]
                    ^ t2[(int) (b >>> 40) & 0xFF]
                    ^ t1[(int) (b >>> 48) & 0xFF]
                    ^ t0[(int) (b >>> 56)];
        }
        for (; i < end; i++) {
            c = t0[(int) (c ^ bytes[i]) & 0xFF] ^ c >>> 8;
        }
        crc = c;
    }

    /** The checksum of everything so far; more may follow. */
    public long value() {
        return ~crc;
    }

    public void reset() {
        crc = -1;
    }
}
