package io.loomstream.app.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * A whole configuration, validated.
 *
 * @param databases those that it names
 * @param fleets those that are found; the first that selects a path has it: watched directories, {@code multi-db}, the others
 * @param multiDb what {@code multi-db} says beside its fleet; empty where Litestream's modes are all there is
 * @param serving what is served over HTTP
 * @param shutdownSyncTimeout how long a stop goes on trying to bring everything to the replicas; 0: one try
 * @param shutdownSyncInterval the pause between two such tries; positive
 */
public record ServerConfig(
        List<DatabaseConfig> databases,
        List<FleetConfig> fleets,
        Optional<MultiDbConfig> multiDb,
        ServingConfig serving,
        LoggingConfig logging,
        Duration shutdownSyncTimeout,
        Duration shutdownSyncInterval) {
    public static final Duration DEFAULT_SHUTDOWN_SYNC_TIMEOUT = Duration.ofSeconds(30);
    public static final Duration DEFAULT_SHUTDOWN_SYNC_INTERVAL = Duration.ofMillis(500);

    public ServerConfig {
        databases = List.copyOf(databases);
        fleets = List.copyOf(fleets);
    }

    /** The configuration of a command line that names the databases itself. */
    public static ServerConfig of(List<DatabaseConfig> databases) {
        return new ServerConfig(
                databases,
                List.of(),
                Optional.empty(),
                ServingConfig.NONE,
                LoggingConfig.defaults(),
                DEFAULT_SHUTDOWN_SYNC_TIMEOUT,
                DEFAULT_SHUTDOWN_SYNC_INTERVAL);
    }

    /**
     * A database by its path: one that is named, or one that a fleet selects, whether the file exists or not.
     *
     * @throws IllegalArgumentException with the reason when the path is selected and cannot be replicated
     */
    public Optional<DatabaseConfig> database(Path path) {
        Optional<DatabaseConfig> named = named(path);
        if (named.isPresent()) {
            return named;
        }
        for (FleetConfig fleet : fleets) {
            Optional<DatabaseConfig> found = fleet.reaches(path) ? fleet.database(path) : Optional.empty();
            if (found.isPresent()) {
                return found;
            }
        }
        return Optional.empty();
    }

    /** A database that the configuration names. */
    public Optional<DatabaseConfig> named(Path path) {
        return databases.stream()
                .filter(database -> database.options().path().equals(path))
                .findFirst();
    }

    /** Who replicates a path that this fleet selects, if that is an earlier fleet. */
    public Optional<FleetConfig> before(FleetConfig fleet, Path path) {
        return fleets.stream()
                .takeWhile(earlier -> !earlier.equals(fleet))
                .filter(earlier -> earlier.reaches(path))
                .findFirst();
    }
}
