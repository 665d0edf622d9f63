package io.loomstream.app.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The files that users start from. */
final class ExamplesTest {
    private static final Environment ENVIRONMENT = new Environment(
            Map.of("MINIO_USER", "user", "MINIO_PASSWORD", "password"), Path.of("/home/user"), Path.of("/work-dir"), 1);

    static List<Path> examples() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("../config-examples"))) {
            return files.sorted().toList();
        }
    }

    @ParameterizedTest
    @MethodSource("examples")
    void everyExampleIsAcceptedWithoutAWarning(Path example) throws IOException {
        LoadedConfig loaded = ConfigFile.load(example, new ConfigFile.Rules(true, true), ENVIRONMENT);

        assertEquals(List.of(), loaded.warnings());
        assertFalse(loaded.config().databases().isEmpty());
    }
}
