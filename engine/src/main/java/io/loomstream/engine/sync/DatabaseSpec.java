package io.loomstream.engine.sync;

import io.loomstream.engine.compaction.Levels;
import io.loomstream.engine.replica.ReplicaClient;
import java.util.Optional;

/**
 * One database to replicate and the place its LTX files go to.
 *
 * @param levels how those files are merged and how long they are kept; empty: everything stays as it was uploaded
 */
public record DatabaseSpec(DatabaseOptions options, ReplicaClient replica, Optional<Levels> levels) {
    /** Without compaction. */
    public DatabaseSpec(DatabaseOptions options, ReplicaClient replica) {
        this(options, replica, Optional.empty());
    }

    public DatabaseSpec withLevels(Levels levels) {
        return new DatabaseSpec(options, replica, Optional.of(levels));
    }
}
