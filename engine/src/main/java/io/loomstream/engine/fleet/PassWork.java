package io.loomstream.engine.fleet;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What is to be done in one pass: every directory known at its beginning, those found meanwhile, and the part of the sweep
 * that falls to this pass. Thread-safe.
 */
final class PassWork {
    private static final int NONE = -1;

    private final AtomicInteger next = new AtomicInteger();
    private final int directories;
    private final ConcurrentLinkedQueue<Integer> found = new ConcurrentLinkedQueue<>();
    private final Window directoryWindow;
    private final Window rowWindow;

    PassWork(int directories, Window directoryWindow, Window rowWindow) {
        this.directories = directories;
        this.directoryWindow = directoryWindow;
        this.rowWindow = rowWindow;
    }

    /** A run of ids that begins anywhere and goes on from 0 at the end. */
    record Window(int from, int count, int limit) {
        boolean contains(int id) {
            int distance = id - from;
            return (distance < 0 ? distance + limit : distance) < count;
        }

        static Window everything() {
            return new Window(0, Integer.MAX_VALUE, Integer.MAX_VALUE);
        }

        /** So many of all, from where the last one ended. */
        static Window after(int from, int count, int limit) {
            return new Window(limit == 0 ? 0 : from % limit, Math.min(count, limit), limit);
        }

        int end() {
            return limit == 0 ? 0 : (int) (((long) from + count) % limit);
        }
    }

    /** The next directory to visit, or -1 when none is left that this thread could take. */
    int take() {
        Integer one = found.poll();
        if (one != null) {
            return one;
        }
        int id = next.getAndIncrement();
        return id < directories ? id : NONE;
    }

    void found(int directory) {
        found.add(directory);
    }

    boolean sweepsDirectory(int directory) {
        return directoryWindow.contains(directory);
    }

    boolean sweepsRow(int row) {
        return rowWindow.contains(row);
    }
}
