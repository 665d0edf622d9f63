package io.loomstream.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.app.config.DatabaseConfig;
import io.loomstream.app.config.LoggingConfig;
import io.loomstream.app.config.ReplicaConfig;
import io.loomstream.app.config.ServerConfig;
import io.loomstream.app.logging.Loggers;
import io.loomstream.engine.replica.s3.S3Credentials;
import io.loomstream.engine.replica.s3.S3Encryption;
import io.loomstream.engine.replica.s3.S3Settings;
import io.loomstream.engine.replica.s3.Secret;
import io.loomstream.engine.sync.DatabaseOptions;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.event.Level;

final class EffectiveConfigTest {
    private static final String KEY =
            Base64.getEncoder().encodeToString("0123456789abcdef0123456789abcdef".getBytes(StandardCharsets.US_ASCII));

    private static ServerConfig fleet(int databases) {
        List<DatabaseConfig> all = new ArrayList<>();
        for (int i = 0; i < databases; i++) {
            S3Settings settings = S3Settings.builder()
                    .bucket("b")
                    .path("db-" + i)
                    .credentials(new S3Credentials.Keys(
                            "AKIAIDENTITY", new Secret("canary-key"), Optional.of(new Secret("canary-token"))))
                    .encryption(new S3Encryption.CustomerKey(new Secret(KEY)))
                    .build();
            all.add(new DatabaseConfig(DatabaseOptions.defaults(Path.of("/db-" + i)), new ReplicaConfig.S3(settings)));
        }
        return ServerConfig.of(all);
    }

    private static String logged(ServerConfig config, Level level) {
        var bytes = new ByteArrayOutputStream();
        Loggers.ofProcess()
                .configure(
                        LoggingConfig.defaults().withLevel(level),
                        new PrintStream(bytes, true, StandardCharsets.UTF_8));
        EffectiveConfig.log(config, Path.of("/state"), Loggers.ofProcess().getLogger("test"));
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @CsvSource({"INFO, 3, 3, false", "INFO, 25, 20, true", "DEBUG, 25, 25, false", "WARN, 25, 0, false"})
    void firstDatabasesAreLoggedAndNoSecret(Level level, int databases, int lines, boolean more) {
        String log = logged(fleet(databases), level);

        assertEquals(
                lines,
                log.lines().filter(line -> line.contains("replica=s3://b/db-")).count(),
                log);
        assertEquals(more, log.contains("configuration of 5 more databases"), log);
        for (String secret : List.of("canary", KEY, "IDENTITY")) {
            assertFalse(log.contains(secret), log);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "credentials=\"Keys[AKIA********, ********, session]\"",
        "encryption=\"SSE-C ********\"",
        "endpoint=AWS",
        "region=auto",
        "monitor-interval=1s"
    })
    void valuesStandUnderTheNamesOfTheirKeys(String pair) {
        String log = logged(fleet(1), Level.INFO);

        assertTrue(log.contains(' ' + pair), log);
    }
}
