package io.loomstream.engine.ltx;

import org.jspecify.annotations.Nullable;

/**
 * What a merge reads from: an input of the compaction, or what several of them made.
 *
 * @param piece holds the intermediate result; null for an input
 * @param firstMax where the first input of an intermediate result ends; null for an input, whose header says it
 */
record MergePart(
        Compactor.Input input,
        Compactor.Spool.@Nullable Piece piece,
        @Nullable Txid firstMax) {}
