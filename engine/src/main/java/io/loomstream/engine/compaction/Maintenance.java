package io.loomstream.engine.compaction;

import io.loomstream.engine.concurrent.Gate;
import io.loomstream.engine.concurrent.TaskScope;
import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.error.EngineException;
import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.error.UnsupportedDatabaseException;
import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.MissingFileException;
import io.loomstream.engine.replica.ReplicaFile;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compaction, snapshots and retention of all databases of a process. Is told what comes to the replicas, remembers who has
 * work when, and does it as it becomes due: one task a database at a time, as many at once as two gates let in. A database
 * that has nothing to do costs nothing; one that has, until then, an entry in a heap: its files are in its index on disk.
 *
 * <p>Snapshots wait at the snapshot gate, all else at the compaction gate. The permit is acquired before the task is forked,
 * and requests to S3 are made inside: never the other way round.
 *
 * <p>Thread-safe.
 */
public final class Maintenance {
    private static final Logger log = LoggerFactory.getLogger(Maintenance.class);

    private static final Duration LONGEST_WAIT = Duration.ofSeconds(1);
    private static final Duration FIRST_RETRY = Duration.ofSeconds(2);
    private static final Duration LONGEST_RETRY = Duration.ofMinutes(5);
    private static final Duration LINE_INTERVAL = Duration.ofSeconds(30);
    /** A complete copy that was asked for takes its time. */
    private static final Duration ASK_AGAIN = Duration.ofMinutes(30);

    private final Lane levelLane;
    private final Lane snapshotLane;
    private final Time time;
    private final CodecResources codec;
    private final CompactionCounters counters = new CompactionCounters();
    private final WaryClock clock;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    // Guarded by lock, with the lanes' heaps.
    private final Map<Site, Unit> units = new HashMap<>();

    /** Work behind one gate. */
    private record Lane(Gate gate, boolean snapshots, PriorityQueue<Entry> heap) {
        static Lane of(Gate gate, boolean snapshots) {
            return new Lane(gate, snapshots, new PriorityQueue<>((a, b) -> Long.compare(a.nanos() - b.nanos(), 0)));
        }
    }

    /** Stands for nothing any more when the unit is due at another moment. */
    private record Entry(Unit unit, long nanos) {}

    /**
     * Nothing is done before {@link #dispatchIn}.
     *
     * @param compactions bounds merges and deletions
     * @param snapshots bounds snapshots; may be shared with copies of whole databases
     */
    public Maintenance(Gate compactions, Gate snapshots, Time time, CodecResources codec) {
        this.levelLane = Lane.of(compactions, false);
        this.snapshotLane = Lane.of(snapshots, true);
        this.time = time;
        this.codec = codec;
        this.clock = new WaryClock(time);
    }

    public CompactionCounters counters() {
        return counters;
    }

    /** Databases that have something to do, now or later. */
    public int waiting() {
        lock.lock();
        try {
            return units.size();
        } finally {
            lock.unlock();
        }
    }

    // ---- what is told

    /**
     * A file came to a replica.
     *
     * @param checksum its file checksum
     */
    public void stored(Site site, Levels levels, ReplicaFile file, long checksum) {
        lock.lock();
        try {
            Unit unit = units.computeIfAbsent(site, Unit::new);
            unit.stored(file, checksum);
            if (levels.validationInterval().isPositive() && unit.validateAt == null && !unit.running) {
                unit.validateAt = Levels.boundaryAfter(time.now(), levels.validationInterval());
            }
            queueNews(unit, levels);
        } finally {
            lock.unlock();
        }
    }

    private void queueNews(Unit unit, Levels levels) {
        Instant now = time.now();
        unit.newsDue(levels, now).ifPresent(due -> {
            long nanos = nanosOf(due, now);
            // What failed waits for its next try, however much comes meanwhile.
            boolean earlier = unit.failures == 0 && nanos - unit.dueNanos < 0;
            if (!unit.running && (unit.dueNanos == Unit.NOT_QUEUED || earlier)) {
                queue(unit, nanos, false);
            }
        });
    }

