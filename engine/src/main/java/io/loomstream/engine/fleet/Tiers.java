package io.loomstream.engine.fleet;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.fleet.LiveDatabase.Stay;
import io.loomstream.engine.fleet.Retries.Failure;
import io.loomstream.engine.fleet.Service.End;
import io.loomstream.engine.sync.FileFingerprint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Moves the databases of a fleet between tiers: who is served next and for how long, and what it is when it comes back.
 *
 * <p>Three kinds wait: databases that changed, oldest first; databases seen for the first time, the most recently written
 * first; and those that failed, until their pause is over. Changed ones become hot while there is room; beyond that they are
 * served once and go again, so that nobody starves. A hot database that has been quiet for a while makes room early.
 *
 * <p>Thread-safe: one lock, never held while a database is worked on. The path table's own lock is taken inside it, never
 * the reverse.
 */
final class Tiers {
    /** So many are served beside the hot ones, while those are all busy. */
    static final int ONCE_MAX = 100;
    /** A hot database makes room for another only after it has been quiet, and hot, for so long: else they would thrash. */
    private static final Duration QUIET_BEFORE_EVICTION = Duration.ofSeconds(5);

    private static final Duration LONGEST_WAIT = Duration.ofSeconds(1);
    private static final long SHORTEST_WAIT_NANOS = 1_000_000;

    private final PathTable table;
    private final Time time;
    private final RandomGenerator random;
    private final int hotMax;
    private final Duration hotDuration;
    private final int seedingMax;
    private final Changes changes;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition news = lock.newCondition();

    // All guarded by lock.
    private final Map<Integer, LiveDatabase> live = new HashMap<>();
    private final RowQueue first = new RowQueue();
    private final RowQueue dirty = new RowQueue();
    private final RowQueue fresh = new RowQueue();
    private final Retries retries = new Retries();
    private final Map<Integer, String> reasons = new HashMap<>();
    private final Paused paused = new Paused();
    private final Set<Integer> comingBack = new HashSet<>();
    /** Whose turn it is, and who is not live yet: one thread asks who is next. */
    private int beginning = RowQueue.NONE;

    private int hot;
    private int once;
    private int seeding;
    private int leaving;
    private boolean draining;
    private long drainingSince;
    private List<Integer> hotBeforeDraining = List.of();

    /** Is told of every change of tier, after the lock is released, in the thread that made it. */
    @FunctionalInterface
    interface Changes {
        void changed(int row, Tier from, Tier to, String why);
    }

    /** A database whose turn it is. */
    record Assignment(int row, Stay stay) {}

    Tiers(PathTable table, FleetOptions options, int seedingMax, Time time, RandomGenerator random, Changes changes) {
        this.table = table;
        this.hotMax = options.hotMax();
        this.hotDuration = options.hotDuration();
        this.seedingMax = seedingMax;
        this.time = time;
        this.random = random;
        this.changes = changes;
    }

    /** How long a hot database has to be quiet before it goes cold. */
    Duration hotDuration() {
        return hotDuration;
    }

    // ---- what the scanner sees

    /** A database that was not there before, or is another one now. */
    void discovered(int row) {
        locked(() -> fresh.add(row));
    }

    /** Databases that were hot when the last process ended, or were written to just now. */
    void comesFirst(int row) {
        locked(() -> first.add(row));
    }

    /** A settled database's files changed, and the scanner moved it: it waits for its turn. */
    void written(int row) {
        if (table.isIn(row, Tier.COLD_DIRTY)) {
            changes.changed(row, Tier.COLD_CLEAN, Tier.COLD_DIRTY, "written to");
            locked(() -> dirty.add(row));
        } else if (table.isIn(row, Tier.DISCOVERED)) {
            changes.changed(row, Tier.IGNORED, Tier.DISCOVERED, "changed");
            locked(() -> fresh.add(row));
        }
    }

    /** The scanner made a row GONE; whoever serves it finds out by itself. */
    void gone(int row) {
        changes.changed(row, Tier.COLD_CLEAN, Tier.GONE, "the file is gone");
        locked(() -> {
            retries.forget(row);
            reasons.remove(row);
            paused.forget(row);
        });
    }

