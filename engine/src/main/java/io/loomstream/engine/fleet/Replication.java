package io.loomstream.engine.fleet;

import io.loomstream.engine.concurrent.Gate;
import io.loomstream.engine.concurrent.TaskScope;
import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.error.UnsupportedDatabaseException;
import io.loomstream.engine.fleet.LiveDatabase.Stay;
import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.posix.Posix;
import io.loomstream.engine.sqlite.SqliteConnections;
import io.loomstream.engine.sync.DatabaseSpec;
import io.loomstream.engine.sync.Gates;
import io.loomstream.engine.sync.Outcome;
import io.loomstream.engine.sync.ReplicatedDatabase;
import io.loomstream.engine.sync.SyncServices;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Replicates a list of databases until stopped. Thread-safe. */
public final class Replication {
    private static final Logger log = LoggerFactory.getLogger(Replication.class);
    private static final Duration HOT_DURATION = Duration.ofSeconds(15);

    private final Gates gates;
    private final List<ReplicatedDatabase> databases;
    private final Service service;
    private final TaskScope dispatchers;
    private final TaskScope tasks;
    private final CompletableFuture<Throwable> broken = new CompletableFuture<>();

    private Replication(List<DatabaseSpec> specs, ReplicationOptions options) {
        SyncServices services = services(options);
        this.gates = Gates.of(options.monitorPermits(), options.snapshotPermits(), options.uploadPermits());
        this.databases = specs.stream()
                .map(spec -> new ReplicatedDatabase(spec, services))
                .toList();
        this.tasks = TaskScope.openSupervised("replication", Replication::taskFailed);
        this.dispatchers = TaskScope.openSupervised("dispatch", this::dispatcherFailed);
        this.service = new Service(
                gates, options.time(), HOT_DURATION, RandomGenerator.getDefault(), tasks, Replication::neverEnds);
    }

    private static void neverEnds(LiveDatabase database, Service.End end) {
        throw new IllegalStateException("a database of the configuration left: " + end);
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
        SqliteConnections connections = new SqliteConnections(new Gate("native", options.nativePermits()));
        return SyncServices.create(options.time(), posix, connections, CodecResources.shared());
    }

    /** Starts replicating; returns at once. */
    public static Replication start(List<DatabaseSpec> databases, ReplicationOptions options) {
        Replication replication = new Replication(databases, options);
        Time time = options.time();
        for (ReplicatedDatabase database : replication.databases) {
            replication.service.begin(new LiveDatabase(database, LiveDatabase.NO_ROW, Stay.FOREVER, time.nanoTime()));
        }
        replication.service.dispatchIn(replication.dispatchers);
        return replication;
    }

    /**
     * Copies every database once, uploads, and ends.
     *
     * @param uploadTimeout how long to go on trying to upload; zero for a single try
     * @param retryInterval pause between tries
     */
    public static Report once(
            List<DatabaseSpec> databases, ReplicationOptions options, Duration uploadTimeout, Duration retryInterval)
            throws InterruptedException {
        return new Replication(databases, options).finish(uploadTimeout, retryInterval);
    }

    /**
     * Stops: no more looks begin, those under way end, then every database is captured and uploaded once more.
     *
     * @param uploadTimeout how long to go on trying to upload; zero for a single try
     * @param retryInterval pause between tries
     * @throws InterruptedException when the wait was given up; what was captured stays local and goes on at the next start
     */
    public Report stop(Duration uploadTimeout, Duration retryInterval) throws InterruptedException {
        dispatchers.cancel();
        dispatchers.join();
        tasks.join();
        return finish(uploadTimeout, retryInterval);
    }

    private Report finish(Duration uploadTimeout, Duration retryInterval) throws InterruptedException {
        List<Outcome> outcomes = new ArrayList<>();
        try (TaskScope scope = TaskScope.open("finish")) {
            Gate atOnce = new Gate("finish", gates.monitors().permits());
            List<TaskScope.Fork<Outcome>> forks = new ArrayList<>();
            for (ReplicatedDatabase database : databases) {
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
            databases.forEach(ReplicatedDatabase::close);
            dispatchers.close();
            tasks.close();
        }
        return new Report(outcomes);
    }

    private static void taskFailed(Throwable failure) {
        log.atError().setCause(failure).log("a task ended with an unexpected error");
    }

    private void dispatcherFailed(Throwable failure) {
        log.atError().setCause(failure).log("a dispatcher ended: nothing would be replicated any more");
        broken.complete(failure);
    }

    /** Completed when the server cannot go on; whoever waits should stop it and end with an error. */
    public CompletableFuture<Throwable> broken() {
        return broken;
    }

    /** How many databases are replicated. */
    public int size() {
        return databases.size();
    }
}
