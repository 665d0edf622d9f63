package io.loomstream.engine.fleet;

import java.util.Arrays;

/** The entries of one directory, names one after another, reused from one directory to the next. Not thread-safe. */
final class Listing {
    /** A directory of 100,000 entries once must not cost memory for ever. */
    private static final int KEPT_BYTES_MAX = 256 * 1024;

    private byte[] bytes = new byte[4096];
    private final Ids starts = new Ids();
    private int end;

    void clear() {
        if (bytes.length > KEPT_BYTES_MAX) {
            bytes = new byte[4096];
        }
        starts.clear();
        end = 0;
    }

    /** Adds an entry: a byte for its type, then its name. */
    void add(byte[] name, int length, int type) {
        if (end + 1 + length > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, end + 1 + length));
        }
        starts.add(end);
        bytes[end] = (byte) type;
        System.arraycopy(name, 0, bytes, end + 1, length);
        end += 1 + length;
    }

    int size() {
        return starts.size();
    }

    int type(int entry) {
        return bytes[starts.get(entry)];
    }

    /** Copies a name; its length. */
    int name(int entry, byte[] into) {
        int from = starts.get(entry) + 1;
        int to = entry + 1 < starts.size() ? starts.get(entry + 1) : end;
        System.arraycopy(bytes, from, into, 0, to - from);
        return to - from;
    }
}
