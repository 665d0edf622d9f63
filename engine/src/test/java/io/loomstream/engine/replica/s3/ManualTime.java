package io.loomstream.engine.replica.s3;

import io.loomstream.engine.concurrent.Time;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;

/** Time that passes when told to, and by sleeping. */
final class ManualTime implements Time {
    private final AtomicLong nanos = new AtomicLong(1_000_000_000L);

    @Override
    public Instant now() {
        return Instant.EPOCH.plusNanos(nanos.get());
    }

    @Override
    public long nanoTime() {
        return nanos.get();
    }

    @Override
    public void sleep(Duration duration) {
        pass(duration);
    }

    void pass(Duration duration) {
        nanos.addAndGet(duration.toNanos());
    }
}
