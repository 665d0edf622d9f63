package io.loomstream.engine.sqlite;

/**
 * Where SQLite's lock bytes are: in the {@code -shm} file for the WAL (sqlite.org/walformat.html, "WAL Locks"; wal.c),
 * in the database file for the pager (os.h, os_unix.c).
 */
final class LockBytes {
    static final long WRITE = 120;
    static final long CHECKPOINT = 121;
    static final int READ_SLOTS = 5;

    /** The dead-man switch: held shared by every connection; who gets it exclusively is the first opener. */
    static final long DEAD_MAN_SWITCH = 128;

    static final long SHARED_FIRST = 0x40000002L;
    static final long SHARED_LENGTH = 510;

    /**
     * Just behind SQLite's own range in the database file: locked by the replicator that works on the database. SQLite never
     * looks at it.
     */
    static final long REPLICATOR = SHARED_FIRST + SHARED_LENGTH;

    private static final long READ_0 = 123;

    private LockBytes() {}

    /** Byte of WAL_READ_LOCK(slot). Slot 0 means "the whole database file, no WAL frame". */
    static long read(int slot) {
        return READ_0 + slot;
    }
}
