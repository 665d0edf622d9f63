package io.loomstream.engine.sync;

import io.loomstream.engine.concurrent.Gate;
import io.loomstream.engine.concurrent.TaskScope;
import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.error.UnsupportedDatabaseException;
import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.posix.Posix;
import io.loomstream.engine.sqlite.SqliteConnections;
import io.loomstream.engine.sync.ReplicatedDatabase.Next;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Replicates a list of databases until stopped: a look at each every monitor interval, a copy whenever something was
 * committed, an upload after each copy. Thread-safe.
 */
public final class Replication {
    private static final Logger log = LoggerFactory.getLogger(Replication.class);

    private final Time time;
    private final Gates gates;
    private final SyncCounters counters;
    private final List<ReplicatedDatabase> databases;
    private final Lane looks;
    private final Lane fullCopies;
    private final Lane uploads;
    private final TaskScope dispatchers;
    private final TaskScope tasks;

    private Replication(List<DatabaseSpec> specs, ReplicationOptions options) {
        SyncServices services = services(options);
        this.time = options.time();
        this.counters = services.counters();
        this.gates = Gates.of(options);
        this.databases = specs.stream()
                .map(spec -> new ReplicatedDatabase(spec, services))
                .toList();
        this.looks = new Lane(gates.monitors(), database -> look(database, false));
        this.fullCopies = new Lane(gates.snapshots(), database -> look(database, true));
        this.uploads = new Lane(gates.uploads(), this::upload);
        this.tasks = TaskScope.openSupervised("replication", Replication::taskFailed);
        this.dispatchers = TaskScope.openSupervised("dispatch", Replication::taskFailed);
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
        long now = System.nanoTime();
        for (ReplicatedDatabase database : replication.databases) {
            replication.looks.at(now, database);
        }
        replication.dispatchers.fork(replication.looks.dispatchIn(replication.tasks));
        replication.dispatchers.fork(replication.fullCopies.dispatchIn(replication.tasks));
        replication.dispatchers.fork(replication.uploads.dispatchIn(replication.tasks));
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

    private void look(ReplicatedDatabase database, boolean mayCopyEverything) {
        Next next = Next.regular(database.sync().options(), false);
        try {
            next = database.look(mayCopyEverything);
            if (next.upload()) {
                queueUpload(database, null);
            }
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
        } finally {
            // Also after an error that is a bug of ours: one database's look must never be forgotten.
            Duration pause = next.pause();
            if (pause != null) {
                (next.fullCopy() ? fullCopies : looks).at(System.nanoTime() + pause.toNanos(), database);
            }
        }
    }

    private void upload(ReplicatedDatabase database) {
        Duration again = null;
        try {
            again = database.upload();
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
        } finally {
            database.uploadEnded();
        }
        if (again != null || database.behind()) {
            queueUpload(database, again);
        }
    }

    private void queueUpload(ReplicatedDatabase database, @Nullable Duration atLeast) {
        Duration wait = database.queueUpload();
        if (wait != null) {
            Duration longer = atLeast != null && atLeast.compareTo(wait) > 0 ? atLeast : wait;
            uploads.at(System.nanoTime() + longer.toNanos(), database);
        }
    }

    private static void taskFailed(Throwable failure) {
        log.atError().setCause(failure).log("a task ended with an unexpected error");
    }

    /** Verdicts and copies of all databases since the start. */
    public SyncCounters counters() {
        return counters;
    }

    /** How many databases are replicated. */
    public int size() {
        return databases.size();
    }

    Time time() {
        return time;
    }
}
