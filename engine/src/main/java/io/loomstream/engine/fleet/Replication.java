package io.loomstream.engine.fleet;

import io.loomstream.engine.compaction.CompactionCounters;
import io.loomstream.engine.compaction.Maintenance;
import io.loomstream.engine.compaction.Site;
import io.loomstream.engine.compaction.Subject;
import io.loomstream.engine.concurrent.Gate;
import io.loomstream.engine.concurrent.HeapTrim;
import io.loomstream.engine.concurrent.TaskScope;
import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.error.EngineException;
import io.loomstream.engine.error.UnsupportedDatabaseException;
import io.loomstream.engine.fleet.HotList.Owner;
import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.posix.Posix;
import io.loomstream.engine.sqlite.IdleReaper;
import io.loomstream.engine.sqlite.SqliteConnections;
import io.loomstream.engine.sync.DatabaseSpec;
import io.loomstream.engine.sync.Gates;
import io.loomstream.engine.sync.Outcome;
import io.loomstream.engine.sync.Owners;
import io.loomstream.engine.sync.ReplicatedDatabase;
import io.loomstream.engine.sync.SyncServices;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Replicates until stopped: the named databases, and fleets. Owns every thread, gate and lock of it. Started and stopped
 * once; thread-safe.
 */
public final class Replication {
    private static final Logger log = LoggerFactory.getLogger(Replication.class);
    private static final Duration DRAIN_LOOK = Duration.ofMillis(20);
    /** Busy databases cannot be left provably clean; after this long they are just finished. */
    private static final Duration PATIENCE_WITH_HOT = Duration.ofSeconds(3);

    private final Time time;
    private final SyncServices services;
    private final FleetEvents events;
    private final Gates gates;
    private final List<ReplicatedDatabase> named;
    private final List<Fleet> fleets = new ArrayList<>();
    private final List<StateLock> locks = new ArrayList<>();
    private final List<SpecSite> sites;
    private final Maintenance maintenance;
    private final Service service;
    private final TaskScope dispatchers;
    private final TaskScope tasks;
    /** Merges take as long as they take, and can be done again: nothing waits for them at the end. */
    private final TaskScope merges;

    private final AtomicReference<@Nullable Runnable> whenBroken = new AtomicReference<>();
    private volatile boolean broken;

    private Replication(Workload workload, ReplicationOptions options) {
        this.services = services(options);
        // Not RandomGenerator.getDefault(): trimmed runtimes lack its module, and this one is shared by threads.
        RandomGenerator random = new Random();
        this.time = options.time();
        this.events = new FleetEvents(time);
        this.gates = Gates.of(options.monitorPermits(), options.snapshotPermits(), options.uploadPermits());
        refuseTwins(workload.named(), services);
        this.maintenance = new Maintenance(
                new Gate("compaction", options.compactionPermits()), gates.snapshots(), time, services.codec());
        this.sites = workload.named().stream()
                .map(spec -> new SpecSite(spec, services.lostReplicas()))
                .toList();
        this.named = sites.stream().map(site -> serve(site)).toList();
        this.tasks = TaskScope.openSupervised("replication", Replication::taskFailed);
        this.merges = TaskScope.openSupervised("merges", Replication::taskFailed);
        this.dispatchers = TaskScope.openSupervised("dispatch", this::dispatcherFailed);
        this.service = new Service(gates, time, random, tasks, events);
        PlaceClaims claims = new PlaceClaims();
        List<Path> paths =
                workload.named().stream().map(spec -> spec.options().path()).toList();
        for (Workload.Section section : workload.sections()) {
            Optional<Keeper> keeper = section.state()
                    .map(state -> keeper(
                            state, section.options(), options, services.bootId().toString()));
            fleets.add(new Fleet(
                    section.options(),
                    services,
                    service,
                    maintenance,
                    options.snapshotPermits(),
                    random,
                    keeper,
                    new NamedFiles(paths, services.posix(), time),
                    claims,
                    events));
        }
    }

