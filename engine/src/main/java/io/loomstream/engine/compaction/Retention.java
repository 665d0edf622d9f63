package io.loomstream.engine.compaction;

import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.ReplicaFile;
import io.loomstream.engine.restore.Listing;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeSet;

/**
 * Which files may go: pure functions of what the replica holds. Age decides only how many of the oldest go, TXIDs decide in
 * what order, and whatever the ages are a database keeps its newest snapshot and everything after it.
 */
final class Retention {
    private Retention() {}

    /**
     * L0 files that level 1 holds too: from the oldest up to the first that is young or not merged yet.
     *
     * @param expired files made after this are young
     */
    static List<Stored> expiredL0(LevelIndex index, Instant expired) {
        List<Stored> files = index.level(Level.L0);
        Txid merged = index.reached(new Level(1));
        List<Instant> times = Sources.times(files);
        List<Stored> going = new ArrayList<>();
        // A position can always be taken over from the newest one: it stays.
        for (int i = 0; i < files.size() - 1 && !times.get(i).isAfter(expired); i++) {
            Stored stored = files.get(i);
            if (!stored.max().isAfter(merged) && index.above(stored).isPresent()) {
                going.add(stored);
            }
        }
        return going;
    }

    /**
     * What goes with old snapshots, by level, in the order in which it is to be deleted: the snapshots last, since they tell
     * what else is to go when a deletion was interrupted.
     *
     * @param expired the moment from which on every state can be restored: snapshots before the newest one older than this go
     */
    static Map<Level, List<Stored>> expiredSnapshots(LevelIndex index, Levels levels, Instant expired) {
        List<Stored> snapshots = index.level(Level.SNAPSHOT);
        List<Instant> times = Sources.times(snapshots);
        int made = 0;
        while (made < snapshots.size() && times.get(made).isBefore(expired)) {
            made++;
        }
        // The newest of them holds what the database was then, and all that retention promises begins there.
        int old = made - 1;
        Map<Level, List<Stored>> going = new LinkedHashMap<>();
        if (old <= 0) {
            return going;
        }
        // Not the oldest snapshot kept: a restore that began before may be on its way from the one before to that.
        Txid floor = snapshots.get(old - 1).max();
        for (int number = 1; number <= levels.intervals().size(); number++) {
            List<Stored> files = index.level(new Level(number));
            List<Stored> below = files.stream()
                    .limit(Math.max(0, files.size() - 1))
                    .filter(stored -> stored.max().compareTo(floor) < 0)
                    .toList();
            if (!below.isEmpty()) {
                going.put(new Level(number), below);
            }
        }
        going.put(Level.SNAPSHOT, snapshots.subList(0, old));
        return going;
    }

    /**
     * Whether every point from a TXID on can still be restored after files are gone. By construction it can; asked all the
     * same before anything is deleted.
     */
    static boolean keepsEverythingFrom(Txid from, LevelIndex index, List<Stored> going) {
        Listing before = index.listing();
        List<ReplicaFile> files = going.stream().map(Stored::file).toList();
        NavigableSet<Txid> kept = before.without(new HashSet<>(files)).restorablePoints();
        TreeSet<Txid> lost = new TreeSet<>(before.restorablePoints().tailSet(from, true));
        lost.removeAll(kept);
        return lost.isEmpty();
    }
}
