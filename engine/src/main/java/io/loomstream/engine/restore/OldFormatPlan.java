package io.loomstream.engine.restore;

import io.loomstream.engine.replica.OldFormatStore;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What of a v0.3 replica makes the database at one moment: the newest snapshot that is not after it and the pieces of WAL
 * that follow on it.
 *
 * @param segments in order of index and offset; may be empty
 */
public record OldFormatPlan(OldFormatStore.Snapshot snapshot, List<OldFormatStore.WalSegment> segments) {
    public OldFormatPlan {
        segments = List.copyOf(segments);
    }

    /**
     * The choice that Litestream makes, for a moment inclusive; empty when nothing is that old.
     *
     * @param until empty for the newest state
     */
    static Optional<OldFormatPlan> of(OldFormatStore store, Optional<Instant> until) {
        List<OldFormatStore.Snapshot> snapshots = new ArrayList<>();
        for (String generation : store.generations()) {
            snapshots.addAll(store.snapshots(generation));
        }
        return snapshots.stream()
                .filter(snapshot -> admits(until, snapshot.createdAt()))
                .max(Comparator.comparing(OldFormatStore.Snapshot::createdAt)
                        .thenComparingLong(OldFormatStore.Snapshot::index))
                .map(snapshot -> new OldFormatPlan(
                        snapshot,
                        store.walSegments(snapshot.generation()).stream()
                                .filter(segment ->
                                        segment.index() >= snapshot.index() && admits(until, segment.createdAt()))
                                .toList()));
    }

    private static boolean admits(Optional<Instant> until, Instant createdAt) {
        return until.isEmpty() || !createdAt.isAfter(until.get());
    }

    /** When the newest part was stored. */
    public Instant reachedAt() {
        return Stream.concat(
                        Stream.of(snapshot.createdAt()), segments.stream().map(OldFormatStore.WalSegment::createdAt))
                .max(Comparator.naturalOrder())
                .orElseThrow();
    }

    public long totalBytes() {
        return snapshot.sizeBytes()
                + segments.stream()
                        .mapToLong(OldFormatStore.WalSegment::sizeBytes)
                        .sum();
    }
}
