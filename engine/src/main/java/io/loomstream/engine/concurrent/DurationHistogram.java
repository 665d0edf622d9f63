package io.loomstream.engine.concurrent;

import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;

/**
 * Counts durations in fixed classes from half a millisecond to five minutes: 200 bytes, and two atomic additions a value. What
 * shows it to people reads a {@link Snapshot}. Thread-safe.
 */
public final class DurationHistogram {
    private static final long MILLISECOND = 1_000_000;
    private static final long[] UPPER_NANOS = {
        MILLISECOND / 2,
        MILLISECOND,
        2 * MILLISECOND + MILLISECOND / 2,
        5 * MILLISECOND,
        10 * MILLISECOND,
        25 * MILLISECOND,
        50 * MILLISECOND,
        100 * MILLISECOND,
        250 * MILLISECOND,
        500 * MILLISECOND,
        1_000 * MILLISECOND,
        1_500 * MILLISECOND,
        2_500 * MILLISECOND,
        5_000 * MILLISECOND,
        10_000 * MILLISECOND,
        30_000 * MILLISECOND,
        60_000 * MILLISECOND,
        300_000 * MILLISECOND
    };

    private final AtomicLongArray counts = new AtomicLongArray(UPPER_NANOS.length + 1);
    private final LongAdder sumNanos = new LongAdder();

    /** Counts one duration; a negative one counts as zero. */
    public void record(long nanos) {
        long counted = Math.max(0, nanos);
        int at = 0;
        while (at < UPPER_NANOS.length && counted > UPPER_NANOS[at]) {
            at++;
        }
        counts.incrementAndGet(at);
        sumNanos.add(counted);
    }

    /**
     * The counts at one moment.
     *
     * @param upperSeconds the classes' upper bounds, inclusive; one less than there are classes, since the last has none
     * @param counts how many fell into each class
     * @param sumSeconds all durations together
     */
    @SuppressWarnings("ArrayRecordComponent") // copies of its own, read once
    public record Snapshot(double[] upperSeconds, long[] counts, double sumSeconds) {
        /** How many durations there were. */
        public long count() {
            long sum = 0;
            for (long count : counts) {
                sum += count;
            }
            return sum;
        }
    }

    /** The counts now; not one instant's, others may be counting. */
    public Snapshot snapshot() {
        double[] upper = new double[UPPER_NANOS.length];
        for (int i = 0; i < upper.length; i++) {
            upper[i] = UPPER_NANOS[i] / 1e9;
        }
        long[] now = new long[counts.length()];
        for (int i = 0; i < now.length; i++) {
            now[i] = counts.get(i);
        }
        return new Snapshot(upper, now, sumNanos.sum() / 1e9);
    }
}
