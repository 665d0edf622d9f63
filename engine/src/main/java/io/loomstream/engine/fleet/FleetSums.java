package io.loomstream.engine.fleet;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.sync.ReplicatedDatabase;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Sums over all rows of all fleets, made when they are asked for: nothing is counted while nobody looks. Thread-safe. */
@SuppressWarnings("EnumOrdinal") // columns of a table in memory
final class FleetSums {
    private static final int STRIDE = 4_096;
    private static final Tier[] TIERS = Tier.values();

    private final Replication replication;
    private final ProjectIndex projects;
    private final Instant started;

    FleetSums(Replication replication, ProjectIndex projects, Instant started) {
        this.replication = replication;
        this.projects = projects;
        this.started = started;
    }

    /** What is done with each row, under the path table's lock. */
    private interface Visitor {
        void visit(PathTable.Locked locked, int row);
    }

    private static void each(Fleet fleet, Visitor visitor) {
        int row = 0;
        while (true) {
            try (PathTable.Locked locked = fleet.table().lock()) {
                Rows rows = locked.rows();
                int end = Math.min(rows.limit(), row + STRIDE);
                for (; row < end; row++) {
                    if (rows.isLive(row)) {
                        visitor.visit(locked, row);
                    }
                }
                if (row >= rows.limit()) {
                    return;
                }
            }
        }
    }

    // ---- by project

    private static final class Table {
        private int[] counts = new int[64 * TIERS.length];
        private long[] lagNanos = new long[64];

        private void ensureRoom(int group) {
            if (group >= lagNanos.length) {
                int groups = Math.max(group + 1, lagNanos.length * 2);
                counts = Arrays.copyOf(counts, groups * TIERS.length);
                lagNanos = Arrays.copyOf(lagNanos, groups);
            }
        }

        void count(int group, Tier tier) {
            ensureRoom(group);
            counts[group * TIERS.length + tier.ordinal()]++;
        }

        void lag(int group, long nanos) {
            ensureRoom(group);
            lagNanos[group] = Math.max(lagNanos[group], nanos);
        }
    }

    ProjectCounts projects() {
        Table table = new Table();
        for (Fleet fleet : replication.fleets()) {
            each(
                    fleet,
                    (locked, row) ->
                            table.count(group(locked, row), locked.rows().tier(row)));
            for (LiveDatabase live : fleet.tiers().live()) {
                long lag = live.database().status().lag().toNanos();
                try (PathTable.Locked locked = fleet.table().lock()) {
                    if (locked.rows().isLive(live.row())) {
                        table.lag(group(locked, live.row()), lag);
                    }
                }
            }
        }
        return counts(table);
    }

    private int group(PathTable.Locked locked, int row) {
        return projects.groupOf(locked.directories(), locked.rows().directory(row));
    }

    private ProjectCounts counts(Table table) {
        List<ProjectCounts.Group> groups = projects.groups();
        List<ProjectCounts.Count> counts = new ArrayList<>();
        for (int group = 0; group < Math.min(groups.size(), table.lagNanos.length); group++) {
            Map<Tier, Integer> tiers = new EnumMap<>(Tier.class);
            for (Tier tier : TIERS) {
                int count = table.counts[group * TIERS.length + tier.ordinal()];
                if (count > 0) {
                    tiers.put(tier, count);
                }
            }
            if (!tiers.isEmpty()) {
                counts.add(new ProjectCounts.Count(groups.get(group), tiers, Duration.ofNanos(table.lagNanos[group])));
            }
        }
        return new ProjectCounts(counts);
    }

    // ---- health

    private static final class Worst {
        private Duration unproven = Duration.ZERO;
        private Optional<DatabaseId> database = Optional.empty();

        void meet(Duration candidate, DatabaseId id) {
            if (candidate.compareTo(unproven) > 0) {
                unproven = candidate;
                database = Optional.of(id);
            }
        }
    }

    FleetHealth health() {
        Worst worst = new Worst();
        boolean ready = !replication.broken();
        for (ReplicatedDatabase database : replication.named()) {
            if (database.interval().isPresent()) {
                worst.meet(
                        database.status().looks().sinceProven(),
                        DatabaseId.of(database.path().toString()));
            }
        }
        for (Fleet fleet : replication.fleets()) {
            ready &= fleet.firstPassOver();
            waiting(fleet, worst);
            for (LiveDatabase live : fleet.tiers().live()) {
                worst.meet(
                        unproven(fleet, live),
                        DatabaseId.of(live.database().path().toString()));
            }
        }
        return new FleetHealth(replication.broken(), ready, worst.unproven, worst.database);
    }

    /** A database that is served again after a failure counts from its last write: another try proves nothing. */
    private Duration unproven(Fleet fleet, LiveDatabase live) {
        Duration served = live.database().status().looks().sinceProven();
        if (fleet.tiers().problem(live.row()) == null) {
            return served;
        }
        long since = Math.max(started.getEpochSecond(), live.stampAtBegin().writtenSeconds() & 0xffff_ffffL);
        Duration failing = Duration.ofSeconds(
                Math.max(0, replication.services().time().now().getEpochSecond() - since));
        return failing.compareTo(served) > 0 ? failing : served;
    }

    /** Of those that are neither served nor proven, the one that has been so longest. */
    private void waiting(Fleet fleet, Worst worst) {
        Time time = replication.services().time();
        Oldest oldest = new Oldest(Math.max(0, started.getEpochSecond()));
        each(fleet, (locked, row) -> {
            Rows rows = locked.rows();
            boolean unproven = switch (rows.tier(row)) {
                case DISCOVERED, COLD_DIRTY, FAILED -> true;
                case SEEDING, HOT, COLD_CLEAN, IGNORED, GONE -> false;
            };
            if (unproven) {
                oldest.meet(Integer.toUnsignedLong(rows.writtenSeconds(row)), row);
            }
        });
        if (oldest.row != PathTable.NONE) {
            try {
                DatabaseId id = DatabaseId.of(fleet.table().pathBytes(oldest.row));
                worst.meet(Duration.ofSeconds(Math.max(0, time.now().getEpochSecond() - oldest.seconds)), id);
            } catch (IllegalArgumentException removedMeanwhile) {
                return;
            }
        }
    }

    private static final class Oldest {
        private final long notBefore;
        private long seconds;
        private int row = PathTable.NONE;

        Oldest(long notBefore) {
            this.notBefore = notBefore;
        }

        void meet(long written, int candidate) {
            long since = Math.max(written, notBefore);
            if (row == PathTable.NONE || since < seconds) {
                seconds = since;
                row = candidate;
            }
        }
    }
}
