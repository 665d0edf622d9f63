package io.loomstream.engine.follow;

import io.loomstream.engine.concurrent.Time;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * SQLite's locks on a database file in rollback-journal mode, taken in SQLite's order (sqlite.org/lockingv3.html; os.h,
 * os_unix.c): SHARED, RESERVED, PENDING, EXCLUSIVE. Java's file locks are POSIX record locks, the kind SQLite itself
 * uses; so they exclude other processes only, and are lost when this process closes any descriptor of the file.
 *
 * <p>Not thread-safe.
 */
final class PagerLocks {
    private static final long PENDING = 0x4000_0000L;
    private static final long RESERVED = PENDING + 1;
    private static final long SHARED_FIRST = PENDING + 2;
    private static final long SHARED_LENGTH = 510;

    private static final Duration PAUSE = Duration.ofMillis(5);

    private final FileChannel database;
    private final Time time;
    private @Nullable FileLock shared;
    private @Nullable FileLock reserved;
    private @Nullable FileLock pending;
    private @Nullable FileLock exclusive;

    PagerLocks(FileChannel database, Time time) {
        this.database = database;
        this.time = time;
    }

    /** Waits to become a reader; false when a writer held everybody off all the time. */
    boolean lockShared(Duration patience) throws IOException, InterruptedException {
        return within(patience, this::tryShared);
    }

    /** From reader to the one that will write; readers still come and go. False when somebody else is that one. */
    boolean lockReserved(Duration patience) throws IOException, InterruptedException {
        return within(patience, () -> {
            reserved = database.tryLock(RESERVED, 1, false);
            return reserved != null;
        });
    }

    /**
     * Keeps new readers out and waits until the last one has gone. False when one stayed longer than that; new ones are
     * let in again.
     */
    boolean lockExclusive(Duration patience) throws IOException, InterruptedException {
        boolean first = within(patience, () -> {
            pending = database.tryLock(PENDING, 1, false);
            return pending != null;
        });
        if (!first) {
            return false;
        }
        // Java cannot turn a shared lock into an exclusive one. Without it nothing is lost: RESERVED keeps writers and
        // rollbacks out, PENDING readers.
        shared = release(shared);
        boolean alone = within(patience, () -> {
            exclusive = database.tryLock(SHARED_FIRST, SHARED_LENGTH, false);
            return exclusive != null;
        });
        if (!alone) {
            pending = release(pending);
        }
        return alone;
    }

    /** Gives up everything, the most exclusive lock last so that nobody sees a state in between. */
    void releaseAll() throws IOException {
        shared = release(shared);
        reserved = release(reserved);
        exclusive = release(exclusive);
        pending = release(pending);
    }

    private boolean tryShared() throws IOException {
        // A writer that waits for readers to go holds PENDING: a new reader that came all the same would starve it.
        FileLock gate = database.tryLock(PENDING, 1, true);
        if (gate == null) {
            return false;
        }
        try {
            shared = database.tryLock(SHARED_FIRST, SHARED_LENGTH, true);
            return shared != null;
        } finally {
            gate.release();
        }
    }

    private static @Nullable FileLock release(@Nullable FileLock lock) throws IOException {
        if (lock != null) {
            lock.release();
        }
        return null;
    }

    @FunctionalInterface
    private interface Attempt {
        boolean succeeds() throws IOException;
    }

    private boolean within(Duration patience, Attempt attempt) throws IOException, InterruptedException {
        long began = time.nanoTime();
        while (!attempt.succeeds()) {
            if (time.nanoTime() - began >= patience.toNanos()) {
                return false;
            }
            time.sleep(PAUSE);
        }
        return true;
    }
}
