package io.loomstream.engine.compaction;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.ReplicaFile;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Who has work to do, and when. A database has a {@link Unit} while there is news of it, while its turn is taken, and while
 * something is remembered about it; one that only waits for its time, and has a seat in a table, is parked: a row number in
 * {@link DueRows}. Thread-safe; calls no site back under its lock but for its name and seat.
 */
final class Waiting {
    private static final Duration LONGEST_WAIT = Duration.ofSeconds(1);
    private static final Duration FIRST_RETRY = Duration.ofSeconds(2);
    private static final Duration LONGEST_RETRY = Duration.ofMinutes(5);

    private final Time time;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    // Guarded by lock.
    private final Map<Site, Unit> units = new HashMap<>();
    private final LaneQueue compactions;
    private final LaneQueue snapshots;
    private long created;

    /** Which gate work waits at. */
    enum Lane {
        COMPACTION,
        SNAPSHOT
    }

    Waiting(Time time) {
        this.time = time;
        this.compactions = new LaneQueue(time.nanoTime());
        this.snapshots = new LaneQueue(time.nanoTime());
    }

    private LaneQueue queueOf(Lane lane) {
        return lane == Lane.SNAPSHOT ? snapshots : compactions;
    }

    /** Databases that have something to do, now or later. */
    int size() {
        lock.lock();
        try {
            return units.size() + compactions.parked() + snapshots.parked();
        } finally {
            lock.unlock();
        }
    }

    /** Bytes of what is kept of those that only wait. */
    long parkedBytes() {
        lock.lock();
        try {
            return compactions.parkedBytes() + snapshots.parkedBytes();
        } finally {
            lock.unlock();
        }
    }

    // ---- what is told

