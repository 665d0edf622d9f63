package io.loomstream.app.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What users start from: example files, and the page that explains the keys. */
final class ExamplesTest {
    private static final Environment ENVIRONMENT = new Environment(
            Map.of(
                    "MINIO_USER", "user",
                    "MINIO_PASSWORD", "password",
                    "BUCKET", "bucket",
                    "AWS_REGION", "eu-central-1",
                    "ADMIN_TOKEN", "token"),
            Path.of("/home/user"),
            Path.of("/work-dir"),
            1);

    static List<Path> examples() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("../config-examples"))) {
            return Stream.concat(
                            files.filter(Files::isRegularFile),
                            Stream.of(Path.of("../config-examples/docker/loomstream.yml")))
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("examples")
    void everyExampleIsAcceptedWithoutAWarning(Path example) throws IOException {
        LoadedConfig loaded = ConfigFile.load(example, new ConfigFile.Rules(true, true), ENVIRONMENT);

        assertEquals(List.of(), loaded.warnings());
        assertFalse(loaded.config().databases().isEmpty()
                && loaded.config().fleets().isEmpty());
    }

    static Stream<String> servedKeys() {
        return Stream.of(
                        KnownKeys.TOP,
                        KnownKeys.DATABASE,
                        KnownKeys.FILE_REPLICA,
                        KnownKeys.S3_REPLICA,
                        KnownKeys.MULTI_DB,
                        KnownKeys.ADMIN,
                        KnownKeys.ADMIN_TLS,
                        KnownKeys.METRICS)
                .flatMap(keys -> Stream.concat(keys.served().stream(), keys.idle().keySet().stream()))
                .filter(key -> !key.equals("logging"))
                .distinct();
    }

    @ParameterizedTest
    @MethodSource("servedKeys")
    void everyServedKeyIsExplained(String key) throws IOException {
        String page = Files.readString(Path.of("../docs/configuration.md"));

        assertTrue(page.lines().anyMatch(line -> line.startsWith("| ") && line.contains("`" + key + "`")), key);
    }
}
