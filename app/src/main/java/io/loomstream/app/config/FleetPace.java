package io.loomstream.app.config;

import java.time.Duration;

/**
 * How fast a fleet is scanned and how its tiers work; the meaning of each is that of {@link
 * io.loomstream.engine.fleet.FleetOptions}.
 */
public record FleetPace(
        Duration scanInterval, Duration fullScanInterval, Duration hotDuration, int hotMax, Duration recentlyWritten) {}
