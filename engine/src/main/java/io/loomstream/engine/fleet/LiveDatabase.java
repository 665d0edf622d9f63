package io.loomstream.engine.fleet;

import io.loomstream.engine.sync.ReplicatedDatabase;
import org.jspecify.annotations.Nullable;

/** A database that is served at the moment, with what its schedule needs to know. */
final class LiveDatabase {
    /** Row of a database that stands in no table. */
    static final int NO_ROW = -1;

    private final ReplicatedDatabase database;
    private final int row;
    private final Stay stay;
    private final @Nullable DatabaseStamp stampAtBegin;
    private final @Nullable Tiers tiers;
    private final long since;
    private volatile long changedAt;
    private volatile long uploadAt;
    private volatile boolean askedToLeave;

    // Both guarded by this.
    private boolean uploading;
    private boolean over;

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

    private LiveDatabase(
            ReplicatedDatabase database,
            int row,
            Stay stay,
            @Nullable DatabaseStamp stampAtBegin,
            @Nullable Tiers tiers,
            long now) {
        this.database = database;
        this.row = row;
        this.stay = stay;
        this.stampAtBegin = stampAtBegin;
        this.tiers = tiers;
        this.since = now;
        this.changedAt = now;
        this.uploadAt = now;
    }

    /** A database that the configuration names. */
    static LiveDatabase forever(ReplicatedDatabase database, long now) {
        return new LiveDatabase(database, NO_ROW, Stay.FOREVER, null, null, now);
    }

    /**
     * A database of a fleet begins a stay.
     *
     * @param stampAtBegin what its files looked like before
     * @param tiers where it goes back to
     * @param now of the monotonic clock, nanoseconds
     */
    static LiveDatabase ofFleet(
            ReplicatedDatabase database,
            Tiers.Assignment assignment,
            DatabaseStamp stampAtBegin,
            Tiers tiers,
            long now) {
        return new LiveDatabase(database, assignment.row(), assignment.stay(), stampAtBegin, tiers, now);
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

    /** What its files looked like when the stay began. */
    DatabaseStamp stampAtBegin() {
        DatabaseStamp stamp = stampAtBegin;
        if (stamp == null) {
            throw new IllegalStateException("a database without a row has no stamp");
        }
        return stamp;
    }

    /** Where it goes back to. */
    Tiers tiers() {
        Tiers owner = tiers;
        if (owner == null) {
            throw new IllegalStateException("a database of the configuration never leaves");
        }
        return owner;
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

    /** When the last upload that was queued begins or began, nanoseconds of the monotonic clock. */
    long uploadAt() {
        return uploadAt;
    }

    void uploadAt(long due) {
        uploadAt = due;
    }

    /** Makes it leave with the next look at which that is possible, however short it has been quiet. */
    void askToLeave() {
        askedToLeave = true;
    }

    boolean askedToLeave() {
        return askedToLeave;
    }

    /** False when the stay is over: what is still queued for it must not touch files that another stay may own by now. */
    synchronized boolean beginUpload() {
        uploading = !over;
        return uploading;
    }

    synchronized void uploadEnded() {
        uploading = false;
    }

    /** Ends the stay; false, and it goes on, while an upload is under way. */
    synchronized boolean endStay() {
        over = !uploading;
        return over;
    }

    /** Whether it takes the place of others that wait, and so must go when its replica fails. */
    boolean mustNotLinger() {
        return switch (stay) {
            case FOREVER -> false;
            case HOT -> askedToLeave && !tiers().isDraining();
            case ONCE, SEEDING -> !tiers().isDraining();
        };
    }

    /** Whether it has been served for long enough. */
    boolean mayLeave(long now) {
        return switch (stay) {
            case FOREVER -> false;
            case HOT -> askedToLeave || now - changedAt >= tiers().hotDuration().toNanos();
            case ONCE, SEEDING -> true;
        };
    }
}
