package io.loomstream.engine.sync;

import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.sync.Observation.ReplicaPosition;
import io.loomstream.engine.sync.Observation.Wal;
import io.loomstream.engine.sync.Verdict.Reason;

/**
 * Decides whether a copy may go on where the last one ended. A pure function: the first matching row of the table wins,
 * and whatever is not proven is a RESYNC. The rows are numbered as in docs/continuity.md, which tells why each is right.
 *
 * <p>Being clever here has cost others data: a rule that goes on after a salt change without proof restored stale or
 * malformed databases in one of twenty stops.
 */
final class Continuity {
    private Continuity() {}

    static Verdict decide(Observation seen) {
        if (seen.cursor().isEmpty()) {
            return withoutCursor(seen.replica());
        }
        Cursor cursor = seen.cursor().get();
        Txid next = nextTxid(cursor, seen.replica());
        // Row 0
        if (!seen.sameDatabaseFile()) {
            return new Verdict.Resync(next, Reason.DATABASE_REPLACED);
        }
        if (seen.pageSize() != cursor.pageSize()) {
            return new Verdict.Resync(next, Reason.PAGE_SIZE_CHANGED);
        }
        if (!seen.localChainComplete()) {
            return new Verdict.Resync(next, Reason.LOCAL_CHAIN_BROKEN);
        }
        if (!next.equals(cursor.txid().next())) {
            return new Verdict.Resync(next, Reason.REPLICA_AHEAD);
        }
        return seen.holdIntact() ? underIntactHold(seen, cursor, next) : afterLostHold(seen, cursor, next);
    }

    /** Rows 1 and 2. */
    private static Verdict withoutCursor(ReplicaPosition replica) {
        return switch (replica) {
            case ReplicaPosition.Unknown unknown -> new Verdict.Wait();
            case ReplicaPosition.At(Txid max) -> new Verdict.Full(max.next());
        };
    }

    /** Rows 3a to 3c. */
    private static Verdict underIntactHold(Observation seen, Cursor cursor, Txid next) {
        return switch (seen.wal()) {
            case Wal.Present(var salts)
            when salts.equals(cursor.walSalts()) && seen.frameAtCursor() -> new Verdict.Continue(cursor.frame());
            case Wal.Present(var salts)
            when cursor.sealed() && !salts.equals(cursor.walSalts()) -> new Verdict.Continue(0);
            case Wal.Nothing nothing when cursor.sealed() -> new Verdict.InSync();
            default -> new Verdict.Resync(next, Reason.BROKEN_INVARIANT);
        };
    }

    /** Rows 4 to 6. */
    private static Verdict afterLostHold(Observation seen, Cursor cursor, Txid next) {
        if (!seen.databaseUnchanged()) {
            return new Verdict.Resync(next, Reason.UNPROVEN);
        }
        return switch (seen.wal()) {
            case Wal.Present(var salts)
            when salts.equals(cursor.walSalts()) && seen.frameAtCursor() -> new Verdict.Continue(cursor.frame());
            // Also the cursor's own salts with another history: nothing between the seal and this WAL was backfilled.
            case Wal.Present present when cursor.sealed() -> new Verdict.Continue(0);
            case Wal.Nothing nothing when cursor.sealed() -> new Verdict.InSync();
            default -> new Verdict.Resync(next, Reason.UNPROVEN);
        };
    }

    /** Never a TXID that the replica has: two files of one name with different bytes would be the end of both. */
    private static Txid nextTxid(Cursor cursor, ReplicaPosition replica) {
        return switch (replica) {
            case ReplicaPosition.Unknown unknown -> cursor.txid().next();
            case ReplicaPosition.At(Txid max) -> cursor.txid().max(max).next();
        };
    }
}
