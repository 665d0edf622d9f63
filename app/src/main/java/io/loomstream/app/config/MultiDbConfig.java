package io.loomstream.app.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * What {@code multi-db} says beside the fleet itself.
 *
 * @param connectionIdleTimeout after which an idle SQLite connection is closed
 * @param maxConnections SQLite connections open at once
 * @param permits work at once
 * @param stateDirectory of catalog and lock; empty: chosen by the name of the configuration file
 * @param instance this server's name; empty: the host's
 */
public record MultiDbConfig(
        FleetConfig fleet,
        Duration connectionIdleTimeout,
        int maxConnections,
        Permits permits,
        Optional<Path> stateDirectory,
        Optional<String> instance) {
    /**
     * How much goes on at once.
     *
     * @param monitor looks at databases
     * @param snapshot copies of whole databases
     * @param s3 uploads, and requests to S3
     */
    public record Permits(int monitor, int snapshot, int s3) {
        public static final Permits DEFAULT = new Permits(100, 50, 200);
    }
}
