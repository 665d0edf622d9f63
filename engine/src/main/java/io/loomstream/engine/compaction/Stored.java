package io.loomstream.engine.compaction;

import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.replica.ReplicaFile;

/**
 * A file of the replica, as we know it.
 *
 * @param checksum the file checksum in its trailer; 0 when it was only ever listed
 */
record Stored(ReplicaFile file, long checksum) {
    TxidRange range() {
        return file.range();
    }

    Txid min() {
        return file.range().min();
    }

    Txid max() {
        return file.range().max();
    }
}