    /**
     * Forgets a database that is GONE; its row may be another one's then. False while it is served: whoever does finds out by
     * itself. What still waits in a queue under this number does no harm: a row whose turn comes early is only looked at early.
     */
    boolean forget(int row) {
        lock.lock();
        try {
            if (row == beginning || live.containsKey(row) || !table.remove(row)) {
                return false;
            }
            retries.forget(row);
            reasons.remove(row);
            paused.forget(row);
            return true;
        } finally {
            lock.unlock();
        }
    }

    // ---- who is next

    /** Waits until a database can be served, and takes it out of its queue. */
    Assignment next() throws InterruptedException {
        while (true) {
            lock.lockInterruptibly();
            Assignment chosen = null;
            try {
                while (chosen == null) {
                    long now = time.nanoTime();
                    for (int row = retries.poll(now); row != RowQueue.NONE; row = retries.poll(now)) {
                        dirty.add(row);
                    }
                    chosen = choose(now);
                    beginning = chosen == null ? RowQueue.NONE : chosen.row();
                    if (chosen == null) {
                        long wait = Math.min(LONGEST_WAIT.toNanos(), retries.untilNext(now));
                        news.awaitNanos(Math.max(wait, SHORTEST_WAIT_NANOS));
                    }
                }
            } finally {
                lock.unlock();
            }
            if (begin(chosen)) {
                return chosen;
            }
            release(chosen);
        }
    }

    private @Nullable Assignment choose(long now) {
        boolean room = hot < hotMax && !draining;
        if (dirty.size() > 0 && !room) {
            makeRoom(now);
        }
        while (true) {
            room = hot < hotMax && !draining;
            Assignment chosen = first.size() > 0 && (room || draining || seeding < seedingMax)
                    ? new Assignment(first.poll(), room ? Stay.HOT : Stay.SEEDING)
                    : room && dirty.size() > 0
                            ? new Assignment(dirty.poll(), Stay.HOT)
                            : once < ONCE_MAX && dirty.size() > 0
                                    ? new Assignment(dirty.poll(), Stay.ONCE)
                                    : seeding < seedingMax && fresh.size() > 0
                                            ? new Assignment(fresh.poll(), Stay.SEEDING)
                                            : null;
            if (chosen == null) {
                return null;
            }
            if (paused.holdsBack(chosen.row())) {
                continue;
            }
            if (!live.containsKey(chosen.row())) {
                count(chosen.stay(), 1);
                return chosen;
            }
            // Deleted and made again while it was served: two owners of one file's locks must never be.
            comingBack.add(chosen.row());
        }
    }

    private void count(Stay stay, int by) {
        switch (stay) {
            case HOT -> hot += by;
            case ONCE -> once += by;
            case SEEDING -> seeding += by;
            case FOREVER -> throw new IllegalArgumentException("databases of the configuration have no tier");
        }
    }

    /** Asks the hot database that has been quiet longest to leave, if any has been for long enough. */
    private void makeRoom(long now) {
        if (leaving >= dirty.size()) {
            return;
        }
        LiveDatabase quietest = null;
        for (LiveDatabase candidate : live.values()) {
            boolean mayGo = candidate.stay() == Stay.HOT
                    && !candidate.askedToLeave()
                    && now - candidate.changedAt() >= QUIET_BEFORE_EVICTION.toNanos()
                    && now - candidate.since() >= QUIET_BEFORE_EVICTION.toNanos();
            if (mayGo && (quietest == null || candidate.changedAt() - quietest.changedAt() < 0)) {
                quietest = candidate;
            }
        }
        if (quietest != null) {
            quietest.askToLeave();
            leaving++;
        }
    }

    /** Moves the row to the tier of its stay; false when it is in none that allows it any more. */
    private boolean begin(Assignment chosen) {
        int row = chosen.row();
        for (Tier from : List.of(Tier.COLD_DIRTY, Tier.DISCOVERED, Tier.FAILED, Tier.COLD_CLEAN)) {
            Tier to = switch (chosen.stay()) {
                case HOT -> Tier.HOT;
                case SEEDING -> Tier.SEEDING;
                case ONCE, FOREVER -> Tier.COLD_DIRTY;
            };
            if (from == to) {
                if (table.isIn(row, from)) {
                    return true;
                }
            } else if (from.mayBecome(to) && table.transition(row, from, to)) {
                changes.changed(row, from, to, "its turn");
                return true;
            }
        }
        return false;
    }

