package io.loomstream.engine.fleet;

import java.util.Arrays;

/** Names one after another in one byte array, each behind its length (one byte up to 127, else two). Not thread-safe. */
final class NameArena {
    private static final int SHORT_MAX = 0x7F;
    private static final int LENGTH_MAX = 0x7FFF;
    private static final int BYTES_MIN = 256;

    private byte[] bytes = new byte[BYTES_MIN];
    private int end;
    private int wasted;

    /**
     * Stores a name.
     *
     * @return its place
     */
    int add(byte[] name, int length) {
        if (length > LENGTH_MAX) {
            throw new IllegalArgumentException("a name of " + length + " bytes, more than " + LENGTH_MAX);
        }
        long needed = (long) end + length + 2;
        if (needed > bytes.length) {
            if (needed > Integer.MAX_VALUE - 8) {
                throw new IllegalStateException("the names of the fleet need more than 2 GB");
            }
            bytes = Arrays.copyOf(
                    bytes, (int) Math.min(Math.max(needed, bytes.length * 5L / 4), Integer.MAX_VALUE - 8));
        }
        int place = end;
        if (length > SHORT_MAX) {
            bytes[end++] = (byte) (0x80 | length >>> 8);
        }
        bytes[end++] = (byte) length;
        System.arraycopy(name, 0, bytes, end, length);
        end += length;
        return place;
    }

    int length(int place) {
        int first = bytes[place];
        return first >= 0 ? first : (first & SHORT_MAX) << 8 | (bytes[place + 1] & 0xFF);
    }

    private int start(int place) {
        return bytes[place] >= 0 ? place + 1 : place + 2;
    }

    boolean equals(int place, byte[] name, int length) {
        int from = start(place);
        return length(place) == length && Arrays.equals(bytes, from, from + length, name, 0, length);
    }

    void copyTo(int place, byte[] target, int at) {
        System.arraycopy(bytes, start(place), target, at, length(place));
    }

    int hash(int place, int seed) {
        return hash(bytes, start(place), length(place), seed);
    }

    static int hash(byte[] name, int from, int length, int seed) {
        int hash = seed * 31 + length;
        for (int i = from; i < from + length; i++) {
            hash = hash * 31 + name[i];
        }
        // The low bits decide little in the index; mix them upwards.
        hash ^= hash >>> 15;
        return hash * 0x2C1B3C6D;
    }

    /** Gives up a name; its bytes are free after the next compaction by the owner. */
    void forget(int place) {
        wasted += start(place) - place + length(place);
    }

    /** Whether more than half is waste, and enough to care. */
    boolean wantsCompaction() {
        return wasted > 64 * 1024 && wasted > end / 2;
    }

    /** Takes a name over from another arena. */
    int adopt(NameArena other, int place) {
        int length = other.length(place);
        byte[] name = new byte[length];
        other.copyTo(place, name, 0);
        return add(name, length);
    }

    long bytes() {
        return bytes.length;
    }
}
