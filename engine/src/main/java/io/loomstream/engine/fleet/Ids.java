package io.loomstream.engine.fleet;

import java.util.Arrays;
import java.util.function.IntPredicate;

/** Growing lists of ids without objects per id. Not thread-safe. */
final class Ids {
    private static final int[] EMPTY = {};

    private int[] ids = EMPTY;
    private int size;

    void clear() {
        size = 0;
    }

    void add(int id) {
        if (size == ids.length) {
            ids = Arrays.copyOf(ids, Math.max(16, size * 2));
        }
        ids[size++] = id;
    }

    int size() {
        return size;
    }

    int get(int index) {
        return ids[index];
    }

    int[] toArray() {
        return Arrays.copyOf(ids, size);
    }

    /** The ids in an index's run for a hash that satisfy a condition. */
    static int[] matching(IntIndex index, int hash, IntPredicate condition) {
        int[] found = EMPTY;
        int slot = index.slotOf(hash);
        for (int id; (id = index.at(slot)) != IntIndex.NONE; slot = index.after(slot)) {
            if (condition.test(id)) {
                found = Arrays.copyOf(found, found.length + 1);
                found[found.length - 1] = id;
            }
        }
        return found;
    }
}
