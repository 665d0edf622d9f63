package io.loomstream.engine.compaction;

import io.loomstream.engine.ltx.Txid;
import java.util.concurrent.CompletableFuture;

/**
 * Something that a person wants to be done now instead of when it is due.
 *
 * @param done ends with the TXID that the replica stood at, or with what went wrong
 */
record Request(Kind kind, CompletableFuture<Txid> done) {
    /** What is wanted. */
    enum Kind {
        /** Give every level what the ones below have. */
        COMPACT,
        /** Make a snapshot of the newest state, unless there is one. */
        SNAPSHOT
    }
}
