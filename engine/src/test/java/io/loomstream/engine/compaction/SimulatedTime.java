package io.loomstream.engine.compaction;

import io.loomstream.engine.concurrent.Time;
import java.time.Duration;
import java.time.Instant;

/** Clocks that stand still until they are moved. */
final class SimulatedTime implements Time {
    static final Instant START = Instant.parse("2026-03-01T10:00:00Z");
    private long nanos;
    private Duration jumps = Duration.ZERO;

    @Override
    public Instant now() {
        return START.plusNanos(nanos).plus(jumps);
    }

    @Override
    public long nanoTime() {
        return nanos;
    }

    @Override
    public void sleep(Duration duration) {
        nanos += duration.toNanos();
    }

    /** Somebody sets the wall clock. */
    void jump(Duration by) {
        jumps = jumps.plus(by);
    }

    void goTo(long later) {
        nanos = Math.max(nanos, later);
    }
}
