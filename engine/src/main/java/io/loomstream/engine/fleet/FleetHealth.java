package io.loomstream.engine.fleet;

import java.time.Duration;
import java.util.Optional;

/**
 * Whether everything reaches its replica in time. Unknown is not healthy: a database that is not served and not proven clean
 * counts from its last write, or from the start of the server where that is later.
 *
 * @param broken the server cannot go on
 * @param ready every database has been seen once
 * @param unproven the longest time that a database's content has not been proven to be on its replica
 * @param worst the database of which that is so
 */
public record FleetHealth(boolean broken, boolean ready, Duration unproven, Optional<DatabaseId> worst) {}
