package io.loomstream.engine.fleet;

import io.loomstream.engine.sync.DatabaseStatus;
import io.loomstream.engine.sync.ReplicatedDatabase;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * Lists databases page by page without ever holding the list: in the order of the table a page goes on where the last one
 * ended, in another order one pass keeps the few best after the cursor. A database that is there all the time is met exactly
 * once; one that comes, goes or changes meanwhile may be met or not.
 *
 * <p>Thread-safe. The path table's lock is held for a few thousand rows at a time.
 */
final class DatabaseLister {
    /** Rows looked at under one lock. */
    private static final int STRIDE = 4_096;

    private static final int NAMED = 0;

    private final Replication replication;
    private final ProjectIndex projects;

    DatabaseLister(Replication replication, ProjectIndex projects) {
        this.replication = replication;
        this.projects = projects;
    }

    DatabasePage page(DatabaseQuery query, Optional<String> cursor, int limit) {
        boolean sorted = query.sort() != DatabaseQuery.Sort.TABLE;
        Optional<PageCursor> from = cursor.map(text -> PageCursor.parse(text, sorted));
        return sorted
                ? sortedPage(query, (PageCursor.After) from.orElse(null), limit)
                : tablePage(query, (PageCursor.Row) from.orElse(new PageCursor.Row(NAMED, 0)), limit);
    }

    // ---- in the order of the table

    private DatabasePage tablePage(DatabaseQuery query, PageCursor.Row from, int limit) {
        List<FoundDatabase> items = new ArrayList<>();
        int row = from.row();
        for (int section = from.section(); section <= replication.fleets().size(); section++) {
            int end = sectionLimit(section);
            while (row < end) {
                if (items.size() == limit) {
                    return new DatabasePage(items, Optional.of(new PageCursor.Row(section, row).text()));
                }
                Candidates candidates = candidates(section, row, query, limit - items.size());
                for (int i = 0; i < candidates.rows.size(); i++) {
                    FoundDatabase found = found(section, candidates.rows.get(i), query);
                    if (found != null) {
                        items.add(found);
                    }
                }
                row = candidates.next;
            }
            row = 0;
        }
        return new DatabasePage(items, Optional.empty());
    }

    private int sectionLimit(int section) {
        return section == NAMED
                ? replication.named().size()
                : replication.fleets().get(section - 1).table().limit();
    }

    /** Rows that may match, and where to look on. */
    private record Candidates(Ids rows, int next) {}

    private Candidates candidates(int section, int from, DatabaseQuery query, int max) {
        Ids found = new Ids();
        if (section == NAMED) {
            found.add(from);
            return new Candidates(found, from + 1);
        }
        List<ProjectCounts.Group> groups = List.of();
        PathTable table = replication.fleets().get(section - 1).table();
        try (PathTable.Locked locked = table.lock()) {
            Rows rows = locked.rows();
            int row = from;
            int end = Math.min(rows.limit(), from + STRIDE);
            for (; row < end && found.size() < max; row++) {
                if (!rows.isLive(row) || !query.accepts(rows.tier(row))) {
                    continue;
                }
                if (query.project().isPresent()) {
                    int group = projects.groupOf(locked.directories(), rows.directory(row));
                    groups = group < groups.size() ? groups : projects.groups();
                    String project = groups.get(group).project();
                    if (!project.equals(query.project().get()) && !project.equals(ProjectIndex.OTHER)) {
                        continue;
                    }
                }
                found.add(row);
            }
            return new Candidates(found, row);
        }
    }

    // ---- in another order

    private DatabasePage sortedPage(DatabaseQuery query, PageCursor.@Nullable After after, int limit) {
        PriorityQueue<Ranked> best = new PriorityQueue<>(Collections.reverseOrder());
        boolean byWrite = query.sort() == DatabaseQuery.Sort.LAST_WRITE;
        for (int section = NAMED; section <= replication.fleets().size(); section++) {
            Map<Integer, Long> served = byWrite ? writtenWhileServed(section) : Map.of();
            int row = 0;
            while (row < sectionLimit(section)) {
                Candidates candidates = candidates(section, row, query, STRIDE);
                for (int i = 0; i < candidates.rows.size(); i++) {
                    rank(section, candidates.rows.get(i), served, query, after, limit, best);
                }
                row = candidates.next;
            }
        }
        List<Ranked> ranked = new ArrayList<>(best);
        Collections.sort(ranked);
        boolean more = ranked.size() > limit;
        List<FoundDatabase> items = new ArrayList<>();
        for (Ranked one : more ? ranked.subList(0, limit) : ranked) {
            FoundDatabase found = found(one.section, one.row, query);
            if (found != null) {
                items.add(found);
            }
        }
        return new DatabasePage(
                items, more ? Optional.of(ranked.get(limit - 1).key.text()) : Optional.empty());
    }

    private record Ranked(PageCursor.After key, int section, int row) implements Comparable<Ranked> {
        @Override
        public int compareTo(Ranked other) {
            return key.compareTo(other.key);
        }
    }

