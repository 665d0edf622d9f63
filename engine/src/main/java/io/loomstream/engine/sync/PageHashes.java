package io.loomstream.engine.sync;

import java.util.Arrays;

/** The hashes of some pages in ascending order: 20 bytes each. Not thread-safe. */
final class PageHashes {
    /** 20 MB; a copy with more pages than that builds its index anew. */
    static final int MOST = 1 << 20;

    private int[] numbers = new int[16];
    private long[] halves = new long[32];
    private int size;

    /** Whether there is room for another one. */
    boolean full() {
        return size == MOST;
    }

    void add(int number, long low, long high) {
        if (size > 0 && number <= numbers[size - 1]) {
            throw new IllegalArgumentException("page " + number + " after page " + numbers[size - 1]);
        }
        if (size == numbers.length) {
            numbers = Arrays.copyOf(numbers, 2 * size);
            halves = Arrays.copyOf(halves, 4 * size);
        }
        numbers[size] = number;
        halves[2 * size] = low;
        halves[2 * size + 1] = high;
        size++;
    }

    int size() {
        return size;
    }

    int number(int i) {
        return numbers[i];
    }

    long low(int i) {
        return halves[2 * i];
    }

    long high(int i) {
        return halves[2 * i + 1];
    }

    /** Whether an entry's page comes right after the page of the entry before it. */
    boolean follows(int i) {
        return numbers[i] == numbers[i - 1] + 1;
    }
}
