package io.loomstream.engine.replica.s3;

import io.loomstream.engine.concurrent.Time;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * How many requests an endpoint gets at once: all that the gate allows, until it throttles. Then half as many, and half
 * again at most every {@link #BETWEEN_CUTS}; each {@value #SUCCESSES_A_STEP} answers that are not throttled add one. Waiters
 * hold no permit of the gate. Thread-safe; first come, first served.
 */
final class ConcurrencyLimit {
    /** All requests in flight at the moment of throttling are throttled together: that is one signal, not two hundred. */
    static final Duration BETWEEN_CUTS = Duration.ofMillis(500);

    static final int SUCCESSES_A_STEP = 4;

    private final int most;
    private final Time time;
    private final ReentrantLock lock = new ReentrantLock(true);
    private final Condition changed = lock.newCondition();
    // All guarded by lock.
    private int limit;
    private int running;
    private int successes;
    private boolean everCut;
    private long cutAt;

    ConcurrencyLimit(int most, Time time) {
        this.most = most;
        this.limit = most;
        this.time = time;
    }

    void enter() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (running >= limit) {
                changed.await();
            }
            running++;
        } finally {
            lock.unlock();
        }
    }

    void leave() {
        lock.lock();
        try {
            running--;
            changed.signal();
        } finally {
            lock.unlock();
        }
    }

    /** The store answered and did not throttle. */
    void answered() {
        lock.lock();
        try {
            if (limit < most && ++successes >= SUCCESSES_A_STEP) {
                successes = 0;
                limit++;
                changed.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * The store throttled.
     *
     * @return whether it does so although it gets one request at a time
     */
    boolean throttled() {
        lock.lock();
        try {
            boolean least = limit == 1;
            long now = time.nanoTime();
            if (!everCut || now - cutAt >= BETWEEN_CUTS.toNanos()) {
                everCut = true;
                cutAt = now;
                limit = Math.max(1, limit / 2);
                successes = 0;
            }
            return least;
        } finally {
            lock.unlock();
        }
    }

    int limit() {
        lock.lock();
        try {
            return limit;
        } finally {
            lock.unlock();
        }
    }

    int running() {
        lock.lock();
        try {
            return running;
        } finally {
            lock.unlock();
        }
    }
}