    private void rank(
            int section,
            int row,
            Map<Integer, Long> served,
            DatabaseQuery query,
            PageCursor.@Nullable After after,
            int limit,
            PriorityQueue<Ranked> best) {
        try {
            long number = query.sort() == DatabaseQuery.Sort.LAST_WRITE
                    ? -Math.max(served.getOrDefault(row, 0L), writtenSeconds(section, row))
                    : 0;
            Ranked worst = best.size() > limit ? best.peek() : null;
            if ((worst != null && number > worst.key.number()) || (after != null && number < after.number())) {
                return; // most rows end here, before their path is put together
            }
            byte[] path = pathBytes(section, row);
            PageCursor.After key = new PageCursor.After(number, path);
            if ((after != null && key.compareTo(after) <= 0)
                    || (worst != null && key.compareTo(worst.key) >= 0)
                    || !matchesPath(new String(path, StandardCharsets.UTF_8), query)) {
                return;
            }
            best.add(new Ranked(key, section, row));
            if (best.size() > limit + 1) {
                best.remove();
            }
        } catch (IllegalArgumentException removedMeanwhile) {
            return;
        }
    }

    /** Of a served database the table does not hear of writes: its own looks do. */
    private Map<Integer, Long> writtenWhileServed(int section) {
        Map<Integer, Long> written = new HashMap<>();
        if (section != NAMED) {
            for (LiveDatabase live :
                    replication.fleets().get(section - 1).tiers().live()) {
                changedAt(live).ifPresent(at -> written.put(live.row(), at.getEpochSecond()));
            }
        }
        return written;
    }

    /** When a served database was last seen to have changed; empty when it has not since it is served. */
    private Optional<Instant> changedAt(LiveDatabase live) {
        return live.changedAt() == live.since()
                ? Optional.empty()
                : Optional.of(replication
                        .services()
                        .time()
                        .now()
                        .minusNanos(replication.services().time().nanoTime() - live.changedAt()));
    }

    private long writtenSeconds(int section, int row) {
        return section == NAMED
                ? 0
                : replication.fleets().get(section - 1).table().writtenSeconds(row);
    }

    private byte[] pathBytes(int section, int row) {
        return section == NAMED
                ? replication.named().get(row).path().toString().getBytes(StandardCharsets.UTF_8)
                : replication.fleets().get(section - 1).table().pathBytes(row);
    }

    // ---- one database

    private static boolean matchesPath(String path, DatabaseQuery query) {
        if (query.text().isPresent()
                && !path.toLowerCase(Locale.ROOT).contains(query.text().get().toLowerCase(Locale.ROOT))) {
            return false;
        }
        if (query.project().isEmpty() && query.database().isEmpty()) {
            return true;
        }
        TenantNames names = TenantNames.of(path, "/");
        return query.project().map(names.project()::equals).orElse(true)
                && query.database().map(names.database()::equals).orElse(true);
    }

    /** Null when it does not match, or is not there any more. */
    private @Nullable FoundDatabase found(int section, int row, DatabaseQuery query) {
        try {
            String path = new String(pathBytes(section, row), StandardCharsets.UTF_8);
            if (!matchesPath(path, query)) {
                return null;
            }
            FoundDatabase found = section == NAMED
                    ? ofNamed(replication.named().get(row))
                    : ofRow(replication.fleets().get(section - 1), row);
            if (found == null) {
                return null;
            }
            boolean wanted = found.tier().isPresent()
                    ? query.accepts(found.tier().get())
                    : query.state().isEmpty()
                            && (query.tier().isEmpty() || query.tier().get() == found.group());
            return wanted ? found : null;
        } catch (IllegalArgumentException removedMeanwhile) {
            return null;
        }
    }

    FoundDatabase ofNamed(ReplicatedDatabase database) {
        DatabaseStatus status = database.status();
        String path = database.path().toString();
        return new FoundDatabase(
                DatabaseId.of(path),
                TenantNames.of(path, "/"),
                Optional.empty(),
                false,
                new FoundDatabase.Progress(Optional.of(status), status.lag(), Optional.empty(), status.problem()));
    }

    /** Null when there is no such row any more. */
    @Nullable
    FoundDatabase ofRow(Fleet fleet, int row) {
        PathTable table = fleet.table();
        Optional<Tier> tier = table.tier(row);
        if (tier.isEmpty()) {
            return null;
        }
        byte[] path = table.pathBytes(row);
        LiveDatabase live = fleet.tiers().served(row);
        Optional<DatabaseStatus> status =
                live == null ? Optional.empty() : Optional.of(live.database().status());
        Instant now = replication.services().time().now();
        long written = table.writtenSeconds(row);
        Optional<Instant> lastWrite = Optional.ofNullable(live)
                .flatMap(this::changedAt)
                .or(() -> written == 0 ? Optional.empty() : Optional.of(Instant.ofEpochSecond(written)));
        Duration lag = status.map(DatabaseStatus::lag).orElseGet(() -> waitedSince(tier.get(), lastWrite, now));
        String problem = fleet.tiers().problem(row);
        return new FoundDatabase(
                DatabaseId.of(path),
                TenantNames.of(new String(path, StandardCharsets.UTF_8), "/"),
                tier,
                fleet.tiers().isPaused(row),
                new FoundDatabase.Progress(
                        status,
                        lag,
                        lastWrite,
                        Optional.ofNullable(problem).or(() -> status.flatMap(DatabaseStatus::problem))));
    }

    private static Duration waitedSince(Tier tier, Optional<Instant> lastWrite, Instant now) {
        return switch (tier) {
            case COLD_DIRTY, FAILED ->
                lastWrite
                        .map(written -> Duration.between(written, now))
                        .filter(Duration::isPositive)
                        .orElse(Duration.ZERO);
            case DISCOVERED, SEEDING, COLD_CLEAN, HOT, IGNORED, GONE -> Duration.ZERO;
        };
    }
}
