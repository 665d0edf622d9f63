package io.loomstream.engine.compaction;

import io.loomstream.engine.ltx.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * How the files of one replica are merged and how long they are kept. Immutable.
 *
 * @param intervals of levels 1, 2, …: how often each is given what the level below has; each positive, at most eight
 * @param snapshots of level 9
 * @param l0 of the files of single syncs
 * @param deletes whether files that are no longer needed are deleted from the replica; false: something else does that
 * @param verifies whether a level is listed after each compaction and compared with what it should hold
 * @param validationInterval how often the levels of a database that changed are listed and looked over; zero: never
 */
public record Levels(
        List<Duration> intervals,
        Snapshots snapshots,
        L0 l0,
        boolean deletes,
        boolean verifies,
        Duration validationInterval) {
    public static final int LEVELS_MAX = Level.SNAPSHOT.number() - 1;
    public static final List<Duration> DEFAULT_INTERVALS =
            List.of(Duration.ofSeconds(30), Duration.ofMinutes(5), Duration.ofHours(1));

    private static final int NANOS_OF_MILLI = 1_000_000;

    /** From 0001-01-01T00:00:00Z, the year that Go counts from, to 1970; decides about intervals that do not divide a day. */
    private static final Duration YEAR_ONE_TO_EPOCH = Duration.ofDays(719_162);

    public Levels {
        intervals = List.copyOf(intervals);
        for (int i = 0; i < intervals.size(); i++) {
            requirePositive("compaction interval of level " + (i + 1), intervals.get(i));
        }
        if (intervals.size() > LEVELS_MAX) {
            throw new IllegalArgumentException(
                    "at most " + LEVELS_MAX + " compaction levels are possible (got " + intervals.size() + ")");
        }
        if (validationInterval.isNegative()) {
            throw new IllegalArgumentException("validation interval must be >= 0 (got " + validationInterval + ")");
        }
    }

    /**
     * Of level 9.
     *
     * @param interval between two snapshots of a database that changes
     * @param retention how old a snapshot may be; the newest one stays whatever its age is
     */
    public record Snapshots(Duration interval, Duration retention) {
        public static final Snapshots DEFAULT = new Snapshots(Duration.ofHours(24), Duration.ofHours(24));

        public Snapshots {
            requirePositive("snapshot interval", interval);
            requirePositive("snapshot retention", retention);
        }
    }

    /**
     * Of level 0.
     *
     * @param retention how long files are kept at least that level 1 holds too; zero: for ever
     * @param checkInterval how often that is looked at, for a database that has such files
     */
    public record L0(Duration retention, Duration checkInterval) {
        public static final L0 DEFAULT = new L0(Duration.ofMinutes(5), Duration.ofSeconds(15));

        public L0 {
            if (retention.isNegative()) {
                throw new IllegalArgumentException("L0 retention must not be negative (got " + retention + ")");
            }
            requirePositive("L0 retention check interval", checkInterval);
        }
    }

    private static void requirePositive(String what, Duration value) {
        if (!value.isPositive()) {
            throw new IllegalArgumentException(what + " must be greater than 0 (got " + value + ")");
        }
    }

    /** Litestream's: three levels, a snapshot a day that is kept for a day. */
    public static Levels defaults() {
        return new Levels(DEFAULT_INTERVALS, Snapshots.DEFAULT, L0.DEFAULT, true, false, Duration.ZERO);
    }

    public Levels withIntervals(List<Duration> intervals) {
        return new Levels(intervals, snapshots, l0, deletes, verifies, validationInterval);
    }

    public Levels withSnapshots(Snapshots snapshots) {
        return new Levels(intervals, snapshots, l0, deletes, verifies, validationInterval);
    }

    public Levels withL0(L0 l0) {
        return new Levels(intervals, snapshots, l0, deletes, verifies, validationInterval);
    }

    public Levels withDeletes(boolean deletes) {
        return new Levels(intervals, snapshots, l0, deletes, verifies, validationInterval);
    }

    public Levels withVerifies(boolean verifies) {
        return new Levels(intervals, snapshots, l0, deletes, verifies, validationInterval);
    }

    public Levels withValidationInterval(Duration validationInterval) {
        return new Levels(intervals, snapshots, l0, deletes, verifies, validationInterval);
    }

    /** The highest level that compaction fills. */
    Level highest() {
        return new Level(intervals.size());
    }

    Duration interval(Level level) {
        return level.equals(Level.SNAPSHOT) ? snapshots.interval() : intervals.get(level.number() - 1);
    }

    /** The last multiple of an interval, counted as Go does, that is not after a moment. */
    static Instant boundary(Instant moment, Duration interval) {
        if (interval.toNanosPart() % NANOS_OF_MILLI == 0) { // asked for at every upload: no long division
            long millis = moment.toEpochMilli();
            long over = Math.floorMod(millis + YEAR_ONE_TO_EPOCH.toMillis(), interval.toMillis());
            return Instant.ofEpochMilli(millis - over);
        }
        Duration sinceYearOne = Duration.between(Instant.EPOCH, moment).plus(YEAR_ONE_TO_EPOCH);
        return moment.minus(remainder(sinceYearOne, interval));
    }

    /** The first such multiple after a moment. */
    static Instant boundaryAfter(Instant moment, Duration interval) {
        return boundary(moment, interval).plus(interval);
    }

    private static Duration remainder(Duration value, Duration divisor) {
        return value.minus(divisor.multipliedBy(value.dividedBy(divisor)));
    }
}
