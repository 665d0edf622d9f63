package io.loomstream.engine.fleet;

import io.loomstream.engine.concurrent.TaskScope;
import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.error.EngineException;
import io.loomstream.engine.error.UnsupportedDatabaseException;
import io.loomstream.engine.sync.Departure;
import io.loomstream.engine.sync.Gates;
import io.loomstream.engine.sync.ReplicatedDatabase;
import io.loomstream.engine.sync.ReplicatedDatabase.Looked;
import java.time.Duration;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Serves the live databases: a look at each every monitor interval, a copy whenever something was committed, an upload after
 * each copy, and a departure when its stay is over. One virtual thread per task, as many at once as the gates let in; at any
 * moment a database is in one look or one departure, and beside it in one upload, at most.
 *
 * <p>Thread-safe.
 */
final class Service {
    private static final Duration SOON = Duration.ofMillis(20);
    private static final Duration UNASKED = Duration.ofSeconds(1);
    /** After so many failures in a row a database that may go makes room. */
    private static final int FAILURES_BEFORE_GIVING_UP = 3;

    private final Time time;
    private final RandomGenerator random;
    private final TaskScope tasks;
    private final FleetEvents events;
    private final Lane looks;
    private final Lane fullCopies;
    private final Lane uploads;

    /** How a stay ended. */
    sealed interface End {
        /** Everything is copied and uploaded, and the files prove it as they are. */
        record Clean(Departure.Clean files) implements End {}

        /** Something may have been committed since. */
        record Dirty() implements End {}

        /** There is no such file. */
        record Gone() implements End {}

        /** Not a database, or not one that can be replicated; a change may make it one. */
        record Unsupported(String why) implements End {}

        /** Several errors in a row. */
        record Failing(String why) implements End {}
    }

    Service(Gates gates, Time time, RandomGenerator random, TaskScope tasks, FleetEvents events) {
        this.time = time;
        this.random = random;
        this.tasks = tasks;
        this.events = events;
        this.looks = new Lane(gates.monitors(), database -> look(database, false));
        this.fullCopies = new Lane(gates.snapshots(), database -> look(database, true));
        this.uploads = new Lane(gates.uploads(), this::upload);
    }

    /** Forks the dispatchers, one per lane; they run until cancelled. */
    void dispatchIn(TaskScope dispatchers) {
        dispatchers.fork(looks.dispatchIn(tasks));
        dispatchers.fork(fullCopies.dispatchIn(tasks));
        dispatchers.fork(uploads.dispatchIn(tasks));
    }

    /** Begins to serve a database. */
    void begin(LiveDatabase live) {
        looks.after(Duration.ZERO, live);
    }

    /** Looks that are queued. */
    int queuedLooks() {
        return looks.size();
    }

    /** Uploads that are queued. */
    int queuedUploads() {
        return uploads.size();
    }

    /** What comes after a look: another one, or nothing because the stay has ended. */
    private record Next(Duration pause, boolean fullCopy) {}

    private void look(LiveDatabase live, boolean mayCopyEverything) {
        // Also after an error that is a bug of ours: one database's look must never be forgotten.
        @Nullable Next next = new Next(UNASKED, false);
        try {
            next = next(live, live.database().look(mayCopyEverything));
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
        } finally {
            if (next != null) {
                (next.fullCopy() ? fullCopies : looks).after(next.pause(), live);
            }
        }
    }

    private @Nullable Next next(LiveDatabase live, Looked looked) throws InterruptedException {
        ReplicatedDatabase database = live.database();
        return switch (looked) {
            case Looked.Nothing(boolean fileExists)
            when live.stay() != LiveDatabase.Stay.FOREVER && !database.behind() ->
                end(live, fileExists ? new End.Unsupported("empty") : new End.Gone());
            case Looked.Nothing nothing -> settled(live);
            case Looked.Quiet quiet -> settled(live);
            case Looked.WantsRoom wants -> settled(live);
            case Looked.Copied copied -> {
                live.changed(time.nanoTime());
                yield settled(live);
            }
            case Looked.WantsFullCopy wants -> new Next(Duration.ZERO, true);
            case Looked.Again(Duration pause, boolean fullCopy) -> new Next(pause, fullCopy);
            case Looked.WantsPosition(Duration pause) -> {
                queueUpload(database, live, null);
                yield givesUp(live) ? end(live, failing(database)) : new Next(pause, false);
            }
            case Looked.Failed(EngineException failure, int failures, Duration pause) ->
                failed(live, failure, failures, pause);
        };
    }

