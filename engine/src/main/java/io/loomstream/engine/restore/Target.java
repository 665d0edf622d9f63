package io.loomstream.engine.restore;

import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.ReplicaFile;
import java.time.Instant;

/** The point in a database's history that a restore is asked for. */
public sealed interface Target {
    /** Whether a file holds nothing from after the point. */
    boolean admits(ReplicaFile file);

    /** The newest point there is. */
    record Latest() implements Target {
        @Override
        public boolean admits(ReplicaFile file) {
            return true;
        }
    }

    /** Exactly this TXID. */
    record AtTxid(Txid txid) implements Target {
        public AtTxid {
            if (txid.isZero()) {
                throw new IllegalArgumentException("TXID 0 stands before all history");
            }
        }

        @Override
        public boolean admits(ReplicaFile file) {
            return !file.range().max().isAfter(txid);
        }
    }

    /** The newest point made strictly before this moment. */
    record Before(Instant moment) implements Target {
        @Override
        public boolean admits(ReplicaFile file) {
            return file.createdAt().isBefore(moment);
        }
    }
}
