package io.loomstream.engine.sync;

import java.time.Duration;

/**
 * How long to wait after failures in a row, and when to say so again: doubling to five minutes, at most one line in thirty
 * seconds. One task at a time.
 */
final class Backoff {
    private static final Duration LONGEST = Duration.ofMinutes(5);
    private static final Duration BETWEEN_LINES = Duration.ofSeconds(30);

    private final Duration first;
    private Duration next;
    private boolean said;
    private long saidAt;
    private int failures;

    Backoff(Duration first) {
        this.first = first;
        this.next = first;
    }

    /** The wait after one more failure. */
    Duration failed() {
        failures++;
        Duration wait = next;
        next = next.multipliedBy(2).compareTo(LONGEST) > 0 ? LONGEST : next.multipliedBy(2);
        return wait;
    }

    /** Whether this failure should be logged. */
    boolean worthALine(long nowNanos) {
        if (said && nowNanos - saidAt < BETWEEN_LINES.toNanos()) {
            return false;
        }
        said = true;
        saidAt = nowNanos;
        return true;
    }

    int failures() {
        return failures;
    }

    /** Back to normal; true when there had been a failure. */
    boolean succeeded() {
        boolean had = failures > 0;
        failures = 0;
        next = first;
        said = false;
        return had;
    }
}
