package io.loomstream.engine.fleet;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.PriorityQueue;

/**
 * Databases that failed and are tried again: after the hot interval's length at first, then twice as long each time, up to
 * five minutes, spread by a quarter. Not thread-safe.
 */
final class Retries {
    private static final Duration FIRST = Duration.ofSeconds(2);
    private static final Duration LONGEST = Duration.ofMinutes(5);
    private static final double SPREAD = 0.25;

    private final PriorityQueue<Due> due = new PriorityQueue<>((a, b) -> Long.compare(a.nanos - b.nanos, 0));
    private final Map<Integer, Failure> failures = new HashMap<>();

    private record Due(int row, long nanos) {}

    /**
     * What is known about a failing database.
     *
     * @param count failures in a row
     * @param why the last one
     */
    record Failure(int count, String why) {}

    /**
     * Notes a failure.
     *
     * @param now of the monotonic clock, nanoseconds
     * @param random in [0, 1)
     */
    void failed(int row, String why, long now, double random) {
        Failure before = failures.get(row);
        int count = before == null ? 1 : before.count() + 1;
        failures.put(row, new Failure(count, why));
        long wait = Math.min(LONGEST.toNanos(), FIRST.toNanos() << Math.min(count - 1, 20));
        due.add(new Due(row, now + (long) (wait * (1 - SPREAD * random))));
    }

    /** The next row that is due, or {@link RowQueue#NONE}; its failures are remembered until {@link #forget}. */
    int poll(long now) {
        Due first = due.peek();
        if (first == null || first.nanos - now > 0) {
            return RowQueue.NONE;
        }
        due.remove();
        return first.row;
    }

    /** Nanoseconds until a row is due; {@code Long.MAX_VALUE} when there is none. */
    long untilNext(long now) {
        Due first = due.peek();
        return first == null ? Long.MAX_VALUE : Math.max(0, first.nanos - now);
    }

    /** Takes a row out of those that wait, without forgetting its failures; false when it does not wait. */
    boolean take(int row) {
        return due.removeIf(waiting -> waiting.row == row);
    }

    /** It succeeded, or is gone. */
    void forget(int row) {
        failures.remove(row);
    }

    /** Null when the row has not failed. */
    @org.jspecify.annotations.Nullable
    Failure failure(int row) {
        return failures.get(row);
    }

    int size() {
        return failures.size();
    }
}
