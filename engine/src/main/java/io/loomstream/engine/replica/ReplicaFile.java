package io.loomstream.engine.replica;

import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.TxidRange;
import java.time.Instant;

/**
 * One LTX file as a replica lists it.
 *
 * @param sizeBytes the stored length
 * @param createdAt the LTX header's timestamp where the store keeps it, else the time of storing
 */
public record ReplicaFile(Level level, TxidRange range, long sizeBytes, Instant createdAt) {}
