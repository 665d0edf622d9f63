package io.loomstream.engine.sync;

import io.loomstream.engine.ltx.Txid;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * How far the replication of one served database is.
 *
 * @param local its newest local TXID
 * @param remote the replica's newest TXID as far as is known; {@link Txid#ZERO} before it was asked
 * @param lag how long the oldest copy has waited that is not on the replica; zero when everything is there
 * @param problem what keeps the replica from having everything; empty when nothing does
 * @param looks what was done since it is served
 * @param wal what was copied of the WAL
 * @param last what was decided and what went wrong last, over or not
 */
public record DatabaseStatus(
        Txid local, Txid remote, Duration lag, Optional<String> problem, Looks looks, WalProgress wal, Last last) {
    /**
     * Looks at the database.
     *
     * @param count all, those included that found nothing new
     * @param failures those that ended with an error
     * @param spent the time they took together
     * @param sinceProven how long ago the last look began that found everything on the replica, or brought there later
     */
    public record Looks(long count, long failures, Duration spent, Duration sinceProven) {}

    /**
     * What happened last while it is served.
     *
     * @param verdict in words; empty before the first, and of a look that needs none
     * @param error the last one, whether or not it is over
     * @param errorAt when that was
     */
    public record Last(Optional<String> verdict, Optional<String> error, Optional<Instant> errorAt) {}

    /**
     * Copies of the WAL.
     *
     * @param endBytes where in the WAL the last copy ended; 0 when there is no copied frame in it
     * @param copiedBytes of WAL copied since the database is served
     */
    public record WalProgress(long endBytes, long copiedBytes) {
        private static final int WAL_HEADER_BYTES = 32;
        private static final int FRAME_HEADER_BYTES = 24;

        /** With one more copy, which moved the cursor. */
        WalProgress after(Optional<Cursor> from, Cursor to) {
            long frameBytes = to.pageSize() + (long) FRAME_HEADER_BYTES;
            boolean sameWal = from.isPresent() && from.get().walSalts().equals(to.walSalts());
            int before = sameWal ? from.get().frame() : 0;
            long copied = Math.max(0, to.frame() - before) * frameBytes;
            return new WalProgress(
                    to.frame() == 0 ? 0 : WAL_HEADER_BYTES + to.frame() * frameBytes, copiedBytes + copied);
        }
    }
}
