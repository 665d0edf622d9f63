package io.loomstream.engine.fleet;

import java.util.Arrays;
import java.util.BitSet;

/** Rows that wait, first come, first served, each at most once: four bytes and a bit a row. Not thread-safe. */
final class RowQueue {
    static final int NONE = -1;

    private int[] ring = new int[64];
    private int head;
    private int size;
    private final BitSet members = new BitSet();

    /** False when it waits already. */
    boolean add(int row) {
        if (members.get(row)) {
            return false;
        }
        members.set(row);
        if (size == ring.length) {
            int[] larger = new int[ring.length * 2];
            for (int i = 0; i < size; i++) {
                larger[i] = ring[(head + i) % ring.length];
            }
            ring = larger;
            head = 0;
        }
        ring[(head + size) % ring.length] = row;
        size++;
        return true;
    }

    /** The row that has waited longest, or NONE. */
    int poll() {
        if (size == 0) {
            return NONE;
        }
        int row = ring[head];
        head = (head + 1) % ring.length;
        size--;
        members.clear(row);
        if (size == 0 && ring.length > 4096) {
            ring = new int[64]; // a storm is over
            head = 0;
        }
        return row;
    }

    int size() {
        return size;
    }

    /** The rows that wait, in order. */
    int[] toArray() {
        int[] rows = new int[size];
        for (int i = 0; i < size; i++) {
            rows[i] = ring[(head + i) % ring.length];
        }
        return rows;
    }

    @Override
    public String toString() {
        return Arrays.toString(toArray());
    }
}
