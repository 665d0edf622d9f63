package io.loomstream.app.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * A whole configuration, validated.
 *
 * @param shutdownSyncTimeout how long a stop goes on trying to bring everything to the replicas; 0: one try
 * @param shutdownSyncInterval the pause between two such tries; positive
 */
public record ServerConfig(
        List<DatabaseConfig> databases,
        LoggingConfig logging,
        Duration shutdownSyncTimeout,
        Duration shutdownSyncInterval) {
    public static final Duration DEFAULT_SHUTDOWN_SYNC_TIMEOUT = Duration.ofSeconds(30);
    public static final Duration DEFAULT_SHUTDOWN_SYNC_INTERVAL = Duration.ofMillis(500);

    public ServerConfig {
        databases = List.copyOf(databases);
    }

    /** The configuration of a command line that names the databases itself. */
    public static ServerConfig of(List<DatabaseConfig> databases) {
        return new ServerConfig(
                databases, LoggingConfig.defaults(), DEFAULT_SHUTDOWN_SYNC_TIMEOUT, DEFAULT_SHUTDOWN_SYNC_INTERVAL);
    }

    public Optional<DatabaseConfig> database(Path path) {
        return databases.stream()
                .filter(database -> database.options().path().equals(path))
                .findFirst();
    }
}
