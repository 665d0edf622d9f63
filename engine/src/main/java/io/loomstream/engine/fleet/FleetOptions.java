package io.loomstream.engine.fleet;

import io.loomstream.engine.sync.DatabaseSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BiFunction;

/**
 * A fleet of databases that are found by patterns, and how its tiers work.
 *
 * @param selection which files are databases
 * @param specs from a database's path and the number of its pattern to how it is replicated; throws
 *     {@link IllegalArgumentException} with the reason when it cannot be
 * @param scanInterval between two passes of the scanner
 * @param fullScanInterval in which every database is looked at at least once, whatever its directory says
 * @param hotDuration how long a hot database has to be quiet before it goes cold
 * @param hotMax how many may be hot at once
 * @param recentlyWritten databases written to within this long before the first start become hot at once
 * @param places where each database is replicated to; empty when the factory's are distinct by themselves
 * @param fixed whether only what the first scan finds is served
 */
public record FleetOptions(
        Selection selection,
        BiFunction<Path, Integer, DatabaseSpec> specs,
        Duration scanInterval,
        Duration fullScanInterval,
        Duration hotDuration,
        int hotMax,
        Duration recentlyWritten,
        Optional<Places> places,
        boolean fixed) {
    public static final Duration DEFAULT_SCAN_INTERVAL = Duration.ofSeconds(15);
    public static final Duration DEFAULT_FULL_SCAN_INTERVAL = Duration.ofMinutes(5);
    public static final Duration DEFAULT_HOT_DURATION = Duration.ofSeconds(15);
    public static final int DEFAULT_HOT_MAX = 1000;
    public static final Duration DEFAULT_RECENTLY_WRITTEN = Duration.ofMinutes(5);

    public FleetOptions {
        if (!scanInterval.isPositive() || !fullScanInterval.isPositive()) {
            throw new IllegalArgumentException("scan intervals must be greater than 0");
        }
        if (hotDuration.isNegative() || recentlyWritten.isNegative()) {
            throw new IllegalArgumentException("durations must be >= 0");
        }
        if (hotMax < 1) {
            throw new IllegalArgumentException("at least one database must be allowed to be hot, not " + hotMax);
        }
    }

    /** Where databases are replicated to, and where they keep their state. Called by several threads at once, often. */
    public interface Places {
        /**
         * What tells one database's replica from any other of the process.
         *
         * @throws IllegalArgumentException with the reason when there is none
         */
        String place(String path, int pattern);

        /** The meta directory: where it exists, the database was replicated before. */
        Path metaPath(String path, int pattern);
    }

    /** A fleet whose databases come and go, in places that are distinct by themselves. */
    public FleetOptions(
            Selection selection,
            BiFunction<Path, Integer, DatabaseSpec> specs,
            Duration scanInterval,
            Duration fullScanInterval,
            Duration hotDuration,
            int hotMax,
            Duration recentlyWritten) {
        this(
                selection,
                specs,
                scanInterval,
                fullScanInterval,
                hotDuration,
                hotMax,
                recentlyWritten,
                Optional.empty(),
                false);
    }

    /** With another limit on hot databases. */
    public FleetOptions withHotMax(int max) {
        return new FleetOptions(
                selection, specs, scanInterval, fullScanInterval, hotDuration, max, recentlyWritten, places, fixed);
    }
}
