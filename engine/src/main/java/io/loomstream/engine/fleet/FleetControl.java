package io.loomstream.engine.fleet;

import io.loomstream.engine.compaction.CompactionCounters;
import io.loomstream.engine.concurrent.DurationHistogram;
import io.loomstream.engine.concurrent.Gate;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.sqlite.SqliteConnections;
import io.loomstream.engine.sync.ReplicatedDatabase;
import io.loomstream.engine.sync.SyncCounters;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * What people and programs may see of a running {@link Replication}, and order it to do. Looking never makes a list of all
 * databases, opens none, and sends no request to a replica.
 *
 * <p>Thread-safe. Usable until the replication stops.
 */
public final class FleetControl {
    private final Replication replication;
    private final DatabaseLister lister;
    private final ScanRequests scans;
    private final FleetSums sums;
    private final Instant started;

    FleetControl(Replication replication, int projectsMax) {
        ProjectIndex projects = new ProjectIndex(projectsMax);
        this.replication = replication;
        this.lister = new DatabaseLister(replication, projects);
        this.scans = new ScanRequests(replication.fleets(), replication.tasks());
        this.started = replication.services().time().now();
        this.sums = new FleetSums(replication, projects, started);
    }

    // ---- looking

    /**
     * Some databases.
     *
     * @param cursor where to go on, from the page before
     * @param limit at most so many
     * @throws IllegalArgumentException when the cursor is none of this list
     */
    public DatabasePage databases(DatabaseQuery query, Optional<String> cursor, int limit) {
        return lister.page(query, cursor, limit);
    }

    /** One database; empty when it is not known. */
    public Optional<FoundDatabase> database(DatabaseId id) {
        Optional<ReplicatedDatabase> named = named(id);
        return named.isPresent() ? named.map(lister::ofNamed) : place(id).flatMap(place -> ofRow(place, id));
    }

    /**
     * Where a database's copies are; for reading only. Empty when it is not known. Sends nothing to the replica itself.
     *
     * @throws IllegalArgumentException when it is not replicated
     * @throws io.loomstream.engine.error.EngineException when its files cannot be looked at, or another database has its
     *     place on the replica
     */
    public Optional<ReplicaClient> replica(DatabaseId id) {
        Optional<ReplicatedDatabase> named = named(id);
        return named.isPresent()
                ? named.map(ReplicatedDatabase::replica)
                : place(id).map(place -> place.fleet().replica(place.row()));
    }

    /** Empty when the row was freed, or is another database's, meanwhile. */
    private Optional<FoundDatabase> ofRow(Place place, DatabaseId id) {
        try {
            return Optional.ofNullable(lister.ofRow(place.fleet(), place.row()))
                    .filter(found -> found.id().equals(id));
        } catch (IllegalArgumentException removedMeanwhile) {
            return Optional.empty();
        }
    }

    /** The databases that the configuration names, as they are now. */
    public List<FoundDatabase> named() {
        return replication.named().stream().map(lister::ofNamed).toList();
    }

    /** The hot databases of each fleet, the most recently written first; at most so many altogether. */
    public List<FoundDatabase> hotList(int limit) {
        List<FoundDatabase> hot = new ArrayList<>();
        for (Fleet fleet : replication.fleets()) {
            for (int row : fleet.tiers().hotRows()) {
                if (hot.size() == limit) {
                    return hot;
                }
                FoundDatabase found = lister.ofRow(fleet, row);
                if (found != null) {
                    hot.add(found);
                }
            }
        }
        return hot;
    }

    /**
     * The tiers of all fleets together.
     *
     * @param named databases that the configuration names, which are in no tier
     * @param databases how many are in each tier
     * @param movedInto how often one came into each tier since the start
     * @param hotMax how many may be hot
     * @param waiting how many wait for their turn
     * @param heldBack how many changed and are paused
     */
    public record Tiers(
            int named, Map<Tier, Integer> databases, Map<Tier, Long> movedInto, int hotMax, int waiting, int heldBack) {
        public Tiers {
            databases = Map.copyOf(databases);
            movedInto = Map.copyOf(movedInto);
        }
    }

