package io.loomstream.engine.sync;

import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.wal.FrameChecksum;
import io.loomstream.engine.wal.WalSalts;

/**
 * How far a database has been copied. Immutable: a copy computes the next cursor, and it is applied only when the L0 file
 * is complete.
 *
 * @param txid of the last L0 file
 * @param commitPages database size in pages at that point
 * @param walSalts of the WAL it was copied from; {@link WalSalts#NONE} when there was none
 * @param frame number of the last copied frame; 0 when no frame of this WAL was copied
 * @param frameChecksum cumulative checksum stored in that frame, or in the WAL header for frame 0
 * @param sealed at the moment {@code database} was taken everything in the WAL was copied and was in the database file: a
 *     reset of the WAL loses nothing
 * @param database fingerprint of the database file; taken before the wal-index read that showed {@code sealed}, and never
 *     refreshed while frames wait
 * @param ltxChecksum file checksum of the L0 file, which binds this cursor to it
 */
public record Cursor(
        Txid txid,
        int pageSize,
        int commitPages,
        WalSalts walSalts,
        int frame,
        FrameChecksum frameChecksum,
        boolean sealed,
        FileFingerprint database,
        long ltxChecksum) {
    static final FrameChecksum NO_CHECKSUM = new FrameChecksum(0, 0);

    /** The same position, observed again: everything copied, and {@code sealed} or not. */
    Cursor observed(FileFingerprint database, boolean sealed) {
        return new Cursor(txid, pageSize, commitPages, walSalts, frame, frameChecksum, sealed, database, ltxChecksum);
    }

    /** The same place in the WAL as the state that another L0 file made. */
    Cursor asOf(Txid made, long checksum) {
        return new Cursor(made, pageSize, commitPages, walSalts, frame, frameChecksum, sealed, database, checksum);
    }

    /** The same position, after something that may have changed files behind their times: nothing proves it any more. */
    Cursor unproven() {
        return observed(database.provingNothing(), sealed);
    }
}
