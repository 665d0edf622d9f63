package io.loomstream.engine.fleet;

import java.util.Arrays;

/**
 * Digests by path, of which only a 64-bit hash is kept: should two paths share one, the wrong digest does not match the files
 * and costs one look. Not thread-safe.
 */
final class KeptDigests {
    private static final long OFFSET = 0xCBF29CE484222325L;
    private static final long PRIME = 0x100000001B3L;

    private long[] hashes = new long[1024];
    private long[] digests = new long[1024];
    private int size;

    void put(byte[] path, long digest) {
        if (digest == DatabaseStamp.UNPROVEN) {
            return;
        }
        if (size * 2 >= hashes.length) {
            grow();
        }
        put(hash(path), digest);
    }

    private void put(long hash, long digest) {
        int slot = slot(hash);
        if (digests[slot] == DatabaseStamp.UNPROVEN) {
            size++;
        }
        hashes[slot] = hash;
        digests[slot] = digest;
    }

    private void grow() {
        long[] oldHashes = hashes;
        long[] oldDigests = digests;
        hashes = new long[oldHashes.length * 2];
        digests = new long[oldHashes.length * 2];
        size = 0;
        for (int i = 0; i < oldHashes.length; i++) {
            if (oldDigests[i] != DatabaseStamp.UNPROVEN) {
                put(oldHashes[i], oldDigests[i]);
            }
        }
    }

    private int slot(long hash) {
        int mask = hashes.length - 1;
        int slot = (int) (hash ^ hash >>> 32) & mask;
        while (digests[slot] != DatabaseStamp.UNPROVEN && hashes[slot] != hash) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }

    /** The digest of a path, or {@link DatabaseStamp#UNPROVEN}. */
    long get(byte[] path) {
        return digests[slot(hash(path))];
    }

    int size() {
        return size;
    }

    /** Gives the memory back. */
    void clear() {
        hashes = new long[2];
        digests = new long[2];
        Arrays.fill(digests, DatabaseStamp.UNPROVEN);
        size = 0;
    }

    /** FNV-1a, with its bits mixed once more. */
    private static long hash(byte[] path) {
        long hash = OFFSET;
        for (byte b : path) {
            hash = (hash ^ (b & 0xFF)) * PRIME;
        }
        hash = (hash ^ hash >>> 30) * 0xBF58476D1CE4E5B9L;
        return hash ^ hash >>> 27;
    }
}