    public Tiers tiers() {
        Map<Tier, Integer> databases = new EnumMap<>(Tier.class);
        Map<Tier, Long> moved = new EnumMap<>(Tier.class);
        int hotMax = 0;
        int waiting = 0;
        int heldBack = 0;
        for (Tier tier : Tier.values()) {
            databases.put(tier, 0);
            moved.put(tier, 0L);
        }
        for (Fleet fleet : replication.fleets()) {
            for (Tier tier : Tier.values()) {
                databases.merge(tier, fleet.table().count(tier), Integer::sum);
                moved.merge(tier, fleet.census().movedInto(tier), Long::sum);
            }
            hotMax += fleet.options().hotMax();
            waiting += fleet.tiers().waiting();
            heldBack += fleet.tiers().heldBack();
        }
        return new Tiers(replication.named().size(), databases, moved, hotMax, waiting, heldBack);
    }

    /** Counts by project, made in one pass over the path tables. */
    public ProjectCounts projects() {
        return sums.projects();
    }

    /** Whether everything reaches its replica in time, as far as is known at this moment. */
    public FleetHealth health() {
        return sums.health();
    }

    /**
     * Scans since the start.
     *
     * @param count of all passes
     * @param cpuSeconds of all passes
     * @param seconds how long they took, one entry for each fleet
     * @param last the last one of each fleet that had one
     */
    public record Scans(
            long count, double cpuSeconds, List<DurationHistogram.Snapshot> seconds, List<PassReport> last) {
        public Scans {
            seconds = List.copyOf(seconds);
            last = List.copyOf(last);
        }
    }

    public Scans scans() {
        long count = 0;
        long cpuNanos = 0;
        List<DurationHistogram.Snapshot> seconds = new ArrayList<>();
        List<PassReport> last = new ArrayList<>();
        for (Fleet fleet : replication.fleets()) {
            Census census = fleet.census();
            count += census.scans();
            cpuNanos += census.scanCpuNanos();
            seconds.add(census.scanSeconds());
            PassReport report = census.lastScan();
            if (report != null) {
                last.add(report);
            }
        }
        return new Scans(count, cpuNanos / 1e9, seconds, last);
    }

    /** The gates of the replication; the S3 gate is the S3 endpoints'. */
    public List<Gate> gates() {
        return List.of(
                replication.gates().monitors(),
                replication.gates().snapshots(),
                replication.gates().uploads(),
                replication.services().connections().nativeCalls());
    }

    /** Verdicts, copies, lags. */
    public SyncCounters counters() {
        return replication.services().counters();
    }

    /** Connections to SQLite databases that are open now. */
    public int connectionsOpen() {
        return replication.services().connections().openNow();
    }

    /**
     * What became of connections until now.
     *
     * @param opened connections opened
     * @param reused uses that found one idle
     * @param reaped those closed because nobody needed them for {@code connection-idle-timeout}
     */
    public record Connections(long opened, long reused, long reaped) {}

    public Connections connections() {
        SqliteConnections all = replication.services().connections();
        return new Connections(all.opened(), all.reused(), all.reaped());
    }

    /** Looks and uploads that wait for their moment or for a permit. */
    public record Queues(int looks, int uploads) {}

    public Queues queues() {
        return new Queues(
                replication.service().queuedLooks(), replication.service().queuedUploads());
    }

    /** Bytes that the path tables take. */
    public long tableBytes() {
        long bytes = 0;
        for (Fleet fleet : replication.fleets()) {
            bytes += fleet.table().memoryBytes();
        }
        return bytes;
    }

    /** When the replication began to be watched. */
    public Instant started() {
        return started;
    }

    /** Watches what happens. */
    public FleetEvents events() {
        return replication.events();
    }

    // ---- ordering

    /** Makes a cold database hot, until it has been quiet for a while; empty when it is not known. */
    public Optional<Ordered> promote(DatabaseId id) {
        return order(id, (fleet, path) -> fleet.tiers().order(path, fleet.tiers()::promote));
    }

    /** Makes a hot database leave once everything is on its replica. */
    public Optional<Ordered> demote(DatabaseId id) {
        return order(id, (fleet, path) -> fleet.tiers().order(path, fleet.tiers()::demote));
    }

    /** Has a database looked into whatever its files say. */
    public Optional<Ordered> sync(DatabaseId id) {
        return order(id, (fleet, path) -> fleet.tiers().sync(path));
    }

