package io.loomstream.engine.compaction;

import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.sync.LostReplicas;
import java.nio.file.Path;
import java.util.Optional;

/**
 * One database as far as the files of its replica are concerned.
 *
 * @param database names it in messages; is never opened
 * @param meta its meta directory
 * @param replica where its files are
 * @param lostReplicas what uploads have found to be another server's
 */
public record Subject(Path database, Path meta, ReplicaClient replica, Levels levels, LostReplicas lostReplicas) {
    /** Why the replica is not ours to change any more; empty while it is. */
    Optional<ConflictException> lost() {
        return lostReplicas.find(database, replica.describe());
    }

    Path indexFile() {
        return indexFile(meta);
    }

    static Path indexFile(Path meta) {
        return meta.resolve("loomstream.levels");
    }

    /** Where capture keeps a local copy of an L0 file. */
    Path localL0(Stored stored) {
        return meta.resolve("ltx")
                .resolve(stored.file().level().toString())
                .resolve(stored.range().fileName());
    }
}
