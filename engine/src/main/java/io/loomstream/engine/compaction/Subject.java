package io.loomstream.engine.compaction;

import io.loomstream.engine.replica.ReplicaClient;
import java.nio.file.Path;

/**
 * One database as far as the files of its replica are concerned.
 *
 * @param database names it in messages; is never opened
 * @param meta its meta directory
 * @param replica where its files are
 */
public record Subject(Path database, Path meta, ReplicaClient replica, Levels levels) {
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
