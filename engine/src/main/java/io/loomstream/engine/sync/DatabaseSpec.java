package io.loomstream.engine.sync;

import io.loomstream.engine.replica.ReplicaClient;

/** One database to replicate and the place its LTX files go to. */
public record DatabaseSpec(DatabaseOptions options, ReplicaClient replica) {}
