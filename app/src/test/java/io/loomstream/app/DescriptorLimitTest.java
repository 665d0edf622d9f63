package io.loomstream.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.app.config.ConfigFile;
import io.loomstream.app.config.Environment;
import io.loomstream.app.config.FleetConfig;
import io.loomstream.app.config.LoggingConfig;
import io.loomstream.app.logging.Loggers;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DescriptorLimitTest {
    private static final String LIMITS = """
            Limit                     Soft Limit           Hard Limit           Units
            Max processes             1                    2                    processes
            Max open files            1024                 524288               files
            """;

    @TempDir
    private Path directory;

    private final ByteArrayOutputStream log = new ByteArrayOutputStream();

    private List<Integer> hotMaxima(int named, Optional<Long> limit) throws IOException {
        Path file = Files.writeString(directory.resolve("f.yml"), """
                dbs:
                  - {dir: /data, pattern: "*.db", replica: {path: /b}}
                multi-db:
                  patterns: ["/x/*.db"]
                  max-hot-databases: 3000
                  replica-template: {path: "/m/{{tenant}}"}
                """);
        List<FleetConfig> fleets = ConfigFile.load(
                        Optional.of(file.toString()), new ConfigFile.Rules(false, true), Environment.ofProcess())
                .config()
                .fleets();
        Loggers.ofProcess().configure(LoggingConfig.defaults(), new PrintStream(log, true, StandardCharsets.UTF_8));
        return DescriptorLimit.hotMaxima(
                fleets, named, limit, Loggers.ofProcess().getLogger("test"));
    }

    @Test
    void theSoftLimitCounts() {
        assertEquals(Optional.of(1024L), DescriptorLimit.parse(LIMITS));
        assertEquals(Optional.empty(), DescriptorLimit.parse(LIMITS.replace("1024  ", "unlimited")));
        assertEquals(Optional.empty(), DescriptorLimit.parse(""));
        assertTrue(DescriptorLimit.current().isPresent(), "this system has one");
    }

    @Test
    void hotDatabasesAreLoweredInProportionAndBothNumbersNamed() throws IOException {
        assertEquals(List.of(543, 181), hotMaxima(8, Optional.of(300 + 2 * 8 + 2 * 725L)));
        String warning = log.toString(StandardCharsets.UTF_8);
        assertTrue(warning.contains("max-hot-databases=4000"), warning);
        assertTrue(warning.contains("lowered_to=724"), warning);
        assertTrue(warning.contains("open_files_limit=1766"), warning);
    }

    @Test
    void whatFitsStaysAndOneAlwaysMayBeHot() throws IOException {
        assertEquals(List.of(3000, 1000), hotMaxima(0, Optional.of(8_300L)));
        assertEquals(List.of(3000, 1000), hotMaxima(0, Optional.empty()));
        assertEquals("", log.toString(StandardCharsets.UTF_8));
        assertEquals(List.of(1, 1), hotMaxima(0, Optional.of(100L)));
    }
}
