package io.loomstream.engine.concurrent;

import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;

/**
 * A named, fair semaphore: bounds how much work of one kind runs at once, and knows how long it was waited for.
 * Thread-safe.
 */
public final class Gate {
    private final String name;
    private final int permits;
    private final Semaphore semaphore;
    private final LongAdder waitedNanos = new LongAdder();
    private final LongAdder acquired = new LongAdder();
    private final DurationHistogram waits = new DurationHistogram();

    /**
     * Makes a gate.
     *
     * @param name for metrics and messages
     * @param permits how many may be inside at once, at least 1
     */
    public Gate(String name, int permits) {
        if (permits < 1) {
            throw new IllegalArgumentException("gate " + name + " needs at least one permit, not " + permits);
        }
        this.name = name;
        this.permits = permits;
        this.semaphore = new Semaphore(permits, true);
    }

    /** The right to be inside, until closed. Closing twice, or by another thread, does no harm. */
    public interface Permit extends AutoCloseable {
        @Override
        void close();
    }

    /** Waits for a permit; first come, first served. */
    public Permit acquire() throws InterruptedException {
        // Not tryAcquire(): that overtakes those who wait, even with a fair semaphore.
        if (!semaphore.tryAcquire(0, TimeUnit.NANOSECONDS)) {
            long start = System.nanoTime();
            semaphore.acquire();
            long waited = System.nanoTime() - start;
            waitedNanos.add(waited);
            waits.record(waited);
        } else {
            waits.record(0);
        }
        acquired.increment();
        AtomicBoolean inside = new AtomicBoolean(true);
        return () -> {
            if (inside.compareAndSet(true, false)) {
                semaphore.release();
            }
        };
    }

    public String name() {
        return name;
    }

    public int permits() {
        return permits;
    }

    public int inUse() {
        return permits - semaphore.availablePermits();
    }

    /** How many wait now; an estimate. */
    public int waiting() {
        return semaphore.getQueueLength();
    }

    /** How often a permit was given. */
    public long acquisitions() {
        return acquired.sum();
    }

    /** How long each one waited for its permit, those included that did not have to. */
    public DurationHistogram.Snapshot waits() {
        return waits.snapshot();
    }

    /** How long all have waited together, nanoseconds. */
    public long waitedNanos() {
        return waitedNanos.sum();
    }
}
