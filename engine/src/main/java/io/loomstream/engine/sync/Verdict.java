package io.loomstream.engine.sync;

import io.loomstream.engine.ltx.Txid;

/** What a copy has to do, decided by {@link Continuity} from what was observed. */
public sealed interface Verdict {
    /** Nothing to copy: database and WAL say the same as the cursor. */
    record InSync() implements Verdict {}

    /** Copy the frames after {@code frame} of the WAL at hand; 0 means from its header. */
    record Continue(int frame) implements Verdict {}

    /** Copy every page: the first file of a replica, or of a position adopted without a usable cursor. */
    record Full(Txid txid) implements Verdict {}

    /** Continuity is not proven: copy whatever may differ. */
    record Resync(Txid txid, Reason reason) implements Verdict {}

    /** Nothing may be numbered yet: there is no cursor and the replica, which may hold a position, cannot be asked. */
    record Wait() implements Verdict {}

    /** In words. */
    default String text() {
        return switch (this) {
            case InSync inSync -> "in sync";
            case Continue goOn -> "continued after frame " + goOn.frame();
            case Full full -> "first copy, every page";
            case Resync resync -> "not proven: " + resync.reason().text();
            case Wait wait -> "waits for the replica";
        };
    }

    /** Why continuity is not proven. */
    enum Reason {
        DATABASE_REPLACED("another database file stands at the path"),
        PAGE_SIZE_CHANGED("the page size changed"),
        LOCAL_CHAIN_BROKEN("the local L0 files have a gap"),
        REPLICA_AHEAD("the replica has a later position"),
        BROKEN_INVARIANT("the WAL changed under an intact hold"),
        UNPROVEN("the hold was lost and nothing proves that the WAL is the one that was copied");

        private final String text;

        Reason(String text) {
            this.text = text;
        }

        public String text() {
            return text;
        }
    }
}
