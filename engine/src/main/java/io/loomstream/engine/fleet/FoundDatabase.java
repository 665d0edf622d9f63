package io.loomstream.engine.fleet;

import io.loomstream.engine.sync.DatabaseStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * One database as it is now.
 *
 * @param names what its path says
 * @param tier empty when the configuration names it: then it is looked at for as long as the server lives
 * @param paused somebody asked that it is not served
 * @param progress how far its replication is
 */
public record FoundDatabase(DatabaseId id, TenantNames names, Optional<Tier> tier, boolean paused, Progress progress) {
    /**
     * How far the replication is.
     *
     * @param served TXIDs and counts while it is served; nothing is known of them otherwise
     * @param lag how long something has waited for the replica, as far as is known; zero when everything is there
     * @param lastWrite when the content last changed, as far as was seen
     * @param problem why it fails or is ignored
     */
    public record Progress(
            Optional<DatabaseStatus> served, Duration lag, Optional<Instant> lastWrite, Optional<String> problem) {}

    /** The tier as people speak of it: a database that the configuration names is hot, or failed. */
    public TierFilter group() {
        return tier.map(TierFilter::of).orElse(progress.problem().isEmpty() ? TierFilter.HOT : TierFilter.FAILED);
    }
}