    private ReplicatedDatabase serve(SpecSite site) {
        ReplicatedDatabase database = new ReplicatedDatabase(
                site.spec(),
                services,
                SpecSite.listener(maintenance, site, site.spec().levels()));
        site.servedBy(database);
        return database;
    }

    private Keeper keeper(Workload.State state, FleetOptions fleet, ReplicationOptions options, String bootId) {
        Owner owner = new Owner(
                state.instance(),
                hostName(),
                ProcessHandle.current().pid(),
                options.time().now());
        locks.add(StateLock.take(state.directory(), owner)); // before the catalog is touched
        Catalog catalog = Catalog.open(state.directory(), bootId, state.target());
        return new Keeper(
                catalog,
                state.root()
                        .map(root -> new Keeper.OnRoot(
                                new HotListKeeper(root, owner, options.time()),
                                new PathMapKeeper(
                                        root,
                                        owner,
                                        fleet.fullScanInterval(),
                                        (path, pattern) -> fleet.specs()
                                                .apply(path, pattern)
                                                .replica()
                                                .describe(),
                                        options.time()))),
                fleet.scanInterval(),
                options.time());
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "unknown";
        }
    }

    private static SyncServices services(ReplicationOptions options) {
        Posix posix = Posix.load()
                .orElseThrow(() -> new UnsupportedDatabaseException(
                        "Loomstream replicates on 64-bit Linux (x86-64 or ARM) only; restoring works everywhere"));
        try {
            SqliteConnections.checkLibrary(SqliteConnections.libraryVersion());
        } catch (SQLException e) {
            throw new UnsupportedDatabaseException("the SQLite library cannot be loaded: " + e.getMessage(), e);
        }
        SqliteConnections connections = new SqliteConnections(
                new Gate("native", options.nativePermits()), options.time(), options.connections());
        return SyncServices.create(options.time(), posix, connections, CodecResources.shared());
    }

    /** Two paths to one file are a mistake that is better known before anything starts; later ones are refused at a look. */
    private static void refuseTwins(List<DatabaseSpec> specs, SyncServices services) {
        Owners owners = new Owners();
        for (DatabaseSpec spec : specs) {
            Path path = spec.options().path();
            try {
                services.posix().stat(path).ifPresent(file -> owners.claim(file, path, Owners.DATABASE));
            } catch (IOException unknown) {
                log.atDebug().addKeyValue("db", path).setCause(unknown).log("cannot be looked at yet");
            }
        }
    }

    /** Starts replicating; returns at once. */
    public static Replication start(Workload workload, ReplicationOptions options) {
        Replication replication = new Replication(workload, options);
        for (ReplicatedDatabase database : replication.named) {
            replication.service.begin(
                    LiveDatabase.forever(database, options.time().nanoTime()));
        }
        replication.service.dispatchIn(replication.dispatchers);
        replication.maintenance.dispatchIn(replication.dispatchers, replication.merges);
        for (SpecSite site : replication.sites) {
            site.subject().ifPresent(subject -> replication.maintenance.rediscover(site, subject.meta()));
        }
        replication.dispatchers.fork(new HeapTrim(options.time()));
        replication.dispatchers.fork(new IdleReaper(replication.services.connections(), options.time()));
        replication.fleets.forEach(fleet -> fleet.dispatchIn(replication.dispatchers));
        return replication;
    }

    /**
     * Copies every named database once, uploads, and ends.
     *
     * @param uploadTimeout how long to go on trying to upload; zero for a single try
     * @param retryInterval pause between tries
     */
    public static Report once(
            List<DatabaseSpec> databases, ReplicationOptions options, Duration uploadTimeout, Duration retryInterval)
            throws InterruptedException {
        return once(Workload.of(databases), options, Afterwards.NOTHING, uploadTimeout, retryInterval);
    }

    /**
     * Copies every named database once, and every one of the fleets that is not proven clean, uploads, and ends. Of fleets the
     * report has the outcomes of those alone that have a problem.
     *
     * @param afterwards for every database that was copied without a problem
     * @param uploadTimeout how long to go on trying to upload each; zero for a single try
     * @param retryInterval pause between tries
     */
    public static Report once(
            Workload workload,
            ReplicationOptions options,
            Afterwards afterwards,
            Duration uploadTimeout,
            Duration retryInterval)
            throws InterruptedException {
        List<Workload.Section> sections = workload.sections().stream()
                .map(section ->
                        new Workload.Section(section.options(), section.state().map(Workload.State::withoutRoot)))
                .toList();
        Replication replication = new Replication(new Workload(workload.named(), sections), options);
        List<Outcome> problems = new ArrayList<>();
        Report report;
        try {
            for (Fleet fleet : replication.fleets) {
                problems.addAll(replication.once(fleet, afterwards, uploadTimeout, retryInterval));
            }
        } finally {
            report = replication.finish(uploadTimeout, retryInterval);
        }
        for (Outcome copied : report.outcomes()) {
            SpecSite site = replication.sites.stream()
                    .filter(one -> one.spec().options().path().equals(copied.path()))
                    .findFirst()
                    .orElseThrow();
            problems.add(replication.upkeep(site, copied, afterwards));
        }
        return new Report(problems, report.unserved());
    }

    /** The outcome of a copy and of what was to be done after it. */
    private Outcome upkeep(SpecSite site, Outcome copied, Afterwards afterwards) throws InterruptedException {
        Optional<Subject> subject = site.subject();
        if (copied.problem() != null
                || afterwards.isNothing()
                || copied.remote().isZero()
                || subject.isEmpty()) {
            return copied;
        }
        try {
            maintenance.demand(site, subject.get(), afterwards.snapshot(), afterwards.retention());
            return copied;
        } catch (EngineException e) {
            String problem = "it was replicated, but snapshot or retention failed: " + e.getMessage();
            return new Outcome(copied.path(), copied.local(), copied.remote(), problem);
        }
    }

    private Collection<Outcome> once(Fleet fleet, Afterwards afterwards, Duration uploadTimeout, Duration retryInterval)
            throws InterruptedException {
        ConcurrentLinkedQueue<Outcome> problems = new ConcurrentLinkedQueue<>();
        try (TaskScope scope = TaskScope.open("once")) {
            Gate atOnce = new Gate("once", gates.monitors().permits());
            fleet.once(new Fleet.OnceListener() {
                @Override
                public void serve(DatabaseSpec spec) throws InterruptedException {
                    Gate.Permit permit = atOnce.acquire();
                    scope.fork(() -> {
                        try {
                            SpecSite site = new SpecSite(spec, services.lostReplicas());
                            Outcome copied = Replication.this.serve(site).finish(uploadTimeout, retryInterval, gates);
                            Outcome outcome = upkeep(site, copied, afterwards);
                            if (outcome.problem() != null) {
                                problems.add(outcome);
                            }
                            return null;
                        } finally {
                            permit.close();
                        }
                    });
                }

                @Override
                public void refused(Path database, String why) {
                    problems.add(new Outcome(database, Txid.ZERO, Txid.ZERO, why));
                }
            });
            scope.join();
        }
        return problems;
    }

    /**
     * Stops: what was committed until now is captured and uploaded, then everything is given up.
     *
     * @param uploadTimeout how long to go on trying to upload; zero for a single try
     * @param retryInterval pause between tries
     * @throws InterruptedException when the wait was given up; what was captured stays local and goes on at the next start
     */
    public Report stop(Duration uploadTimeout, Duration retryInterval) throws InterruptedException {
        long deadline = time.nanoTime() + uploadTimeout.toNanos();
        for (Fleet fleet : fleets) {
            fleet.drain();
        }
        for (Fleet fleet : fleets) {
            while (!fleet.drained(PATIENCE_WITH_HOT) && time.nanoTime() < deadline && !broken) {
                time.sleep(DRAIN_LOOK);
            }
        }
        dispatchers.cancel();
        dispatchers.join();
        merges.cancel();
        tasks.join();
        return finish(Duration.ofNanos(Math.max(0, deadline - time.nanoTime())), retryInterval);
    }

    private Report finish(Duration uploadTimeout, Duration retryInterval) throws InterruptedException {
        List<ReplicatedDatabase> left = new ArrayList<>(named);
        int unserved = 0;
        for (Fleet fleet : fleets) {
            fleet.tiers().live().forEach(live -> left.add(live.database()));
            unserved += fleet.unserved();
        }
        List<Outcome> outcomes = new ArrayList<>();
        try (TaskScope scope = TaskScope.open("finish")) {
            Gate atOnce = new Gate("finish", gates.monitors().permits());
            List<TaskScope.Fork<Outcome>> forks = new ArrayList<>();
            for (ReplicatedDatabase database : left) {
                Gate.Permit permit = atOnce.acquire();
                forks.add(scope.fork(() -> {
                    try {
                        return database.finish(uploadTimeout, retryInterval, gates);
                    } finally {
                        permit.close();
                    }
                }));
            }
            scope.join();
            for (TaskScope.Fork<Outcome> fork : forks) {
                outcomes.add(fork.get());
            }
        } finally {
            left.forEach(ReplicatedDatabase::close);
            dispatchers.close();
            tasks.close();
            merges.close();
            maintenance.end();
            fleets.forEach(Fleet::end);
            locks.forEach(StateLock::close);
        }
        return new Report(outcomes, unserved);
    }

    private static void taskFailed(Throwable failure) {
        log.atError().setCause(failure).log("a task ended with an unexpected error");
    }

    private void dispatcherFailed(Throwable failure) {
        log.atError().setCause(failure).log("a thread that everything depends on has ended");
        broken = true;
        Runnable told = whenBroken.getAndSet(null);
        if (told != null) {
            told.run();
        }
    }

    /** Whether the server cannot go on: it should be stopped, and end with an error. */
    public boolean broken() {
        return broken;
    }

    /** Runs something once when the server cannot go on; at once when that is so already. */
    public void whenBroken(Runnable action) {
        whenBroken.set(action);
        if (broken) {
            Runnable told = whenBroken.getAndSet(null);
            if (told != null) {
                told.run();
            }
        }
    }

    /**
     * What people and programs may see and order; make one only, for all of them.
     *
     * @param projectsMax so many projects are told apart in counts, the others count as "other"
     */
    public FleetControl control(int projectsMax) {
        return new FleetControl(this, projectsMax);
    }

    List<ReplicatedDatabase> named() {
        return named;
    }

    SyncServices services() {
        return services;
    }

    Service service() {
        return service;
    }

    TaskScope tasks() {
        return tasks;
    }

    FleetEvents events() {
        return events;
    }

    /** The fleets, for those who look at them. */
    List<Fleet> fleets() {
        return fleets;
    }

    /**
     * Has the files of one database's replica merged now into every level.
     *
     * @param database its path, as the configuration names it or the scanner found it
     * @return the TXID that the replica stood at, or what went wrong; empty when no such database is replicated
     */
    public Optional<CompletableFuture<Txid>> compactNow(Path database) {
        return site(database).map(maintenance::compactNow);
    }

    /** Has a snapshot of what its replica holds made now, unless there is one; otherwise as {@link #compactNow}. */
    public Optional<CompletableFuture<Txid>> snapshotNow(Path database) {
        return site(database).map(maintenance::snapshotNow);
    }

    /** In how long files of one database's replica are to be merged or deleted; empty when there is nothing to do. */
    public Optional<Duration> maintenanceDue(Path database) {
        return site(database).flatMap(maintenance::due);
    }

    private Optional<Site> site(Path database) {
        String name = database.toString();
        Optional<Site> found = sites.stream()
                .filter(site -> site.name().equals(name))
                .map(Site.class::cast)
                .findFirst();
        return found.or(() -> fleets.stream()
                .filter(fleet -> fleet.spec(name).isPresent())
                .map(fleet -> (Site) new FleetSite(fleet, name))
                .findFirst());
    }

    /** What compaction and retention have done. */
    public CompactionCounters compaction() {
        return maintenance.counters();
    }

    /** SQLite's connections to replicated databases, for those who look at their counters. */
    public SqliteConnections connections() {
        return services.connections();
    }

    /** The process's gates, for those who look at them. */
    public Gates gates() {
        return gates;
    }
}
