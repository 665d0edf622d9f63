package io.loomstream.engine.compaction;

import java.util.Optional;

/**
 * A database that may have work to do, whether it is served at the moment or lies cold: little more than its name, and
 * enough to find the rest when there is work. Implementations are equal when they mean the same database; thread-safe.
 */
public interface Site {
    /** The database's path. */
    String name();

    /** What is needed to work on its replica; empty when it is no longer replicated. */
    Optional<Subject> subject();

    /**
     * Where it is in a table at the moment; empty when it is in none. While it only waits for its time, nothing but the
     * number of its row is kept.
     */
    default Optional<SiteTable.Seat> seat() {
        return Optional.empty();
    }

    /**
     * Asks for a complete copy of the database as the next snapshot: what the replica holds cannot be merged into one.
     *
     * @param why for the log
     */
    void wantsCompleteCopy(String why) throws InterruptedException;
}
