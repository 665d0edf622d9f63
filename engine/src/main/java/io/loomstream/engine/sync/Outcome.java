package io.loomstream.engine.sync;

import io.loomstream.engine.ltx.Txid;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * How one database stands at the end.
 *
 * @param local newest TXID that was captured
 * @param remote newest TXID the replica has
 * @param problem what kept the replica from having everything; null when nothing did
 */
public record Outcome(
        Path path, Txid local, Txid remote, @Nullable String problem) {}
