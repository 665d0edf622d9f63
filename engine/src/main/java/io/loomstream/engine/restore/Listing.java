package io.loomstream.engine.restore;

import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.ReplicaFile;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;

/** What a replica held when it was listed: the files of every level, each level in the order of their ranges. */
public final class Listing {
    private final List<List<ReplicaFile>> levels = new ArrayList<>();

    /** A listing of these files; their order does not matter. */
    public Listing(Collection<ReplicaFile> files) {
        for (int number = 0; number <= Level.SNAPSHOT.number(); number++) {
            Level level = new Level(number);
            levels.add(files.stream()
                    .filter(file -> file.level().equals(level))
                    .sorted(Comparator.comparing(ReplicaFile::range))
                    .toList());
        }
    }

    /**
     * Lists a replica, lowest level first: a file that compaction moves up meanwhile is then seen twice, never not at
     * all.
     */
    public static Listing of(ReplicaClient replica) {
        return of(level -> replica.list(level, Txid.ZERO));
    }

    /** What is needed to plan for a target: the timestamps are the headers' where the target is a time. */
    static Listing of(ReplicaClient replica, Target target) {
        return target instanceof Target.Before ? withHeaderTimes(replica) : of(replica);
    }

    /** As {@link #of(ReplicaClient)}, with the timestamps of the LTX headers; may cost a request a file. */
    public static Listing withHeaderTimes(ReplicaClient replica) {
        return of(level -> replica.listWithHeaderTimes(level, Txid.ZERO));
    }

    private static Listing of(Function<Level, List<ReplicaFile>> list) {
        List<ReplicaFile> files = new ArrayList<>();
        for (int number = 0; number <= Level.SNAPSHOT.number(); number++) {
            files.addAll(list.apply(new Level(number)));
        }
        return new Listing(files);
    }

    /** The same listing as if some files were not there. */
    public Listing without(Collection<ReplicaFile> excluded) {
        return new Listing(files().filter(file -> !excluded.contains(file)).toList());
    }

    public List<ReplicaFile> level(Level level) {
        return levels.get(level.number());
    }

    public boolean isEmpty() {
        return levels.stream().allMatch(List::isEmpty);
    }

    public Stream<ReplicaFile> files() {
        return levels.stream().flatMap(List::stream);
    }

    /** The end of the newest file; empty when there is none. */
    public Optional<Txid> newest() {
        return files().map(file -> file.range().max()).max(Comparator.naturalOrder());
    }

    public Optional<Instant> oldestTime() {
        return files().map(ReplicaFile::createdAt).min(Comparator.naturalOrder());
    }

    public Optional<Instant> newestTime() {
        return files().map(ReplicaFile::createdAt).max(Comparator.naturalOrder());
    }

    /**
     * Every TXID that can be restored: those at which a file ends that starts the history, or that continues, maybe
     * overlapping, another such point.
     */
    public NavigableSet<Txid> restorablePoints() {
        TreeSet<Txid> points = new TreeSet<>();
        List<ReplicaFile> byEnd = files().sorted(
                        Comparator.comparing((ReplicaFile file) -> file.range().max()))
                .toList();
        for (ReplicaFile file : byEnd) {
            Txid before = file.range().min().previous();
            Txid last = points.isEmpty() ? Txid.ZERO : points.last();
            boolean snapshotOnly = file.level().equals(Level.SNAPSHOT) && !before.isZero();
            if (!snapshotOnly && (before.isZero() || before.compareTo(last) <= 0)) {
                points.add(file.range().max());
            }
        }
        return Collections.unmodifiableNavigableSet(points);
    }
}
