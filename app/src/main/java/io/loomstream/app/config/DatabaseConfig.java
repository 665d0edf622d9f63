package io.loomstream.app.config;

import io.loomstream.engine.compaction.Levels;
import io.loomstream.engine.sync.DatabaseOptions;

/** One entry of {@code dbs}. */
public record DatabaseConfig(DatabaseOptions options, ReplicaConfig replica, Levels levels) {
    /** With the levels that hold where nothing is said about them. */
    public DatabaseConfig(DatabaseOptions options, ReplicaConfig replica) {
        this(options, replica, Levels.defaults());
    }

    public DatabaseConfig withLevels(Levels others) {
        return new DatabaseConfig(options, replica, others);
    }
}
