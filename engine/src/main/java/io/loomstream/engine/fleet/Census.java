package io.loomstream.engine.fleet;

import io.loomstream.engine.concurrent.DurationHistogram;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** Counts of what a fleet did. Thread-safe. */
final class Census {
    private static final Duration BETWEEN_LINES = Duration.ofSeconds(30);
    private static final Duration BETWEEN_INCIDENTS = Duration.ofMinutes(10);

    private final Map<Tier, LongAdder> into = new EnumMap<>(Tier.class);
    private final LongAdder unknown = new LongAdder();
    private final LongAdder scans = new LongAdder();
    private final LongAdder scanCpuNanos = new LongAdder();
    private final DurationHistogram scanWall = new DurationHistogram();
    private final AtomicReference<@Nullable PassReport> lastScan = new AtomicReference<>();
    private final AtomicLong saidAt = new AtomicLong(Long.MIN_VALUE);
    // Guarded by this.
    private int missingSaid;
    private long missingSaidAt;
    private boolean missingInThisScan;

    Census() {
        for (Tier tier : Tier.values()) {
            into.put(tier, new LongAdder());
        }
    }

    void moved(Tier from, Tier to) {
        if (from != to) {
            adder(to).increment();
        }
    }

    private LongAdder adder(Tier tier) {
        LongAdder found = into.get(tier);
        if (found == null) {
            throw new IllegalStateException("a tier without a counter: " + tier);
        }
        return found;
    }

    /** How often a database came into a tier. */
    long movedInto(Tier tier) {
        return adder(tier).sum();
    }

    void unknown() {
        unknown.increment();
    }

    void scanned(PassReport report) {
        scans.increment();
        scanCpuNanos.add(report.cpuNanos());
        scanWall.record(report.wallNanos());
        lastScan.set(report);
        synchronized (this) {
            missingSaid = missingInThisScan ? missingSaid : 0;
            missingInThisScan = false;
        }
    }

    /** Whether to say that so many databases are missing: once, when their number changes, and every ten minutes. */
    synchronized boolean worthSaying(int missing, long nowNanos) {
        missingInThisScan = true;
        boolean worth = missing != missingSaid || nowNanos - missingSaidAt >= BETWEEN_INCIDENTS.toNanos();
        if (worth) {
            missingSaid = missing;
            missingSaidAt = nowNanos;
        }
        return worth;
    }

    DurationHistogram.Snapshot scanSeconds() {
        return scanWall.snapshot();
    }

    long scans() {
        return scans.sum();
    }

    /** CPU time of all scans, nanoseconds. */
    long scanCpuNanos() {
        return scanCpuNanos.sum();
    }

    @Nullable
    PassReport lastScan() {
        return lastScan.get();
    }

    /** Whether a line that could come a thousand times may be logged now: one in thirty seconds. */
    boolean worthALine(long nowNanos) {
        long before = saidAt.get();
        return (before == Long.MIN_VALUE || nowNanos - before >= BETWEEN_LINES.toNanos())
                && saidAt.compareAndSet(before, nowNanos);
    }
}