    private void release(Assignment chosen) {
        locked(() -> count(chosen.stay(), -1));
    }

    /** Notes who is served from now on. */
    void serving(LiveDatabase database) {
        locked(() -> live.put(database.row(), database));
    }

    /** A chosen database could not even be begun. */
    void refused(Assignment chosen, DatabaseStamp stamp, String why) {
        locked(() -> {
            count(chosen.stay(), -1);
            reasons.put(chosen.row(), why);
        });
        ignore(chosen.row(), stamp, why);
    }

    /** The file of a chosen database does not exist. */
    void vanished(Assignment chosen) {
        release(chosen);
        Tier was = tierOf(chosen.stay());
        if (table.transition(chosen.row(), was, Tier.GONE)) {
            changes.changed(chosen.row(), was, Tier.GONE, "the file is gone");
        }
        locked(() -> paused.forget(chosen.row()));
    }

    /** A chosen database could not be begun this time. */
    void cannotBegin(Assignment chosen, String why) {
        release(chosen);
        fail(chosen.row(), tierOf(chosen.stay()), why);
    }

    // ---- who comes back

    /** A stay is over; the database's resources are given up already. */
    void ended(LiveDatabase database, End end) {
        int row = database.row();
        // Before anything is queued again: who is in a queue must not be served.
        locked(() -> {
            live.remove(row, database);
            count(database.stay(), -1);
            if (database.askedToLeave()) {
                leaving--;
            }
            if (comingBack.remove(row)) {
                fresh.add(row);
            }
        });
        Tier was = tierOf(database.stay());
        switch (end) {
            case End.Clean(var files) -> {
                DatabaseStamp stamp = DatabaseStamp.of(files.database(), files.wal(), FileFingerprint.ABSENT);
                if (stamp.racy() || !table.settle(row, was, Tier.COLD_CLEAN, stamp)) {
                    becomeDirty(row, was, "written to");
                } else {
                    changes.changed(row, was, Tier.COLD_CLEAN, "everything is on the replica");
                }
                succeeded(row);
            }
            case End.Dirty dirtied -> {
                becomeDirty(row, was, "written to while it was left");
                succeeded(row);
            }
            case End.Gone gone -> {
                locked(() -> paused.forget(row));
                if (table.transition(row, was, Tier.GONE)) {
                    changes.changed(row, was, Tier.GONE, "the file is gone");
                }
                succeeded(row);
            }
            case End.Unsupported(String why) -> ignore(row, database.stampAtBegin(), why);
            case End.Failing(String why) -> fail(row, was, why);
        }
    }

    private static Tier tierOf(Stay stay) {
        return switch (stay) {
            case HOT -> Tier.HOT;
            case SEEDING -> Tier.SEEDING;
            case ONCE -> Tier.COLD_DIRTY;
            case FOREVER -> throw new IllegalArgumentException("databases of the configuration have no tier");
        };
    }

    private void becomeDirty(int row, Tier was, String why) {
        boolean moved = was == Tier.COLD_DIRTY ? table.isIn(row, was) : table.transition(row, was, Tier.COLD_DIRTY);
        if (moved) {
            if (was != Tier.COLD_DIRTY) {
                changes.changed(row, was, Tier.COLD_DIRTY, why);
            }
            locked(() -> {
                if (!draining) {
                    dirty.add(row);
                }
            });
        }
    }

    private void ignore(int row, DatabaseStamp stamp, String why) {
        for (Tier from : List.of(Tier.HOT, Tier.SEEDING, Tier.COLD_DIRTY)) {
            if (table.settle(row, from, Tier.IGNORED, stamp)) {
                changes.changed(row, from, Tier.IGNORED, why);
                locked(() -> {
                    retries.forget(row);
                    reasons.put(row, why);
                });
                return;
            }
        }
    }