    void stored(Site site, Levels levels, ReplicaFile file, long checksum) {
        lock.lock();
        try {
            Unit unit = unit(site);
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
        unit.newsDue(levels, now).ifPresent(due -> queueNoLater(unit, nanosOf(due, now)));
    }

    private void queueNoLater(Unit unit, long nanos) {
        // What failed waits for its next try, however much comes meanwhile.
        boolean earlier = unit.failures == 0 && nanos - unit.dueNanos < 0;
        if (!unit.running && (!unit.isQueued() || earlier)) {
            queue(unit, nanos, Lane.COMPACTION);
        }
    }

    void located(Site site, Levels levels, Txid newest) {
        lock.lock();
        try {
            Unit unit = unit(site);
            unit.located(newest);
            if (!newest.isZero()) {
                Instant now = time.now();
                queueNoLater(unit, nanosOf(unit.firstDue(levels, now, now), now));
            }
        } finally {
            lock.unlock();
        }
    }

    void departed(Site site) {
        lock.lock();
        try {
            Unit unit = units.get(site);
            if (unit == null || unit.running) {
                return;
            }
            if (unit.hasFiles()) {
                queue(unit, time.nanoTime(), Lane.COMPACTION);
            } else if (!unit.isQueued()) {
                forget(unit); // where its replica stands is asked for again with the next change
            }
        } finally {
            lock.unlock();
        }
    }

    /** Work is due that an earlier process left. */
    void dueAt(Site site, Instant due) {
        lock.lock();
        try {
            Unit unit = unit(site);
            queueNoLater(unit, nanosOf(due, time.now()));
            parkIfIdle(unit);
        } finally {
            lock.unlock();
        }
    }

    void request(Site site, Request request) {
        lock.lock();
        try {
            Unit unit = unit(site);
            unit.add(request);
            if (!unit.running) {
                queueRequests(unit);
            }
        } finally {
            lock.unlock();
        }
    }

    private void queueRequests(Unit unit) {
        queue(unit, time.nanoTime(), unit.requestsSnapshot() ? Lane.SNAPSHOT : Lane.COMPACTION);
    }

    private long nanosOf(Instant due, Instant now) {
        Duration wait = Duration.between(now, due);
        // Further away than a century does not fit, and does not matter.
        long nanos = wait.toDays() > 36500 ? Long.MAX_VALUE / 4 : wait.isNegative() ? 0 : wait.toNanos();
        return time.nanoTime() + nanos;
    }

    // ---- units and seats

    /** The unit of a database for a caller that does its work itself. */
    Unit unitOf(Site site) {
        lock.lock();
        try {
            return unit(site);
        } finally {
            lock.unlock();
        }
    }

    /** A database's unit; one that was parked is due when it was. */
    private Unit unit(Site site) {
        Unit known = units.get(site);
        if (known != null) {
            return known;
        }
        Unit unit = new Unit(site, created++);
        units.put(site, unit);
        site.seat().ifPresent(seat -> {
            for (Lane lane : Lane.values()) {
                queueOf(lane).unpark(seat, unit.mark()).ifPresent(dueNanos -> queue(unit, dueNanos, lane));
            }
        });
        return unit;
    }

    private void queue(Unit unit, long nanos, Lane lane) {
        unqueue(unit);
        unit.dueNanos = nanos;
        unit.lane = lane;
        queueOf(lane).add(unit);
        changed.signalAll();
    }

    private void unqueue(Unit unit) {
        if (unit.isQueued()) {
            queueOf(unit.lane).remove(unit);
            unit.dueNanos = Unit.NOT_QUEUED;
        }
    }

    private void forget(Unit unit) {
        unqueue(unit);
        units.remove(unit.site());
    }

    /** Keeps no more than a row number of a unit that only waits, where its site has one. */
    private void parkIfIdle(Unit unit) {
        if (unit.running || !unit.isQueued() || !unit.isIdle(time.nanoTime())) {
            return;
        }
        Optional<SiteTable.Seat> seat = unit.site().seat();
        if (seat.isPresent()) {
            queueOf(unit.lane).park(seat.get(), unit.mark(), unit.dueNanos, time.nanoTime());
            forget(unit);
        }
    }

    /** The unit of a seat whose time has come; null when the row is another database's by now, or its turn is coming. */
    private @Nullable Unit seated(LaneQueue.Parked parked) {
        Optional<Site> site = parked.seat().table().site(parked.seat().row());
        if (site.isEmpty() || Unit.markOf(site.get().name()) != parked.mark()) {
            return null;
        }
        Unit unit = unit(site.get());
        return unit.running || unit.isQueued() ? null : unit;
    }

    // ---- turns

    void awaitDue(Lane lane) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (true) {
                Optional<Long> first = queueOf(lane).firstDue();
                long wait = first.map(nanos -> nanos - time.nanoTime()).orElse(LONGEST_WAIT.toNanos());
                if (wait <= 0) {
                    return;
                }
                changed.awaitNanos(Math.min(wait, LONGEST_WAIT.toNanos()));
            }
        } finally {
            lock.unlock();
        }
    }

    /** Takes the next unit whose time has come, which is running from now on; null when there is none. */
    @Nullable
    Unit next(Lane lane) {
        lock.lock();
        try {
            LaneQueue queue = queueOf(lane);
            while (true) {
                Optional<Long> first = queue.firstDue();
                if (first.isEmpty() || first.get() - time.nanoTime() > 0) {
                    return null;
                }
                Unit unit = queue.firstUnit().orElse(null);
                if (unit != null && unit.dueNanos == first.get()) {
                    unqueue(unit);
                } else {
                    unit = seated(queue.takeParked());
                }
                if (unit != null) {
                    unit.running = true;
                    return unit;
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** When the next work is due, nanoseconds of the monotonic clock; empty when there is none. */
    Optional<Long> nextDueNanos() {
        lock.lock();
        try {
            return Stream.of(compactions, snapshots)
                    .flatMap(lane -> lane.firstDue().stream())
                    .min((a, b) -> Long.compare(a - b, 0));
        } finally {
            lock.unlock();
        }
    }

    /** In how long one database's next work is due, zero while it is being done; empty when there is none. */
    Optional<Duration> due(Site site) {
        lock.lock();
        try {
            long now = time.nanoTime();
            Unit unit = units.get(site);
            Optional<Long> nanos;
            if (unit != null) {
                nanos = unit.running
                        ? Optional.of(now)
                        : Optional.of(unit.dueNanos).filter(due -> unit.isQueued());
            } else {
                int mark = Unit.markOf(site.name());
                nanos = site.seat()
                        .flatMap(seat -> Stream.of(compactions, snapshots)
                                .flatMap(lane -> lane.due(seat, mark).stream())
                                .findFirst());
            }
            return nanos.map(due -> Duration.ofNanos(Math.max(0, due - now)));
        } finally {
            lock.unlock();
        }
    }

    Unit.News takeNews(Unit unit) {
        lock.lock();
        try {
            return unit.takeNews();
        } finally {
            lock.unlock();
        }
    }

    List<Request> takeRequests(Unit unit, boolean maySnapshot) {
        lock.lock();
        try {
            return unit.takeRequests(maySnapshot);
        } finally {
            lock.unlock();
        }
    }

    /** The newest TXID of what has come to a unit's replica since its turn began. */
    Txid told(Unit unit) {
        lock.lock();
        try {
            return unit.told();
        } finally {
            lock.unlock();
        }
    }

    /** A turn ended as it should. */
    void ended(Unit unit, Levels levels, Turn.Result result) {
        lock.lock();
        try {
            unit.running = false;
            if (unit.hasRequests()) { // while the turn was taken
                queueRequests(unit);
                return;
            }
            Lane lane = result.snapshot() ? Lane.SNAPSHOT : Lane.COMPACTION;
            result.due().ifPresent(due -> queue(unit, nanosOf(due, time.now()), lane));
            if (unit.hasNews()) {
                queueNews(unit, levels);
            } else if (!unit.isQueued()) {
                forget(unit);
                return;
            }
            parkIfIdle(unit);
        } finally {
            lock.unlock();
        }
    }

    /** There is nothing to do for a unit after all. */
    void dismissed(Unit unit) {
        lock.lock();
        try {
            unit.running = false;
            if (unit.hasRequests()) {
                queueRequests(unit);
            } else {
                forget(unit);
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * A turn failed, and is taken again.
     *
     * @param back the news that it did not write down
     */
    void failed(Unit unit, Unit.News back) {
        lock.lock();
        try {
            unit.running = false;
            unit.giveBack(back);
            if (unit.hasRequests()) {
                queueRequests(unit);
                return;
            }
            long wait =
                    Math.min(LONGEST_RETRY.toNanos(), FIRST_RETRY.toNanos() << Math.clamp(unit.failures - 1L, 0, 20));
            queue(unit, time.nanoTime() + wait - (long) (wait * unit.share() / 4), Lane.COMPACTION);
        } finally {
            lock.unlock();
        }
    }

    /** Those of which something is known only here. */
    List<Unit> units() {
        lock.lock();
        try {
            return new ArrayList<>(units.values());
        } finally {
            lock.unlock();
        }
    }
}
