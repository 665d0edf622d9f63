package io.loomstream.engine.compaction;

import io.loomstream.engine.concurrent.Time;
import java.time.Duration;
import java.time.Instant;

/**
 * The wall clock for those who delete what is old: a jump forward is believed a day after it happened, at once only when it
 * makes things younger. So a clock that goes wrong deletes nothing before somebody had a day to notice, and one that was
 * wrong at the start and was put right does not keep everything for ever. Thread-safe.
 */
final class WaryClock {
    private static final Duration PROBATION = Duration.ofDays(1);
    /** The two clocks are not read at the same moment, and one is slewed. */
    private static final Duration TOLERANCE = Duration.ofMinutes(1);

    private final Time time;
    private Reading trusted;
    private Reading onProbation;

    private record Reading(Instant wall, long nanos) {
        Instant after(long now) {
            return wall.plusNanos(now - nanos);
        }
    }

    WaryClock(Time time) {
        this.time = time;
        this.trusted = new Reading(time.now(), time.nanoTime());
        this.onProbation = trusted;
    }

    /** No later than the wall clock. */
    synchronized Instant now() {
        Reading read = new Reading(time.now(), time.nanoTime());
        Instant unmoved = trusted.after(read.nanos());
        if (!read.wall().isAfter(unmoved)) {
            trusted = read; // also after a jump back: a later one forward is on probation again
            onProbation = read;
            return read.wall();
        }
        if (read.wall().plus(TOLERANCE).isBefore(onProbation.after(read.nanos())) || onProbation.equals(trusted)) {
            onProbation = read;
        } else if (read.nanos() - onProbation.nanos() >= PROBATION.toNanos()) {
            trusted = onProbation;
            onProbation = read;
            Instant believed = trusted.after(read.nanos());
            return read.wall().isBefore(believed) ? read.wall() : believed;
        }
        return unmoved;
    }
}
