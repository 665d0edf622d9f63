package io.loomstream.perf.writer;

/** How an application uses its connection. */
public enum Habit {
    /** One connection, SQLite's own autocheckpoint. */
    LONG_LIVED,
    /** One connection that never checkpoints. */
    NO_AUTOCHECKPOINT,
    /** A connection for each transaction: each close may be the last one. */
    OPEN_WRITE_CLOSE,
    /** Checkpoints of every mode at moments of its own choice. */
    OWN_CHECKPOINTS,
    /** Deletes most of its rows now and then, and vacuums. */
    DELETES_AND_VACUUM,
    /** Changes to rollback-journal modes and back. */
    JOURNAL_TOGGLES,
    /** Hundreds of rows at once through a small cache, some of it rolled back. */
    BIG_TRANSACTIONS
}
