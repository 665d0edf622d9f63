package io.loomstream.engine.fleet;

import io.loomstream.engine.sync.ReplicatedDatabase;
import java.time.Duration;

/** A database that is served at the moment, with what its schedule needs to know. */
final class LiveDatabase {
    /** Row of a database that stands in no table. */
    static final int NO_ROW = -1;

    private final ReplicatedDatabase database;
    private final int row;
    private final Stay stay;
    private final long since;
    private volatile long changedAt;
    private volatile boolean askedToLeave;

    /** For how long a database is served. */
    enum Stay {
        /** For as long as the server lives: the configuration names it. */
        FOREVER,
        /** Until it has been quiet for a while. */
        HOT,
        /** Until everything is copied once: more databases are written to than may be hot. */
        ONCE,
        /** Until its first complete copy is uploaded. */
        SEEDING
    }

    /**
     * Begins a stay.
     *
     * @param row in the path table, or {@link #NO_ROW}
     * @param now of the monotonic clock, nanoseconds
     */
    LiveDatabase(ReplicatedDatabase database, int row, Stay stay, long now) {
        this.database = database;
        this.row = row;
        this.stay = stay;
        this.since = now;
        this.changedAt = now;
    }

    ReplicatedDatabase database() {
        return database;
    }

    int row() {
        return row;
    }

    Stay stay() {
        return stay;
    }

    /** When the stay began, nanoseconds of the monotonic clock. */
    long since() {
        return since;
    }

    /** When something was last copied, nanoseconds of the monotonic clock. */
    long changedAt() {
        return changedAt;
    }

    void changed(long now) {
        changedAt = now;
    }

    /** Makes it leave with the next look at which that is possible, however short it has been quiet. */
    void askToLeave() {
        askedToLeave = true;
    }

    boolean askedToLeave() {
        return askedToLeave;
    }

    /** Whether it has been served for long enough. */
    boolean mayLeave(long now, Duration quiet) {
        return switch (stay) {
            case FOREVER -> false;
            case HOT -> askedToLeave || now - changedAt >= quiet.toNanos();
            case ONCE, SEEDING -> true;
        };
    }
}
