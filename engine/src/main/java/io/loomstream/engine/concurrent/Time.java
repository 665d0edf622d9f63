package io.loomstream.engine.concurrent;

import java.time.Duration;
import java.time.Instant;

/** Wall clock, monotonic clock and waiting, injected so that tests can own them. Thread-safe. */
public interface Time {
    /** The wall clock: for timestamps in files, never for measuring. */
    Instant now();

    /** Nanoseconds since an arbitrary moment; never goes back. */
    long nanoTime();

    /** Waits; interruptible. */
    void sleep(Duration duration) throws InterruptedException;

    /** The machine's clocks. */
    static Time system() {
        return SystemTime.INSTANCE;
    }
}