    private void fail(int row, Tier was, String why) {
        if (table.transition(row, was, Tier.FAILED)) {
            changes.changed(row, was, Tier.FAILED, why);
            locked(() -> retries.failed(row, why, time.nanoTime(), random.nextDouble()));
        }
    }

    private void succeeded(int row) {
        locked(() -> {
            retries.forget(row);
            reasons.remove(row);
        });
    }

    // ---- for people

    /** How many wait for their turn. */
    int waiting() {
        lock.lock();
        try {
            return first.size() + dirty.size() + fresh.size();
        } finally {
            lock.unlock();
        }
    }

    /** How many are not served because somebody paused them, though they changed. */
    int heldBack() {
        lock.lock();
        try {
            return paused.heldBack();
        } finally {
            lock.unlock();
        }
    }

    /** How many are served. */
    int served() {
        lock.lock();
        try {
            return hot + once + seeding;
        } finally {
            lock.unlock();
        }
    }

    /** Those that are served now. */
    Collection<LiveDatabase> live() {
        lock.lock();
        try {
            return new ArrayList<>(live.values());
        } finally {
            lock.unlock();
        }
    }

    /** The rows of the hot databases, the most recently written first. */
    List<Integer> hotRows() {
        lock.lock();
        try {
            if (draining) {
                return hotBeforeDraining;
            }
        } finally {
            lock.unlock();
        }
        List<LiveDatabase> hot =
                live().stream().filter(database -> database.stay() == Stay.HOT).toList();
        return NewestFirst.order(hot, LiveDatabase::changedAt).stream()
                .map(LiveDatabase::row)
                .toList();
    }

    /** Why a database fails, or is ignored; null when it does neither. */
    @Nullable
    String problem(int row) {
        lock.lock();
        try {
            Failure failure = retries.failure(row);
            return failure == null ? reasons.get(row) : failure.why();
        } finally {
            lock.unlock();
        }
    }

    // ---- what people order

    /** Something that a person wants to be done with a row's database; given while the row cannot become another one's. */
    @FunctionalInterface
    interface Order {
        Ordered give(int row);
    }

    /**
     * Gives an order to the database of a path, if it is known. Rows are freed under the lock that is held here: by the time
     * of the order its row is still its own.
     */
    Optional<Ordered> order(byte[] path, Order order) {
        lock.lock();
        try {
            int row = table.find(path);
            return row == PathTable.NONE ? Optional.empty() : Optional.of(order.give(row));
        } finally {
            lock.unlock();
        }
    }

    /** Makes a database hot until it has been quiet for a while. */
    Ordered promote(int row) {
        lock.lock();
        try {
            if (paused.contains(row)) {
                return new Ordered.Refused("it is paused");
            }
            LiveDatabase served = live.get(row);
            if (served != null) {
                return served.stay() == Stay.HOT
                        ? new Ordered.Done("it is hot already")
                        : new Ordered.Refused("it is being served now; try again when that is over");
            }
            Tier tier = table.tier(row).orElse(Tier.GONE);
            if (!tier.mayBecome(Tier.HOT)) {
                return new Ordered.Refused("it is " + tier);
            }
            if (hot + first.size() >= hotMax) {
                return new Ordered.Refused("all " + hotMax + " places of hot databases are taken");
            }
            retries.take(row);
            first.add(row);
            news.signalAll();
            return new Ordered.Done("it becomes hot");
        } finally {
            lock.unlock();
        }
    }

    /** Makes a hot database leave as soon as it is proven clean. */
    Ordered demote(int row) {
        lock.lock();
        try {
            LiveDatabase served = live.get(row);
            if (served == null || served.stay() != Stay.HOT) {
                return new Ordered.Refused("it is not hot");
            }
            leave(served);
            return new Ordered.Done("it goes cold once everything is on the replica");
        } finally {
            lock.unlock();
        }
    }

    private void leave(LiveDatabase served) {
        if (!served.askedToLeave()) {
            served.askToLeave();
            leaving++;
        }
    }