    /**
     * A replica said where it stands: after the start, and whenever that was in doubt. What an earlier process did not note
     * any more, or another program left, is seen at the next turn, so there is one; it costs no request when all is known.
     */
    public void located(Site site, Levels levels, Txid newest) {
        lock.lock();
        try {
            Unit unit = units.computeIfAbsent(site, Unit::new);
            unit.located(newest);
            if (!newest.isZero() && !unit.running && unit.dueNanos == Unit.NOT_QUEUED) {
                Instant now = time.now();
                queue(unit, nanosOf(unit.firstDue(levels, now, now), now), false);
            }
        } finally {
            lock.unlock();
        }
    }

    /** A database goes cold: what is known about it only here is to be written down soon. */
    public void departed(Site site) {
        lock.lock();
        try {
            Unit unit = units.get(site);
            if (unit == null || unit.running) {
                return;
            }
            if (unit.hasFiles()) {
                queue(unit, time.nanoTime(), false);
            } else if (unit.dueNanos == Unit.NOT_QUEUED) {
                units.remove(site); // where its replica stands is asked for again with the next change
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Looks up when a database's work is due that an earlier process left; from the head of one small file.
     *
     * @param meta the database's meta directory
     */
    public void rediscover(Site site, Path meta) {
        Optional<Instant> due;
        try {
            due = LevelJournal.dueOf(Subject.indexFile(meta));
        } catch (IOException unreadable) {
            log.atDebug().addKeyValue("db", site.name()).setCause(unreadable).log("no level index");
            return;
        }
        if (due.isEmpty()) {
            return;
        }
        lock.lock();
        try {
            Unit unit = units.computeIfAbsent(site, Unit::new);
            long nanos = nanosOf(due.get(), time.now());
            if (!unit.running && (unit.dueNanos == Unit.NOT_QUEUED || nanos - unit.dueNanos < 0)) {
                queue(unit, nanos, false);
            }
        } finally {
            lock.unlock();
        }
    }

    private long nanosOf(Instant due, Instant now) {
        Duration wait = Duration.between(now, due);
        // Further away than a century does not fit, and does not matter.
        long nanos = wait.toDays() > 36500 ? Long.MAX_VALUE / 4 : wait.isNegative() ? 0 : wait.toNanos();
        return time.nanoTime() + nanos;
    }

    private void queue(Unit unit, long nanos, boolean snapshot) {
        unit.dueNanos = nanos;
        unit.wantsSnapshotGate = snapshot;
        (snapshot ? snapshotLane : levelLane).heap().add(new Entry(unit, nanos));
        changed.signalAll();
    }

    // ---- dispatch

    /**
     * Forks the threads that do the work as it becomes due; they run until cancelled.
     *
     * @param tasks owns the tasks
     */
    public void dispatchIn(TaskScope dispatchers, TaskScope tasks) {
        for (Lane lane : List.of(levelLane, snapshotLane)) {
            dispatchers.fork(() -> {
                while (true) {
                    awaitDue(lane);
                    // First the permit, then the choice: whose turn it is may change while it is waited for.
                    Gate.Permit permit = lane.gate().acquire();
                    Unit unit = next(lane);
                    if (unit == null) {
                        permit.close();
                        continue;
                    }
                    boolean forked = false;
                    try {
                        tasks.fork(() -> {
                            try {
                                take(unit, lane.snapshots());
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

    private void awaitDue(Lane lane) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (true) {
                Entry first = lane.heap().peek();
                long wait = first == null ? LONGEST_WAIT.toNanos() : first.nanos() - time.nanoTime();
                if (wait <= 0) {
                    return;
                }
                changed.awaitNanos(Math.min(wait, LONGEST_WAIT.toNanos()));
            }
        } finally {
            lock.unlock();
        }
    }

    /** Takes the next unit that is due out of its heap; null when there is none. */
    private @Nullable Unit next(Lane lane) {
        lock.lock();
        try {
            while (true) {
                Entry first = lane.heap().peek();
                if (first == null || first.nanos() - time.nanoTime() > 0) {
                    return null;
                }
                lane.heap().remove();
                Unit unit = first.unit();
                boolean counts =
                        unit.dueNanos == first.nanos() && unit.wantsSnapshotGate == lane.snapshots() && !unit.running;
                if (counts) {
                    unit.running = true;
                    unit.dueNanos = Unit.NOT_QUEUED;
                    return unit;
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** Does everything that is due now in the calling thread: for simulated time. */
    void runDue() throws InterruptedException {
        boolean more = true;
        while (more) {
            more = false;
            for (Lane lane : List.of(levelLane, snapshotLane)) {
                for (Unit unit = next(lane); unit != null; unit = next(lane)) {
                    take(unit, lane.snapshots());
                    more = true;
                }
            }
        }
    }

    /** When the next work is due, nanoseconds of the monotonic clock; empty when there is none. */
    Optional<Long> nextDueNanos() {
        lock.lock();
        try {
            return units.values().stream()
                    .map(unit -> unit.dueNanos)
                    .filter(nanos -> nanos != Unit.NOT_QUEUED)
                    .min((a, b) -> Long.compare(a - b, 0));
        } finally {
            lock.unlock();
        }
    }

    // ---- a turn

    private void take(Unit unit, boolean maySnapshot) throws InterruptedException {
        Unit.News news = takeNews(unit);
        List<Request> requests = takeRequests(unit, maySnapshot);
        boolean written = false;
        Turn.Result result = null;
        Subject subject = null;
        Turn turn = null;
        try {
            Optional<Subject> found = unit.site().subject();
            if (found.isEmpty() || !Files.isDirectory(found.get().meta())) {
                written = true; // nobody replicates it any more
                refuse(
                        requests,
                        new UnsupportedDatabaseException(
                                unit.site().name() + ": nothing is compacted here: it is not replicated, or not yet"));
                return;
            }
            Optional<ConflictException> lost = found.get().lost();
            if (lost.isPresent()) {
                written = true; // the other server looks after it
                refuse(requests, lost.get());
                return;
            }
            subject = found.get();
            turn = new Turn(subject, unit, context());
            result = turn.take(news, requests, maySnapshot);
            written = true;
            succeeded(unit, subject, news, result);
        } catch (EngineException failure) {
            failed(unit, subject, failure);
        } catch (IOException failure) {
            interruptedIf(failure);
            failed(unit, subject, failure);
        } finally {
            ended(unit, written || (turn != null && turn.newsWritten()) ? Unit.News.NONE : news, subject, result);
        }
    }

    /** A file channel reports an interruption as an input-output error. */
    private static void interruptedIf(IOException failure) throws InterruptedException {
        if (failure instanceof ClosedByInterruptException) {
            throw new InterruptedException();
        }
    }

    private Unit.News takeNews(Unit unit) {
        lock.lock();
        try {
            return unit.takeNews();
        } finally {
            lock.unlock();
        }
    }

    private List<Request> takeRequests(Unit unit, boolean maySnapshot) {
        lock.lock();
        try {
            return unit.takeRequests(maySnapshot);
        } finally {
            lock.unlock();
        }
    }

    private static void refuse(List<Request> requests, EngineException why) {
        requests.forEach(request -> request.done().completeExceptionally(why));
    }

    /** The newest TXID of what has come to a unit's replica since its turn began. */
    private Txid toldMeanwhile(Unit unit) {
        lock.lock();
        try {
            return unit.told();
        } finally {
            lock.unlock();
        }
    }

    private Turn.Context context() {
        Instant now = time.now();
        return new Turn.Context(now, clock.now(), codec, counters, this::toldMeanwhile);
    }

    private void succeeded(Unit unit, Subject subject, Unit.News news, Turn.Result result) throws InterruptedException {
        if (unit.failures > 0) {
            unit.failures = 0;
            log.atInfo().addKeyValue("db", subject.database()).log("compacting again");
        }
        if (news.bringsSnapshot()) {
            unit.everAsked = false;
        }
        String broken = result.broken();
        long nanos = time.nanoTime();
        if (broken != null && (!unit.everAsked || nanos - unit.askedAtNanos >= ASK_AGAIN.toNanos())) {
            unit.everAsked = true;
            unit.askedAtNanos = nanos;
            counters.brokenChains.increment();
            log.atError()
                    .addKeyValue("db", subject.database())
                    .addKeyValue("problem", broken)
                    .log("the replica has a hole; a complete copy of the database is made");
            unit.site().wantsCompleteCopy(broken);
        }
    }

    private void failed(Unit unit, @Nullable Subject subject, Exception failure) {
        unit.failures++;
        counters.failures.increment();
        if (failure instanceof MissingFileException || failure instanceof ConflictException) {
            forgetIndex(subject);
        }
        long nanos = time.nanoTime();
        if (!unit.everSaid || nanos - unit.saidAtNanos >= LINE_INTERVAL.toNanos()) {
            unit.everSaid = true;
            unit.saidAtNanos = nanos;
            log.atError()
                    .addKeyValue("db", unit.site().name())
                    .addKeyValue("failures", unit.failures)
                    .addKeyValue("error", failure.getMessage())
                    .log("compaction or retention failed; trying again");
        }
    }

    /** What the index says is not what the replica has: it is listed the next time. */
    private static void forgetIndex(@Nullable Subject subject) {
        if (subject != null) {
            try {
                Files.deleteIfExists(subject.indexFile());
            } catch (IOException e) {
                throw new TransientStorageException(subject.indexFile() + ": " + e.getMessage(), e);
            }
        }
    }

    private void ended(Unit unit, Unit.News back, @Nullable Subject subject, Turn.@Nullable Result result) {
        lock.lock();
        try {
            unit.running = false;
            unit.giveBack(back);
            if (subject == null && result == null && back.isEmpty() && !unit.hasRequests()) {
                units.remove(unit.site());
                return;
            }
            if (unit.hasRequests()) { // while the turn was taken
                queue(unit, time.nanoTime(), unit.requestsSnapshot());
                return;
            }
            if (result == null) {
                long wait = Math.min(
                        LONGEST_RETRY.toNanos(), FIRST_RETRY.toNanos() << Math.clamp(unit.failures - 1L, 0, 20));
                queue(unit, time.nanoTime() + wait - (long) (wait * unit.share() / 4), false);
                return;
            }
            result.due().ifPresent(due -> queue(unit, nanosOf(due, time.now()), result.snapshot()));
            if (subject != null && unit.hasNews()) {
                queueNews(unit, subject.levels());
            }
            if (unit.dueNanos == Unit.NOT_QUEUED && !unit.hasNews()) {
                units.remove(unit.site());
            }
        } finally {
            lock.unlock();
        }
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
        lock.lock();
        try {
            Unit unit = units.computeIfAbsent(site, Unit::new);
            unit.add(request);
            if (!unit.running) {
                queue(unit, time.nanoTime(), unit.requestsSnapshot());
            }
        } finally {
            lock.unlock();
        }
        return request.done();
    }

    /**
     * Makes a snapshot or enforces the retention of snapshots now, and writes down what came; for a run that ends after it.
     *
     * @throws EngineException when that failed
     */
    public void demand(Site site, Subject subject, boolean snapshot, boolean retention) throws InterruptedException {
        Unit unit = unitOf(site);
        Gate.Permit permit = snapshotLane.gate().acquire();
        try {
            new Turn(subject, unit, context()).demand(takeNews(unit), snapshot, retention);
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

    private Unit unitOf(Site site) {
        lock.lock();
        try {
            return units.computeIfAbsent(site, Unit::new);
        } finally {
            lock.unlock();
        }
    }

    /** Writes down what came and was not written down yet; all threads have ended. Lists nothing. */
    public void end() {
        List<Unit> left;
        lock.lock();
        try {
            left = new ArrayList<>(units.values());
        } finally {
            lock.unlock();
        }
        for (Unit unit : left) {
            takeRequests(unit, true)
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
            new Turn(subject.get(), unit, context()).writeDown(takeNews(unit));
        } catch (IOException | EngineException e) {
            log.atWarn()
                    .addKeyValue("db", unit.site().name())
                    .addKeyValue("error", e.getMessage())
                    .log("what came to the replica was not noted; it is listed with the next change");
        }
    }
}
