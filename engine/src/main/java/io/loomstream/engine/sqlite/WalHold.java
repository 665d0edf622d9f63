package io.loomstream.engine.sqlite;

import io.loomstream.engine.posix.FileStat;
import io.loomstream.engine.sqlite.WalIndex.Reading;
import java.io.IOException;
import java.util.Optional;

/**
 * Keeps a database's WAL from being reset or deleted before it is copied. While a hold is intact nothing that was
 * committed after it was taken can leave the WAL unseen, except that a restart let through by
 * {@link #letRestart} may drop frames the cursor has already sealed.
 *
 * <p>Not thread-safe. Every method may throw {@link IOException}; the hold is then in doubt and must be released.
 */
public sealed interface WalHold permits LockHold, ConnectionHold {
    /** Whether this hold says to other replicators that somebody works on the database. */
    enum Claim {
        /** It does, for as long as it lasts; nobody else says so. */
        OURS,
        /** Another replicator works on it. */
        ANOTHERS,
        /** There are no locks to say so with. */
        IMPOSSIBLE
    }

    /** Claims the database for this process with a lock that only replicators know; again is no error. */
    Claim claim() throws IOException;

    /** Whether the files at the database's paths are still the ones held. A deleted {@code -shm} orphans our locks. */
    boolean intact() throws IOException;

    /**
     * The same.
     *
     * @param database what was found at the database's own path a moment ago
     */
    boolean intact(FileStat database) throws IOException;

    /** The shared wal-index header and checkpoint state. */
    Reading readIndex() throws IOException;

    /** Reads the database file; fewer bytes than asked only at its end. */
    int readDatabase(long position, byte[] buffer, int offset, int length) throws IOException;

    /** Length of the database file. */
    long databaseSizeBytes() throws IOException;

    /** The WAL behind this hold; empty when another file stands at its path. */
    Optional<WalFile> openWal() throws IOException;

    /** Whether another connection, of any process, holds the checkpoint lock. */
    boolean checkpointRunning() throws IOException;

    /** Whether another connection holds the write and the checkpoint lock: a checkpoint that may wait for our hold. */
    boolean checkpointMayWaitForUs() throws IOException;

    /** Whether another connection, of any process, has the database open. */
    boolean applicationAttached() throws IOException;

    /**
     * Lets the next writer reset the WAL, once: the cursor must be sealed, and is looked at again under the freeze.
     *
     * @param stillSealed decides, from the wal-index, whether everything in the WAL is copied and backfilled
     * @return whether the WAL may restart now; then {@link #endRestart} must follow within a fraction of a second
     */
    boolean letRestart(SealCheck stillSealed) throws IOException, InterruptedException;

    /**
     * Takes the hold back fully after {@link #letRestart}.
     *
     * @return false when that was not possible: the hold is lost
     */
    boolean endRestart() throws IOException, InterruptedException;

    /** Whether an application's backfill stops at a frame because of us; {@link #hop} moves on. */
    boolean limitsBackfill() throws IOException;

    /**
     * Moves to a place that limits backfill less, without a gap in the protection.
     *
     * @param stillSealed asked when the move would allow a reset
     */
    void hop(SealCheck stillSealed) throws IOException, InterruptedException;

    /** Whether everything was given up: nothing else may be asked any more. */
    boolean released();

    /** Gives everything up. Idempotent. */
    void release();

    /** Decides from the wal-index whether a reset would lose nothing. */
    @FunctionalInterface
    interface SealCheck {
        boolean sealed(WalIndex index);
    }
}
