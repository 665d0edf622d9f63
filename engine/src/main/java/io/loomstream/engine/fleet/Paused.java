package io.loomstream.engine.fleet;

import java.util.HashSet;
import java.util.Set;

/** Databases that somebody paused, and those of them whose turn came meanwhile. Not thread-safe. */
final class Paused {
    private final Set<Integer> rows = new HashSet<>();
    private final Set<Integer> heldBack = new HashSet<>();

    void add(int row) {
        rows.add(row);
    }

    boolean contains(int row) {
        return rows.contains(row);
    }

    /** Whether a row whose turn it is must not be served; remembers that it wants to be. */
    boolean holdsBack(int row) {
        if (!rows.contains(row)) {
            return false;
        }
        heldBack.add(row);
        return true;
    }

    /** True when it wanted to be served meanwhile. */
    boolean resume(int row) {
        rows.remove(row);
        return heldBack.remove(row);
    }

    void forget(int row) {
        rows.remove(row);
        heldBack.remove(row);
    }

    int heldBack() {
        return heldBack.size();
    }
}
