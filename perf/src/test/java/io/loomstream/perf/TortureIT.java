package io.loomstream.perf;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.perf.server.DirectoryStore;
import io.loomstream.perf.server.S3Store;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/**
 * Writers of every habit, in Java and Python processes, beside a server that is killed with -9 at random moments. After
 * every round each restored database is sound and, at quiescence, equal to its source to the last byte.
 *
 * <p>{@code -Dtorture.seconds=600} sets the length, {@code -Dtorture.seed=…} replays; {@code -Dtorture.directory=…} says
 * where (a failed run's files stay there).
 */
class TortureIT {
    private static final long SEED = Long.getLong("torture.seed", System.nanoTime());

    private static Path directory() throws Exception {
        String where = System.getProperty("torture.directory", "");
        return where.isEmpty() ? Files.createTempDirectory("torture") : Path.of(where);
    }

    @Test
    void nothingIsLostWhateverIsKilled() throws Exception {
        Path directory = directory();
        new Torture(SEED, directory, new DirectoryStore(directory.resolve("replica")), Weather.NONE)
                .run(Long.getLong("torture.seconds", 60));
    }

    /** The way to the bucket loses, cuts, stalls and refuses requests, some of them after they took effect. */
    @Test
    void nothingIsLostWhateverHappensOnTheWayToTheBucket() throws Exception {
        Path directory = directory();
        try (S3Store bucket = S3Store.start(directory.resolve("s3"));
                StormyWeather weather = new StormyWeather(bucket.port(), SEED)) {
            new Torture(SEED, directory, bucket.by(weather.endpoint()), weather)
                    .run(Long.getLong("torture.seconds", 45));
            System.out.println("torture.seed=" + SEED + ": " + weather.report());
            assertTrue(weather.faults() > 0, "no request met a fault");
        }
    }
}
