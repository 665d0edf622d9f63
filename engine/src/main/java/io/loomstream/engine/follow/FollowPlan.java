package io.loomstream.engine.follow;

import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.ReplicaFile;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Chooses what a follower applies next: pure functions of listings. */
final class FollowPlan {
    private static final Comparator<ReplicaFile> FURTHEST_LAST = Comparator.comparing(
                    (ReplicaFile file) -> file.range().max())
            .thenComparing(file -> file.range().min());

    private FollowPlan() {}

    /** TXIDs that no file brings, although there are later ones. */
    record Hole(Txid first, Txid last) {
        @Override
        public String toString() {
            return "TXIDs " + first + " to " + last + " are missing";
        }
    }

    /**
     * The files that lead on from a position without a hole: always the one that reaches furthest. A file may begin at
     * or before the position: a page that it holds has its content at the file's end, so nothing goes back.
     *
     * @param files of levels 0 to 8; others are passed over
     */
    static List<ReplicaFile> chain(Txid from, Collection<ReplicaFile> files) {
        List<ReplicaFile> byStart = files.stream()
                .filter(file -> !file.level().equals(Level.SNAPSHOT))
                .filter(file -> file.range().max().isAfter(from))
                .sorted(Comparator.comparing(ReplicaFile::range))
                .toList();
        List<ReplicaFile> chosen = new ArrayList<>();
        Txid reached = from;
        int next = 0;
        ReplicaFile best = null;
        while (true) {
            while (next < byStart.size() && !byStart.get(next).range().min().isAfter(reached.next())) {
                ReplicaFile file = byStart.get(next++);
                if (best == null || FURTHEST_LAST.compare(file, best) > 0) {
                    best = file;
                }
            }
            if (best == null || !best.range().max().isAfter(reached)) {
                return chosen;
            }
            chosen.add(best);
            reached = best.range().max();
        }
    }

    /** What is missing between a position and the first file of levels 0 to 8 that starts beyond it. */
    static Optional<Hole> hole(Txid from, Collection<ReplicaFile> files) {
        return files.stream()
                .filter(file -> !file.level().equals(Level.SNAPSHOT))
                .map(file -> file.range().min())
                .filter(min -> min.isAfter(from.next()))
                .min(Comparator.naturalOrder())
                .map(min -> new Hole(from.next(), min.previous()));
    }

    /**
     * The newest snapshot that leads past a hole, or, where there is no later file, on from the position. Only for a
     * position from which no chain leads on: a snapshot costs a whole database.
     */
    static Optional<ReplicaFile> rebase(Txid from, Optional<Hole> hole, Collection<ReplicaFile> snapshots) {
        Txid least = hole.map(Hole::last).orElse(from.next());
        return snapshots.stream()
                .filter(file -> file.level().equals(Level.SNAPSHOT))
                .filter(file -> file.range().min().equals(Txid.ONE))
                .filter(file -> file.range().max().compareTo(least) >= 0)
                .max(Comparator.comparing(file -> file.range().max()));
    }
}
