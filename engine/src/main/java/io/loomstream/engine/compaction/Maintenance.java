package io.loomstream.engine.compaction;

import io.loomstream.engine.concurrent.Gate;
import io.loomstream.engine.concurrent.TaskScope;
import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.error.EngineException;
import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.ReplicaFile;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compaction, snapshots and retention of all databases of a process. Is told what comes to the replicas, remembers who has
 * work when, and does it as it becomes due: one task a database at a time, as many at once as two gates let in. A database
 * that has nothing to do costs nothing; one of a fleet that has, until then, about 30 bytes: its files are in its index on
 * disk.
 *
 * <p>Snapshots wait at the snapshot gate, all else at the compaction gate. The permit is acquired before the task is forked,
 * and requests to S3 are made inside: never the other way round.
 *
 * <p>Thread-safe.
 */
public final class Maintenance {
    private static final Logger log = LoggerFactory.getLogger(Maintenance.class);

    private final Gate compactions;
    private final Gate snapshots;
    private final Waiting waiting;
    private final Turns turns;

    /**
     * Nothing is done before {@link #dispatchIn}.
     *
     * @param compactions bounds merges and deletions
     * @param snapshots bounds snapshots; may be shared with copies of whole databases
     */
    public Maintenance(Gate compactions, Gate snapshots, Time time, CodecResources codec) {
        this.compactions = compactions;
        this.snapshots = snapshots;
        this.waiting = new Waiting(time);
        this.turns = new Turns(waiting, time, codec);
    }

    public CompactionCounters counters() {
        return turns.counters();
    }

    /** Databases that have something to do, now or later. */
    public int waiting() {
        return waiting.size();
    }

    /** Bytes of what is kept of fleets' databases that only wait. */
    public long waitingBytes() {
        return waiting.parkedBytes();
    }

    // ---- what is told

    /**
     * A file came to a replica.
     *
     * @param checksum its file checksum
     */
    public void stored(Site site, Levels levels, ReplicaFile file, long checksum) {
        waiting.stored(site, levels, file, checksum);
    }

    /**
     * A replica said where it stands: after the start, and whenever that was in doubt. What an earlier process did not note
     * any more, or another program left, is seen at the next turn, so there is one; it costs no request when all is known.
     */
    public void located(Site site, Levels levels, Txid newest) {
        waiting.located(site, levels, newest);
    }

    /** A database goes cold: what is known about it only here is to be written down soon. */
    public void departed(Site site) {
        waiting.departed(site);
    }

    /**
     * Looks up when a database's work is due that an earlier process left; from the head of one small file.
     *
     * @param meta the database's meta directory
     */
    public void rediscover(Site site, Path meta) {
        try {
            LevelJournal.dueOf(Subject.indexFile(meta)).ifPresent(due -> waiting.dueAt(site, due));
        } catch (IOException unreadable) {
            log.atDebug().addKeyValue("db", site.name()).setCause(unreadable).log("no level index");
        }
    }

    // ---- dispatch

    /**
     * Forks the threads that do the work as it becomes due; they run until cancelled.
     *
     * @param tasks owns the tasks
     */
    public void dispatchIn(TaskScope dispatchers, TaskScope tasks) {
        for (Waiting.Lane lane : Waiting.Lane.values()) {
            dispatchers.fork(() -> {
                while (true) {
                    waiting.awaitDue(lane);
                    // First the permit, then the choice: whose turn it is may change while it is waited for.
                    Gate.Permit permit = gate(lane).acquire();
                    Unit unit = waiting.next(lane);
                    if (unit == null) {
                        permit.close();
                        continue;
                    }
                    boolean forked = false;
                    try {
                        tasks.fork(() -> {
                            try {
                                turns.take(unit, lane == Waiting.Lane.SNAPSHOT);
                            } finally {
                                permit.close();
                            }
                            return null;
                        });
                        forked = true;
                    } finally {
                        if (!forked) {
                            permit.close();
                        }
                    }
                }
            });
        }
    }

    private Gate gate(Waiting.Lane lane) {
        return lane == Waiting.Lane.SNAPSHOT ? snapshots : compactions;
    }

    /** Does everything that is due now in the calling thread: for simulated time. */
    void runDue() throws InterruptedException {
        boolean more = true;
        while (more) {
            more = false;
            for (Waiting.Lane lane : Waiting.Lane.values()) {
                for (Unit unit = waiting.next(lane); unit != null; unit = waiting.next(lane)) {
                    turns.take(unit, lane == Waiting.Lane.SNAPSHOT);
                    more = true;
                }
            }
        }
    }

    /** When the next work is due, nanoseconds of the monotonic clock; empty when there is none. */
    Optional<Long> nextDueNanos() {
        return waiting.nextDueNanos();
    }

    /** In how long something is to be merged or deleted for a database, zero when now; empty when nothing is. */
    public Optional<Duration> due(Site site) {
        return waiting.due(site);
    }

    // ---- on demand, and at the end

    /**
     * Merges what there is into every level now, whatever is due when.
     *
     * @return the TXID that the replica stood at, or an {@link EngineException} or {@link IOException} as failure; ends in
     *     the thread that did the work
     */
    public CompletableFuture<Txid> compactNow(Site site) {
        return request(site, Request.Kind.COMPACT);
    }

    /** Makes a snapshot now, unless there is one of the newest state; otherwise as {@link #compactNow}. */
    public CompletableFuture<Txid> snapshotNow(Site site) {
        return request(site, Request.Kind.SNAPSHOT);
    }

    private CompletableFuture<Txid> request(Site site, Request.Kind kind) {
        Request request = new Request(kind, new CompletableFuture<>());
        waiting.request(site, request);
        return request.done();
    }

    /**
     * Makes a snapshot or enforces the retention of snapshots now, and writes down what came; for a run that ends after it.
     *
     * @throws EngineException when that failed
     */
    public void demand(Site site, Subject subject, boolean snapshot, boolean retention) throws InterruptedException {
        Unit unit = waiting.unitOf(site);
        Gate.Permit permit = snapshots.acquire();
        try {
            new Turn(subject, unit, turns.context()).demand(waiting.takeNews(unit), snapshot, retention);
        } catch (IOException e) {
            throw new TransientStorageException(subject.database() + ": " + e.getMessage(), e);
        } catch (LevelWork.BrokenChain e) {
            throw new TransientStorageException(
                    subject.database() + ": the replica has a hole: " + e.getMessage()
                            + "; run the server, which makes a complete copy",
                    e);
        } finally {
            permit.close();
        }
    }

    /** Writes down what came and was not written down yet; all threads have ended. Lists nothing. */
    public void end() {
        for (Unit unit : waiting.units()) {
            waiting.takeRequests(unit, true)
                    .forEach(request -> request.done()
                            .completeExceptionally(new TransientStorageException(
                                    unit.site().name() + ": the server has stopped", null)));
            if (unit.hasFiles()) {
                writeDown(unit);
            }
        }
    }

    private void writeDown(Unit unit) {
        Optional<Subject> subject = unit.site().subject();
        if (subject.isEmpty()) {
            return;
        }
        try {
            new Turn(subject.get(), unit, turns.context()).writeDown(waiting.takeNews(unit));
        } catch (IOException | EngineException e) {
            log.atWarn()
                    .addKeyValue("db", unit.site().name())
                    .addKeyValue("error", e.getMessage())
                    .log("what came to the replica was not noted; it is listed with the next change");
        }
    }
}
