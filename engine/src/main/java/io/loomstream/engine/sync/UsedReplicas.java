package io.loomstream.engine.sync;

import java.nio.file.Path;
import java.util.Arrays;

/**
 * Which databases have told this process where their replica stands. One that comes back from cold and finds that its replica
 * went on without it has met another server: to take that over, as after a fail-over, is for the next start only.
 *
 * <p>Takes 8 to 16 bytes for each such database, whichever tier it is in. Thread-safe.
 */
public final class UsedReplicas {
    private static final int ROOM_AT_FIRST = 64;
    private static final long FREE = 0;

    // Guarded by this. Open addressing; at most half is taken.
    private long[] marks = new long[ROOM_AT_FIRST];
    private int size;

    /** Takes note. */
    public synchronized void add(Path database, String replica) {
        if (2 * (size + 1) > marks.length) {
            long[] old = marks;
            marks = new long[2 * old.length];
            Arrays.stream(old).filter(mark -> mark != FREE).forEach(mark -> marks[place(mark)] = mark);
        }
        long mark = mark(database, replica);
        int place = place(mark);
        if (marks[place] == FREE) {
            marks[place] = mark;
            size++;
        }
    }

    /** Whether it was noted; wrong for one in 2^64 that were not. */
    public synchronized boolean contains(Path database, String replica) {
        return marks[place(mark(database, replica))] != FREE;
    }

    private int place(long mark) {
        int place = (int) (mark ^ mark >>> 32) & marks.length - 1;
        while (marks[place] != FREE && marks[place] != mark) {
            place = place + 1 & marks.length - 1;
        }
        return place;
    }

    /** 64 bits of FNV-1a. */
    private static long mark(Path database, String replica) {
        long hash = 0xcbf29ce484222325L;
        String both = database + "\0" + replica;
        for (int i = 0; i < both.length(); i++) {
            hash = (hash ^ both.charAt(i)) * 0x100000001b3L;
        }
        return hash == FREE ? 1 : hash;
    }
}
