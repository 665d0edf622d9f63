package io.loomstream.engine.compaction;

import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * When what is to be done next: a pure function of what the replica holds. Boundaries are Litestream's, and work is due at
 * the first one after what it is about; each database lags by its own share of a tenth of the interval, so that they do not
 * all work at the same moment, and a higher level always comes after those below it.
 *
 * <p>A file's timestamp is never taken to be later than those of the files after it: clocks jump, TXIDs do not. One that
 * lies in the future says nothing: it is due now and it has not expired.
 */
final class Schedule {
    private static final double JITTER = 0.1;
    private static final Duration SPREAD = Duration.ofSeconds(30);

    private final Levels levels;
    private final double share;
    private final Instant now;

    /**
     * A schedule for one moment.
     *
     * @param share of the jitter that is this database's, in [0, 1)
     */
    Schedule(Levels levels, double share, Instant now) {
        this.levels = levels;
        this.share = share;
        this.now = now;
    }

    /** Something to do. */
    record Due(Task task, Instant at) {}

    /** What there may be to do; the order in which it is done. */
    sealed interface Task {
        /** Give a level what the one below has. */
        record Compact(Level level) implements Task {}

        /** Delete L0 files that level 1 holds too. */
        record TrimL0() implements Task {}

        /** Make a snapshot. */
        record Snapshot() implements Task {}

        /** Delete old snapshots and what only they needed. */
        record TrimSnapshots() implements Task {}
    }

    /** Everything that is to be done some time, in the order in which it is to be done when several are due. */
    List<Due> all(LevelIndex index) {
        List<Due> due = new ArrayList<>();
        for (int number = 1; number <= levels.intervals().size(); number++) {
            Level level = new Level(number);
            Sources.worthMerging(index, level)
                    .ifPresent(first -> due.add(
                            new Due(new Task.Compact(level), after(time(index, first), levels.interval(level)))));
        }
        trimL0(index).ifPresent(at -> due.add(new Due(new Task.TrimL0(), at)));
        snapshot(index).ifPresent(at -> due.add(new Due(new Task.Snapshot(), at)));
        trimSnapshots(index).ifPresent(at -> due.add(new Due(new Task.TrimSnapshots(), at)));
        return due;
    }

    /** When the first of it is due; empty when there is nothing to do before the database changes. */
    static Optional<Instant> first(List<Due> due) {
        return due.stream().map(Due::at).min(Comparator.naturalOrder());
    }

    private Optional<Instant> trimL0(LevelIndex index) {
        if (levels.l0().retention().isZero()) {
            return Optional.empty();
        }
        List<Stored> files = index.level(Level.L0);
        if (files.size() < 2 || files.getFirst().max().isAfter(index.reached(new Level(1)))) {
            return Optional.empty();
        }
        Instant expires = plus(time(index, files.getFirst()), levels.l0().retention());
        return Optional.of(after(expires, trimInterval()));
    }

    /** At the boundaries of level 1 where they are not too far apart: one turn then merges and deletes. */
    private Duration trimInterval() {
        Duration check = levels.l0().checkInterval();
        if (levels.intervals().isEmpty()) {
            return check;
        }
        Duration first = levels.intervals().getFirst();
        boolean together =
                first.compareTo(check) > 0 && first.compareTo(levels.l0().retention()) <= 0;
        return together ? first : check;
    }

    private Optional<Instant> snapshot(LevelIndex index) {
        Optional<Stored> newest = index.newest(Level.SNAPSHOT);
        Optional<Stored> firstChange = firstAfterSnapshots(index);
        if (firstChange.isEmpty()) {
            return Optional.empty();
        }
        Instant changed = time(index, firstChange.get());
        Instant since = newest.map(snapshot -> time(index, snapshot))
                .filter(made -> made.isAfter(changed))
                .orElse(changed);
        return Optional.of(after(since, levels.snapshots().interval()));
    }

    /** A file that begins at the first TXID is as good as a snapshot, as the first copy of a database is. */
    private Optional<Stored> firstAfterSnapshots(LevelIndex index) {
        Txid whole = index.reached(Level.SNAPSHOT).max(index.reachedFromTheFirst());
        List<Stored> files = new ArrayList<>();
        for (int number = 0; number < Level.SNAPSHOT.number(); number++) {
            for (Stored stored : index.level(new Level(number))) {
                if (stored.max().isAfter(whole)) {
                    files.add(stored);
                    break;
                }
            }
        }
        return files.stream().min(Comparator.comparing(Stored::max));
    }

    private Optional<Instant> trimSnapshots(LevelIndex index) {
        List<Stored> snapshots = index.level(Level.SNAPSHOT);
        if (snapshots.size() < 2) {
            return Optional.empty();
        }
        // The first one goes when the second is old enough to be where all retained states begin.
        Instant expires = plus(time(index, snapshots.get(1)), levels.snapshots().retention());
        return Optional.of(after(expires, levels.snapshots().interval()));
    }

    /** The next boundary, and this database's lag; a moment in the future counts as long past. */
    private Instant after(Instant moment, Duration interval) {
        if (moment.equals(Instant.EPOCH)) {
            return Instant.EPOCH;
        }
        return Levels.boundaryAfter(moment, interval).plus(lag(interval, share));
    }

    /**
     * How far behind a boundary a database's work is done: a thousand merges in three seconds would need a hundred megabytes
     * of memory, in thirty they need next to none.
     *
     * @param share of the database, in [0, 1)
     */
    static Duration lag(Duration interval, double share) {
        double millis = interval.toMillis();
        double spread = Math.max(millis * JITTER, Math.min(millis, (double) SPREAD.toMillis()));
        return Duration.ofMillis((long) (spread * share));
    }

    /** {@link Instant#EPOCH} stands for "due at once". */
    private Instant time(LevelIndex index, Stored stored) {
        Instant time = Sources.time(index.level(stored.file().level()), stored);
        return time.isAfter(now) ? Instant.EPOCH : time;
    }

    /** What lies in the future is not known to expire at any time: looked at again after the whole retention. */
    private Instant plus(Instant time, Duration retention) {
        return (time.equals(Instant.EPOCH) ? now : time).plus(retention);
    }
}
