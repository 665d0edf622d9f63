package io.loomstream.perf;

import io.loomstream.perf.server.Fleet;
import io.loomstream.perf.writer.Habit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The torture test: over databases that are held all the time, and over a fleet most of which is cold. */
class TortureIT {
    private static final int OF_THE_FLEET_WRITTEN = 42;

    @Test
    void nothingIsLostWhateverIsKilled() throws Exception {
        int databases = 2 * Habit.values().length;
        Torture.run(
                databases,
                databases,
                60,
                fleet -> fleet.writeConfig(
                        List.of("monitor-interval: 100ms", "min-checkpoint-page-count: 200", "truncate-page-n: 3000"),
                        List.of("sync-interval: 100ms")));
    }

    /** Four times as many are written to as may be hot, and others in each round: all tiers are passed through. */
    @Test
    void nothingIsLostInAFleetWhateverIsKilled() throws Exception {
        Torture.run(200, OF_THE_FLEET_WRITTEN, 30, TortureIT::fleetConfig);
    }

    private static Path fleetConfig(Fleet fleet) throws IOException {
        Path config = fleet.directory().resolve("loomstream.yml");
        Files.writeString(config, """
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
        return config;
    }
}
