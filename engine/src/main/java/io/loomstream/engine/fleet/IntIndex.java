package io.loomstream.engine.fleet;

import java.util.function.IntUnaryOperator;

/**
 * A hash index of int ids whose keys are kept elsewhere: open addressing with linear probing, about 6 bytes an id. Ids with
 * equal hashes may be many; the user tells them apart. Not thread-safe.
 */
final class IntIndex {
    static final int NONE = -1;

    private static final int SLOTS_MIN = 16;
    private static final int GOLDEN = 0x9E3779B9;

    private final IntUnaryOperator hashOf;

    /** An id plus 1, or 0 for free. */
    private int[] slots = new int[SLOTS_MIN];

    private int size;

    /** Makes an index that asks for an id's hash again when it grows or closes a hole. */
    IntIndex(IntUnaryOperator hashOf) {
        this.hashOf = hashOf;
    }

    /** Where to begin looking for a hash: go on with {@link #after} until {@link #at} gives NONE. */
    int slotOf(int hash) {
        // The product's upper half spreads evenly over any number of slots, which need be no power of two.
        return (int) ((Integer.toUnsignedLong(hash * GOLDEN) * slots.length) >>> 32);
    }

    int after(int slot) {
        return slot + 1 == slots.length ? 0 : slot + 1;
    }

    /** The id in a slot, or NONE. */
    int at(int slot) {
        return slots[slot] - 1;
    }

    int size() {
        return size;
    }

    void add(int id, int hash) {
        // At most 4 of 5 slots are taken and room grows by half, so between 53 and 80 % are.
        if ((size + 1) * 5L > slots.length * 4L) {
            resize(slots.length + slots.length / 2);
        }
        place(id, hash);
        size++;
    }

    private void place(int id, int hash) {
        int slot = slotOf(hash);
        while (slots[slot] != 0) {
            slot = after(slot);
        }
        slots[slot] = id + 1;
    }

    private void resize(int length) {
        int[] old = slots;
        slots = new int[length];
        for (int value : old) {
            if (value != 0) {
                place(value - 1, hashOf.applyAsInt(value - 1));
            }
        }
    }

    /** Takes an id out; false when it was not in. */
    boolean remove(int id, int hash) {
        int slot = slotOf(hash);
        while (at(slot) != id) {
            if (slots[slot] == 0) {
                return false;
            }
            slot = after(slot);
        }
        closeHole(slot);
        size--;
        return true;
    }

    /** Moves later ids of the run into the hole, as long as none passes the slot where its search begins. */
    private void closeHole(int hole) {
        int empty = hole;
        for (int slot = after(hole); slots[slot] != 0; slot = after(slot)) {
            int ideal = slotOf(hashOf.applyAsInt(at(slot)));
            boolean reachable = empty <= slot ? ideal <= empty || ideal > slot : ideal <= empty && ideal > slot;
            if (reachable) {
                slots[empty] = slots[slot];
                empty = slot;
            }
        }
        slots[empty] = 0;
    }

    long bytes() {
        return 4L * slots.length;
    }
}
