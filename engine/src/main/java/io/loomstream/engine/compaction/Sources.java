package io.loomstream.engine.compaction;

import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Which files of a level the next one is to be given.
 *
 * <p>They begin right after what the next level has, or overlap it. Where they do not, there is a hole, and the level may go on behind it
 * only if a snapshot bridges it: a file across a hole would claim TXIDs that it does not hold.
 */
sealed interface Sources {
    /** Nothing new. */
    record None() implements Sources {}

    /**
     * Files to merge, in order.
     *
     * @param afterHole whether the level lacks TXIDs before them, which a snapshot bridges
     */
    record Run(List<Stored> files, boolean afterHole) implements Sources {
        public Run {
            files = List.copyOf(files);
        }
    }

    /**
     * A hole that nothing bridges.
     *
     * @param first the first TXID that is missing
     * @param last the last one
     */
    record Hole(Txid first, Txid last) implements Sources {}

    /**
     * The first file that a level was not given yet; empty when there is none, and when there is only one: alone it would
     * become its own twin one level up, and whoever restores reads one file either way. Behind a hole it is worth
     * the try, which finds the hole.
     */
    static Optional<Stored> worthMerging(LevelIndex index, Level level) {
        Txid reached = index.reached(level);
        List<Stored> news = index.level(new Level(level.number() - 1)).stream()
                .filter(stored -> stored.max().isAfter(reached))
                .limit(2)
                .toList();
        boolean follows = news.isEmpty() || !news.getFirst().min().isAfter(reached.next());
        return news.size() == 1 && follows ? Optional.empty() : news.stream().findFirst();
    }

    /**
     * Chooses: what came within one interval becomes one file, and what came in another does not get lost in it, however
     * late it is.
     *
     * @param level the one to write to, 1 to 8
     * @param interval how far its boundaries are apart
     * @param unusable files that were found damaged: they count as missing
     */
    static Sources next(LevelIndex index, Level level, Duration interval, Unusable unusable) {
        Txid reached = index.reached(level);
        List<Stored> candidates = index.level(new Level(level.number() - 1)).stream()
                .filter(stored -> stored.max().isAfter(reached) && !unusable.contains(stored))
                .toList();
        if (candidates.isEmpty()) {
            return new None();
        }
        Txid first = candidates.getFirst().min();
        boolean hole = first.isAfter(reached.next());
        if (hole && !bridged(index, first)) {
            return new Hole(reached.next(), first.previous());
        }
        List<Instant> times = times(candidates);
        Instant boundary = Levels.boundaryAfter(times.getFirst(), interval);
        List<Stored> run = new ArrayList<>();
        Txid end = first.previous();
        for (int i = 0; i < candidates.size(); i++) {
            Stored candidate = candidates.get(i);
            if (candidate.min().isAfter(end.next())
                    || (!run.isEmpty() && !times.get(i).isBefore(boundary))) {
                break; // what is behind a hole or a boundary is the next run's
            }
            if (candidate.max().isAfter(end)) {
                run.add(candidate);
                end = candidate.max();
            }
        }
        return new Run(run, hole);
    }

    private static boolean bridged(LevelIndex index, Txid first) {
        return index.level(Level.SNAPSHOT).stream()
                .anyMatch(snapshot -> !first.isAfter(snapshot.max().next()));
    }

    /** The timestamps of a level's files; each no later than that of any file after it. */
    static List<Instant> times(List<Stored> level) {
        Instant[] times = new Instant[level.size()];
        Instant earliest = Instant.MAX;
        for (int i = times.length - 1; i >= 0; i--) {
            Instant time = level.get(i).file().createdAt();
            earliest = time.isBefore(earliest) ? time : earliest;
            times[i] = earliest;
        }
        return List.of(times);
    }

    /** The one of these timestamps that a file of the level has. */
    static Instant time(List<Stored> level, Stored stored) {
        Instant earliest = Instant.MAX;
        for (Stored file : level.reversed()) {
            Instant time = file.file().createdAt();
            earliest = time.isBefore(earliest) ? time : earliest;
            if (file.equals(stored)) {
                break;
            }
        }
        return earliest;
    }
}
