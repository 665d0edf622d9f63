package io.loomstream.engine.sqlite;

import io.loomstream.engine.concurrent.Time;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The connections that nobody uses at the moment, those idle the longest first. Each belongs to its {@link DatabaseFiles},
 * which alone may close it: whoever wants one closed asks there. Thread-safe.
 */
final class IdleConnections {
    private static final long SHORTEST_WAIT_NANOS = 1_000_000;

    private final Time time;
    private final Duration timeout;
    private final ReentrantLock lock = new ReentrantLock();
    /** Guarded by the lock; in the order in which they became idle. */
    private final Set<Idle> idle = new LinkedHashSet<>();

    IdleConnections(Time time, Duration timeout) {
        this.time = time;
        this.timeout = timeout;
    }

    /** A connection outside of any transaction. Compared by identity. */
    static final class Idle {
        private final DatabaseFiles owner;
        private final SqliteConnection connection;
        private final long since;

        private Idle(DatabaseFiles owner, SqliteConnection connection, long since) {
            this.owner = owner;
            this.connection = connection;
            this.since = since;
        }

        SqliteConnection connection() {
            return connection;
        }
    }

    Idle add(DatabaseFiles owner, SqliteConnection connection) {
        lock.lock();
        try {
            Idle added = new Idle(owner, connection, time.nanoTime());
            idle.add(added);
            return added;
        } finally {
            lock.unlock();
        }
    }

    void remove(Idle which) {
        lock.lock();
        try {
            idle.remove(which);
        } finally {
            lock.unlock();
        }
    }

    int size() {
        lock.lock();
        try {
            return idle.size();
        } finally {
            lock.unlock();
        }
    }

    private @Nullable Idle oldest() {
        lock.lock();
        try {
            Iterator<Idle> all = idle.iterator();
            return all.hasNext() ? all.next() : null;
        } finally {
            lock.unlock();
        }
    }

    /** Closes the one that is idle the longest; false when there is none. */
    boolean closeOldest() {
        while (true) {
            Idle oldest = oldest();
            if (oldest == null) {
                return false;
            }
            if (oldest.owner.closeIdle(oldest)) {
                return true;
            }
        }
    }

    /** Closes what is idle for too long; how many that were. */
    int closeExpired() {
        int closed = 0;
        while (true) {
            Idle oldest = oldest();
            if (oldest == null || time.nanoTime() - oldest.since < timeout.toNanos()) {
                return closed;
            }
            if (oldest.owner.closeIdle(oldest)) {
                closed++;
            }
        }
    }

    /** Until the next one expires, or could if it became idle now. */
    Duration untilNext() {
        Idle oldest = oldest();
        long idleNanos = oldest == null ? 0 : time.nanoTime() - oldest.since;
        return Duration.ofNanos(Math.max(SHORTEST_WAIT_NANOS, timeout.toNanos() - idleNanos));
    }
}
