package io.loomstream.perf;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.perf.server.DirectoryStore;
import io.loomstream.perf.server.Fleet;
import io.loomstream.perf.server.ReplicaStore;
import io.loomstream.perf.server.S3Store;
import io.loomstream.perf.writer.Habit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Writers of every habit, in Java and Python processes, beside a server that is killed with -9 at random moments. After
 * every round each restored database is sound and, at quiescence, equal to its source to the last byte.
 *
 * <p>{@code -Dtorture.seconds=600} sets the length, {@code -Dtorture.seed=…} replays; {@code -Dtorture.directory=…} says
 * where (a failed run's files stay there).
 */
class TortureIT {
    private static final int DATABASES = 2 * Habit.values().length;
    private static final int FLEET = 200;
    private static final int OF_THE_FLEET_WRITTEN = 42;
    private static final long SEED = Long.getLong("torture.seed", System.nanoTime());

    /** So short that every kind of work is under way at most kills. */
    private static final String LEVELS = """
            levels: [{interval: 1s}, {interval: 3s}, {interval: 10s}]
            snapshot: {interval: 20s, retention: 40s}
            l0-retention: 5s
            l0-retention-check-interval: 1s
            verify-compaction: true
            logging: {level: debug}
            """;

    private static Path directory() throws Exception {
        String where = System.getProperty("torture.directory", "");
        return where.isEmpty() ? Files.createTempDirectory("torture") : Path.of(where);
    }

    @Test
    void nothingIsLostWhateverIsKilled() throws Exception {
        Path directory = directory();
        new Torture(
                        SEED,
                        directory,
                        DATABASES,
                        DATABASES,
                        new DirectoryStore(directory.resolve("replica")),
                        Weather.NONE,
                        TortureIT::named)
                .run(Long.getLong("torture.seconds", 60));
    }

    /** The way to the bucket loses, cuts, stalls and refuses requests, some of them after they took effect. */
    @Test
    void nothingIsLostWhateverHappensOnTheWayToTheBucket() throws Exception {
        Path directory = directory();
        try (S3Store bucket = S3Store.start(directory.resolve("s3"));
                StormyWeather weather = new StormyWeather(bucket.port(), SEED)) {
            new Torture(SEED, directory, DATABASES, DATABASES, bucket.by(weather.endpoint()), weather, TortureIT::named)
                    .run(Long.getLong("torture.seconds", 45));
            System.out.println("torture.seed=" + SEED + ": " + weather.report());
            assertTrue(weather.faults() > 0, "no request met a fault");
        }
    }

    /** Four times as many are written to as may be hot, and others in each round: all tiers are passed through. */
    @Test
    void nothingIsLostInAFleetWhateverIsKilled() throws Exception {
        Path directory = directory();
        new Torture(
                        SEED,
                        directory,
                        FLEET,
                        OF_THE_FLEET_WRITTEN,
                        new DirectoryStore(directory.resolve("replica")),
                        Weather.NONE,
                        TortureIT::patterns)
                .run(Long.getLong("torture.seconds", 30));
    }

    private static Path named(Fleet fleet, ReplicaStore store) throws IOException {
        Path config = fleet.writeConfig(
                store,
                List.of("monitor-interval: 100ms", "min-checkpoint-page-count: 200", "truncate-page-n: 3000"),
                List.of("sync-interval: 100ms"));
        return Files.writeString(config, LEVELS + Files.readString(config));
    }

    private static Path patterns(Fleet fleet, ReplicaStore store) throws IOException {
        return Files.writeString(
                fleet.directory().resolve("loomstream.yml"),
                LEVELS + """
                state-dir: DIR/state
                multi-db:
                  patterns: [DIR/data/*.db]
                  scan-interval: 200ms
                  full-scan-interval: 2s
                  hot-duration: 1s
                  max-hot-databases: 10
                  monitor-interval: 100ms
                  min-checkpoint-page-count: 200
                  truncate-page-n: 3000
                  replica-template: {path: "DIR/replica/{{filename}}", sync-interval: 100ms}
                """.replace("DIR", fleet.directory().toString()));
    }
}
