package io.loomstream.engine.sync;

import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.wal.WalSalts;
import java.util.Optional;

/**
 * Everything {@link Continuity} may look at. Collected under the hold, before anything is copied.
 *
 * @param cursor what was copied before; empty when there is none or it is not usable
 * @param replica where the replica stands
 * @param holdIntact the hold was never released since the cursor, and the files are those held
 * @param sameDatabaseFile device, inode and birth are the cursor's
 * @param pageSize of the database now, bytes
 * @param localChainComplete no L0 file is missing between the oldest local one and the cursor
 * @param wal what the {@code -wal} file is now
 * @param frameAtCursor the WAL reaches to the cursor's frame, that frame still has the cursor's checksum, and SQLite
 *     regards it as committed
 * @param databaseUnchanged the cursor's fingerprint proves that the database file is as it was
 */
record Observation(
        Optional<Cursor> cursor,
        ReplicaPosition replica,
        boolean holdIntact,
        boolean sameDatabaseFile,
        int pageSize,
        boolean localChainComplete,
        Wal wal,
        boolean frameAtCursor,
        boolean databaseUnchanged) {

    /** Where the replica stands. */
    sealed interface ReplicaPosition {
        /** It could not be asked. */
        record Unknown() implements ReplicaPosition {}

        /** {@link Txid#ZERO} when it is empty. */
        record At(Txid max) implements ReplicaPosition {}
    }

    /** What the {@code -wal} file is. */
    sealed interface Wal {
        /** Absent, empty, or not holding a committed frame: nothing to copy from. */
        record Nothing() implements Wal {}

        /** Has a valid header. */
        record Present(WalSalts salts) implements Wal {}

        /** Holds committed frames according to the wal-index, yet its header is not valid. */
        record Unreadable() implements Wal {}
    }
}