    /** Looks into the database of a path whatever its files say. */
    Optional<Ordered> sync(byte[] path) {
        int row;
        lock.lock();
        try {
            row = table.find(path);
            if (row == PathTable.NONE) {
                return Optional.empty();
            }
            if (!becomesDirty(row)) {
                return Optional.of(notCold(row));
            }
        } finally {
            lock.unlock();
        }
        changes.changed(row, Tier.COLD_CLEAN, Tier.COLD_DIRTY, "somebody asked for it");
        locked(() -> dirty.add(row));
        return Optional.of(new Ordered.Done("its turn comes"));
    }

    private boolean becomesDirty(int row) {
        return !paused.contains(row)
                && !live.containsKey(row)
                && table.transition(row, Tier.COLD_CLEAN, Tier.COLD_DIRTY);
    }

    private Ordered notCold(int row) {
        if (paused.contains(row)) {
            return new Ordered.Refused("it is paused");
        }
        if (live.containsKey(row)) {
            return new Ordered.Done("it is being served now");
        }
        return switch (table.tier(row).orElse(Tier.GONE)) {
            case COLD_CLEAN -> new Ordered.Refused("it has just changed its tier; try again");
            case COLD_DIRTY, DISCOVERED, SEEDING, HOT -> new Ordered.Done("it waits for its turn already");
            case FAILED -> retry(row);
            case IGNORED, GONE -> new Ordered.Refused("it is " + table.tier(row).orElse(Tier.GONE));
        };
    }

    /** Ends the pause after a failure. */
    Ordered retry(int row) {
        lock.lock();
        try {
            if (paused.contains(row)) {
                return new Ordered.Refused("it is paused");
            }
            if (!retries.take(row)) {
                return new Ordered.Refused("it does not wait after a failure");
            }
            dirty.add(row);
            news.signalAll();
            return new Ordered.Done("it is tried again now");
        } finally {
            lock.unlock();
        }
    }

    /** Serves a database no more until {@link #resume}; what it is behind by stays visible. Not kept over a restart. */
    Ordered pause(int row) {
        lock.lock();
        try {
            if (table.isIn(row, Tier.GONE)) {
                return new Ordered.Refused("it is GONE");
            }
            paused.add(row);
            LiveDatabase served = live.get(row);
            if (served != null && served.stay() == Stay.HOT) {
                leave(served);
            }
            return new Ordered.Done(served == null ? "it is paused" : "it is paused once it has been left in order");
        } finally {
            lock.unlock();
        }
    }

    Ordered resume(int row) {
        lock.lock();
        try {
            if (!paused.contains(row)) {
                return new Ordered.Refused("it is not paused");
            }
            if (paused.resume(row)) {
                dirty.add(row);
                news.signalAll();
            }
            return new Ordered.Done("it is served again");
        } finally {
            lock.unlock();
        }
    }

    boolean isPaused(int row) {
        lock.lock();
        try {
            return paused.contains(row);
        } finally {
            lock.unlock();
        }
    }

    /** The served database of a row; null when it is not served. */
    @Nullable
    LiveDatabase served(int row) {
        lock.lock();
        try {
            return live.get(row);
        } finally {
            lock.unlock();
        }
    }

    /** Whether the end has begun. */
    boolean isDraining() {
        lock.lock();
        try {
            return draining;
        } finally {
            lock.unlock();
        }
    }

    /** From here on databases are served once only, and nobody stays or comes back. */
    void drain() {
        List<Integer> hotNow = hotRows();
        locked(() -> {
            draining = true;
            drainingSince = time.nanoTime();
            hotBeforeDraining = hotNow;
            live.values().forEach(LiveDatabase::askToLeave);
        });
    }

    /**
     * Whether everybody was served and has left.
     *
     * @param patience after which hot databases that are too busy to be left need not have
     */
    boolean drained(Duration patience) {
        lock.lock();
        try {
            boolean patient = time.nanoTime() - drainingSince < patience.toNanos();
            return first.size() + dirty.size() + fresh.size() + once + seeding == 0 && (hot == 0 || !patient);
        } finally {
            lock.unlock();
        }
    }

    private void locked(Runnable change) {
        lock.lock();
        try {
            change.run();
            news.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
