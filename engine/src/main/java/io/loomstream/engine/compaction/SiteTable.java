package io.loomstream.engine.compaction;

import java.util.Optional;

/**
 * A table of many databases, a row each. A row's number may come back for another database. Two tables are equal when they
 * are the same object. Thread-safe; calls nobody back, and may be asked under a lock.
 */
public interface SiteTable {
    /** The database that has a row now; empty when none has. */
    Optional<Site> site(int row);

    /** A database's place in a table, for as long as nothing moves. */
    record Seat(SiteTable table, int row) {}
}
