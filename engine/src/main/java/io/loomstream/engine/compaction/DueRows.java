package io.loomstream.engine.compaction;

import java.util.Arrays;

/**
 * Rows of one {@link SiteTable} that wait for their time, the earliest first, in about 30 bytes each and without an object
 * per row: a binary heap in parallel arrays, and a hash table that finds a row in it. Not thread-safe.
 *
 * <p>Of whose row it is only a mark is kept, a checksum of the name, to be compared when the time has come.
 */
final class DueRows {
    static final int NONE = -1;

    private static final int SMALLEST = 16;

    private int[] rows = new int[SMALLEST];
    private int[] marks = new int[SMALLEST];
    /** Seconds since a start that the caller knows. */
    private int[] dues = new int[SMALLEST];
    /** Where in the hash table each is. */
    private int[] slotOf = new int[SMALLEST];

    /** By row: its position in the heap, plus one; 0 is free. A power of two, at most three quarters full. */
    private int[] slots = new int[2 * SMALLEST];

    private int size;

    int size() {
        return size;
    }

    /** Bytes of all arrays, their room to grow included. */
    long memoryBytes() {
        return 4L * Integer.BYTES * rows.length + (long) Integer.BYTES * slots.length;
    }

    int row(int position) {
        return rows[position];
    }

    int mark(int position) {
        return marks[position];
    }

    int due(int position) {
        return dues[position];
    }

    /** Where a row is until anything changes, or NONE; the earliest one is at 0. */
    int find(int row) {
        int slot = slotFor(row);
        return slots[slot] == 0 ? NONE : slots[slot] - 1;
    }

    /** Adds a row, or replaces what was said of it. */
    void put(int row, int mark, int due) {
        int known = find(row);
        if (known != NONE) {
            remove(known);
        }
        fit(size + 1);
        int position = size++;
        rows[position] = row;
        marks[position] = mark;
        dues[position] = due;
        slotOf[position] = slotFor(row);
        slots[slotOf[position]] = position + 1;
        rise(position);
    }

    void remove(int position) {
        free(slotOf[position]);
        size--;
        if (position < size) {
            move(size, position);
            rise(position);
            sink(position);
        }
        fit(size);
    }

    // ---- the heap

    private void rise(int from) {
        int position = from;
        while (position > 0 && dues[(position - 1) / 2] > dues[position]) {
            swap(position, (position - 1) / 2);
            position = (position - 1) / 2;
        }
    }

    private void sink(int from) {
        int position = from;
        while (true) {
            int child = 2 * position + 1;
            if (child >= size) {
                return;
            }
            if (child + 1 < size && dues[child + 1] < dues[child]) {
                child++;
            }
            if (dues[position] <= dues[child]) {
                return;
            }
            swap(position, child);
            position = child;
        }
    }

    private void swap(int a, int b) {
        int row = rows[a];
        int mark = marks[a];
        int due = dues[a];
        int slot = slotOf[a];
        move(b, a);
        rows[b] = row;
        marks[b] = mark;
        dues[b] = due;
        slotOf[b] = slot;
        slots[slot] = b + 1;
    }

    private void move(int from, int to) {
        rows[to] = rows[from];
        marks[to] = marks[from];
        dues[to] = dues[from];
        slotOf[to] = slotOf[from];
        slots[slotOf[to]] = to + 1;
    }

    // ---- the hash table

    private int home(int row) {
        int bits = Integer.numberOfTrailingZeros(slots.length);
        return (row * 0x9E3779B9) >>> (Integer.SIZE - bits);
    }

    private int after(int slot) {
        return (slot + 1) & (slots.length - 1);
    }

    /** The slot that a row has, or would get. */
    private int slotFor(int row) {
        int slot = home(row);
        while (slots[slot] != 0 && rows[slots[slot] - 1] != row) {
            slot = after(slot);
        }
        return slot;
    }

    /** Frees a slot, and moves up what would not be found any more behind a free one. */
    private void free(int slot) {
        int mask = slots.length - 1;
        int hole = slot;
        for (int at = after(slot); slots[at] != 0; at = after(at)) {
            int home = home(rows[slots[at] - 1]);
            if (((at - home) & mask) >= ((at - hole) & mask)) {
                slots[hole] = slots[at];
                slotOf[slots[hole] - 1] = hole;
                hole = at;
            }
        }
        slots[hole] = 0;
    }

    /** Grows and shrinks with what there is. */
    private void fit(int wanted) {
        if (wanted > rows.length) {
            resize(wanted + wanted / 8 + SMALLEST);
        } else if (rows.length > 2 * SMALLEST && wanted < rows.length / 2) {
            resize(wanted + wanted / 4 + SMALLEST);
        }
    }

    private void resize(int room) {
        rows = Arrays.copyOf(rows, room);
        marks = Arrays.copyOf(marks, room);
        dues = Arrays.copyOf(dues, room);
        slotOf = Arrays.copyOf(slotOf, room);
        int needed = Integer.highestOneBit(Math.max(1, room + room / 3)) << 1;
        if (needed != slots.length) {
            slots = new int[needed];
            for (int position = 0; position < size; position++) {
                slotOf[position] = slotFor(rows[position]);
                slots[slotOf[position]] = position + 1;
            }
        }
    }
}