    /** Ends the pause after a failure. */
    public Optional<Ordered> retry(DatabaseId id) {
        return order(id, (fleet, path) -> fleet.tiers().order(path, fleet.tiers()::retry));
    }

    /** Serves a database no more until it is resumed or the server restarts. What it is behind by stays visible. */
    public Optional<Ordered> pause(DatabaseId id) {
        return order(id, (fleet, path) -> fleet.tiers().order(path, fleet.tiers()::pause));
    }

    public Optional<Ordered> resume(DatabaseId id) {
        return order(id, (fleet, path) -> fleet.tiers().order(path, fleet.tiers()::resume));
    }

    /**
     * Has a snapshot made of what a database's replica holds, unless there is one, whatever tier the database is in.
     *
     * @return the TXID that the replica stood at, or what went wrong; empty when the database is not known
     */
    public Optional<CompletableFuture<Txid>> snapshot(DatabaseId id) {
        return replication.snapshotNow(path(id));
    }

    /** Has the files of a database's replica merged into every level; otherwise as {@link #snapshot}. */
    public Optional<CompletableFuture<Txid>> compact(DatabaseId id) {
        return replication.compactNow(path(id));
    }

    /** In how long files of a database's replica are to be merged or deleted; empty when there is nothing to do. */
    public Optional<Duration> maintenanceDue(DatabaseId id) {
        return replication.maintenanceDue(path(id));
    }

    private static Path path(DatabaseId id) {
        return Path.of(new String(id.pathBytes(), StandardCharsets.UTF_8));
    }

    /** What compaction and retention have done. */
    public CompactionCounters compaction() {
        return replication.compaction();
    }

    private interface Order {
        Optional<Ordered> give(Fleet fleet, byte[] path);
    }

    private Optional<Ordered> order(DatabaseId id, Order order) {
        if (named(id).isPresent()) {
            return Optional.of(
                    new Ordered.Refused("the configuration names it: it is looked at all the time, and has no tier"));
        }
        byte[] path = id.pathBytes();
        for (Fleet fleet : replication.fleets()) {
            Optional<Ordered> ordered = order.give(fleet, path);
            if (ordered.isPresent()) {
                return ordered;
            }
        }
        return Optional.empty();
    }

    /**
     * Begins a full scan, or joins the one that follows the one that runs.
     *
     * @return its number; empty when no section of the configuration finds databases
     */
    public Optional<Long> scan() {
        return replication.fleets().isEmpty() ? Optional.empty() : Optional.of(scans.request());
    }

    /** Has databases whose files have vanished, so many that nothing was concluded from it, taken for deleted by the next scan. */
    public void acceptVanished() {
        replication.fleets().forEach(Fleet::acceptVanished);
    }

    /**
     * How far a scan is.
     *
     * @param patience how long to wait for its end; zero not to
     * @return empty when the number is not known, or not any more
     */
    public Optional<ScanState> scan(long number, Duration patience) throws InterruptedException {
        return scans.state(number, patience);
    }

    /**
     * Writes the hot lists now.
     *
     * @return how many were written because they said anything new; empty when none is kept
     * @throws io.loomstream.engine.error.EngineException when the replicas' root cannot be written, or another process
     *     wrote a list
     */
    public Optional<Integer> persistHotLists() {
        Optional<Integer> written = Optional.empty();
        for (Fleet fleet : replication.fleets()) {
            Optional<Boolean> one = fleet.persistHotList();
            if (one.isPresent()) {
                written = Optional.of(written.orElse(0) + (one.get() ? 1 : 0));
            }
        }
        return written;
    }

    // ---- finding

    private record Place(Fleet fleet, int row) {}

    private Optional<Place> place(DatabaseId id) {
        byte[] path = id.pathBytes();
        for (Fleet fleet : replication.fleets()) {
            int row = fleet.table().find(path);
            if (row != PathTable.NONE) {
                return Optional.of(new Place(fleet, row));
            }
        }
        return Optional.empty();
    }

    private Optional<ReplicatedDatabase> named(DatabaseId id) {
        String path = new String(id.pathBytes(), StandardCharsets.UTF_8);
        return replication.named().stream()
                .filter(database -> database.path().toString().equals(path))
                .findFirst();
    }
}
