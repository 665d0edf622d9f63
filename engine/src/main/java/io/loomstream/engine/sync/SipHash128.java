package io.loomstream.engine.sync;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * SipHash-2-4 with 128 bits of output (J.-P. Aumasson and D. J. Bernstein; the reference code's {@code outlen == 16}). The
 * message is the page number as eight little-endian bytes, then the page. Why this one: docs/decisions/0004-page-hash.md.
 */
final class SipHash128 implements PageHash {
    private static final VarHandle WORDS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    @Override
    public void of(Key key, int number, byte[] buffer, int offset, int pageSize, long[] hash) {
        hash(key, number, buffer, offset, pageSize, hash);
    }

    /**
     * Hashes a message of at least eight bytes.
     *
     * @param first its first eight bytes, little-endian
     * @param length of the rest, bytes
     */
    static void hash(Key key, long first, byte[] buffer, int offset, int length, long[] hash) {
        long v0 = key.low() ^ 0x736f6d6570736575L;
        long v1 = key.high() ^ 0x646f72616e646f6dL ^ 0xee;
        long v2 = key.low() ^ 0x6c7967656e657261L;
        long v3 = key.high() ^ 0x7465646279746573L;
        int words = length / Long.BYTES;
        for (int i = -1; i <= words; i++) {
            long word = first;
            if (i == words) {
                word = last(buffer, offset, length);
            } else if (i >= 0) {
                word = (long) WORDS.get(buffer, offset + i * Long.BYTES);
            }
            v3 ^= word;
            for (int round = 0; round < 2; round++) {
                v0 += v1;
                v2 += v3;
                v1 = Long.rotateLeft(v1, 13) ^ v0;
                v3 = Long.rotateLeft(v3, 16) ^ v2;
                v0 = Long.rotateLeft(v0, 32);
                v2 += v1;
                v0 += v3;
                v1 = Long.rotateLeft(v1, 17) ^ v2;
                v3 = Long.rotateLeft(v3, 21) ^ v0;
                v2 = Long.rotateLeft(v2, 32);
            }
            v0 ^= word;
        }
        finish(v0, v1, v2 ^ 0xee, v3, hash);
    }

    /** The last word: what is left of the message, and the message's length in the highest byte. */
    private static long last(byte[] buffer, int offset, int length) {
        long word = (long) (length + Long.BYTES) << 56;
        int whole = length & -Long.BYTES;
        for (int i = whole; i < length; i++) {
            word |= (buffer[offset + i] & 0xFFL) << (8 * (i - whole));
        }
        return word;
    }

    private static void finish(long a, long b, long c, long d, long[] hash) {
        long v0 = a;
        long v1 = b;
        long v2 = c;
        long v3 = d;
        for (int half = 0; half < 2; half++) {
            if (half == 1) {
                v1 ^= 0xdd;
            }
            for (int round = 0; round < 4; round++) {
                v0 += v1;
                v2 += v3;
                v1 = Long.rotateLeft(v1, 13) ^ v0;
                v3 = Long.rotateLeft(v3, 16) ^ v2;
                v0 = Long.rotateLeft(v0, 32);
                v2 += v1;
                v0 += v3;
                v1 = Long.rotateLeft(v1, 17) ^ v2;
                v3 = Long.rotateLeft(v3, 21) ^ v0;
                v2 = Long.rotateLeft(v2, 32);
            }
            hash[half] = v0 ^ v1 ^ v2 ^ v3;
        }
    }
}
