package io.loomstream.engine.sync;

import io.loomstream.engine.error.ConflictException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * Replicas that another server writes to. For the rest of this process nothing is uploaded there: a database that goes cold
 * and comes back must not take for a fail-over what was a defeat. Thread-safe.
 */
public final class LostReplicas {
    private final ConcurrentMap<Lost, ConflictException> all = new ConcurrentHashMap<>();

    private record Lost(Path database, String replica) {}

    void add(Path database, String replica, ConflictException why) {
        all.putIfAbsent(new Lost(database, replica), why);
    }

    /** Why a database may not upload to a replica any more; empty when it may. */
    Optional<ConflictException> find(Path database, String replica) {
        return Optional.ofNullable(all.get(new Lost(database, replica)));
    }
}
