package io.loomstream.engine.restore;

import io.loomstream.engine.ltx.Txid;
import java.util.Optional;

/** What became of the search for a plan. */
public sealed interface PlanOutcome {
    /** The target can be restored. */
    record Planned(RestorePlan plan) implements PlanOutcome {}

    /**
     * The target cannot be restored from what the replica holds.
     *
     * @param before the nearest restorable TXID before the target
     * @param after the nearest restorable TXID after the target
     */
    record NotAvailable(Reason reason, String message, Optional<Txid> before, Optional<Txid> after)
            implements PlanOutcome {}

    /** The newest point was asked for, and files are missing on the way to it: an older one has to be named. */
    record Broken(Txid reached, RestorePlan.Hole hole) implements PlanOutcome {
        public String message() {
            return "the history breaks off after TXID " + reached + ": " + hole + ", later ones exist; restore TXID "
                    + reached + " explicitly to accept that";
        }
    }

    /** Why a target is not available. */
    enum Reason {
        /** The replica holds no file at all. */
        NOTHING_STORED,
        /** It lies before the oldest point kept, or was merged with later ones. */
        AGED_OUT,
        /** It lies after the newest file. */
        NOT_THERE_YET,
        /** Files on the way to it are missing. */
        CHAIN_BROKEN
    }
}
