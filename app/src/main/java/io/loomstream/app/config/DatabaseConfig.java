package io.loomstream.app.config;

import io.loomstream.engine.sync.DatabaseOptions;

/** One entry of {@code dbs}. */
public record DatabaseConfig(DatabaseOptions options, ReplicaConfig replica) {}