    private @Nullable Next failed(LiveDatabase live, EngineException failure, int failures, Duration pause) {
        String why = String.valueOf(failure.getMessage());
        if (live.stay() != LiveDatabase.Stay.FOREVER && failure instanceof UnsupportedDatabaseException) {
            return end(live, new End.Unsupported(why));
        }
        saysFailed(live.database(), why);
        if (live.stay() == LiveDatabase.Stay.FOREVER) {
            return new Next(pause, false);
        }
        return failures < FAILURES_BEFORE_GIVING_UP ? new Next(pause, false) : end(live, new End.Failing(why));
    }

    /** Everything committed so far is copied. */
    private @Nullable Next settled(LiveDatabase live) throws InterruptedException {
        ReplicatedDatabase database = live.database();
        if (database.behind()) {
            queueUpload(database, live, null);
        }
        if (!live.mayLeave(time.nanoTime())) {
            boolean unasked = live.stay() == LiveDatabase.Stay.FOREVER
                    && database.interval().isEmpty();
            return unasked ? null : new Next(untilNextLook(live), false);
        }
        if (database.behind() || database.uploadPending()) {
            if (givesUp(live)) {
                return end(live, failing(database));
            }
            boolean atPace = live.stay() == LiveDatabase.Stay.HOT || database.uploadFailures() > 0;
            return new Next(atPace ? untilNextLook(live) : SOON, false);
        }
        return switch (database.depart()) {
            case Departure.Clean clean -> end(live, new End.Clean(clean));
            case Departure.Dirty dirty -> end(live, new End.Dirty());
            case Departure.NotYet notYet -> new Next(SOON, false);
        };
    }

    /** A replica that fails must not keep the places of databases whose replicas work. */
    private static boolean givesUp(LiveDatabase live) {
        return live.mustNotLinger() && live.database().uploadFailures() >= FAILURES_BEFORE_GIVING_UP;
    }

    private static End failing(ReplicatedDatabase database) {
        return new End.Failing(String.valueOf(database.problem()));
    }

    private void saysFailed(ReplicatedDatabase database, String why) {
        events.failed(Optional.of(DatabaseId.of(database.path().toString())), why);
    }

    private Duration untilNextLook(LiveDatabase live) {
        Duration interval = live.database().interval().orElse(UNASKED);
        Duration untilUpload = live.database().uploadsAtPaceOfLooks()
                ? Duration.ofNanos(live.uploadAt() - time.nanoTime())
                : Duration.ZERO;
        return Pace.next(interval, untilUpload, random);
    }

    private @Nullable Next end(LiveDatabase live, End end) {
        if (!live.endStay()) {
            return new Next(SOON, false);
        }
        live.database().close();
        live.tiers().ended(live, end);
        return null;
    }

    private void upload(LiveDatabase live) {
        if (!live.beginUpload()) {
            return;
        }
        ReplicatedDatabase database = live.database();
        Duration again = null;
        try {
            again = database.upload();
            if (again != null) {
                saysFailed(database, String.valueOf(database.problem()));
            }
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
        } finally {
            live.uploadEnded();
            database.uploadEnded();
        }
        if (again != null || database.behind()) {
            queueUpload(database, live, again);
        }
    }

    private void queueUpload(ReplicatedDatabase database, LiveDatabase live, @Nullable Duration atLeast) {
        Duration wait = database.queueUpload();
        if (wait != null) {
            Duration longer = atLeast != null && atLeast.compareTo(wait) > 0 ? atLeast : wait;
            live.uploadAt(time.nanoTime() + longer.toNanos());
            uploads.after(longer, live);
        }
    }
}
