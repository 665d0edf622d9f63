package io.loomstream.app.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.sync.DatabaseOptions;
import io.loomstream.engine.sync.HoldMode;
import io.loomstream.engine.sync.JournalPolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.event.Level;

final class ConfigFileTest {
    @TempDir
    private Path directory;

    private ConfigHarness harness;

    @BeforeEach
    void makeHarness() {
        harness = new ConfigHarness(directory);
    }

    /** A file with one database whose entry has the given lines after path (line 2) and replica (line 3). */
    private static String database(String... lines) {
        return "dbs:\n  - path: /data/app.db\n    replica: {path: /b}\n    " + String.join("\n    ", lines) + "\n";
    }

    private DatabaseConfig only(String yaml) throws IOException {
        return harness.load(yaml).config().databases().getFirst();
    }

    @Test
    void everyServedKeyReachesItsOption() throws IOException {
        ServerConfig config = harness.load("""
                sync-interval: 2s
                shutdown-sync-timeout: 1m
                shutdown-sync-interval: 100ms
                logging: {level: Warning, type: json, stderr: yes, source: On}
                dbs:
                  - path: sqlite:///data/x/../app.db
                    meta-path: ~/meta
                    monitor-interval: 250ms
                    checkpoint-interval: 0
                    min-checkpoint-page-count: 0x10
                    truncate-page-n: -1
                    busy-timeout: 1.5s
                    max-sync-wal-bytes: 010
                    max-wal-bytes: 2GiB
                    max-local-bytes: 3MiB
                    hold: connection
                    journal-mode: observe
                    replica: {type: file, path: b//c/}
                """).config();

        DatabaseConfig database = config.databases().getFirst();
        assertEquals(
                new DatabaseOptions(
                        Path.of("/data/app.db"),
                        Path.of("/home/user/meta"),
                        Duration.ofMillis(250),
                        Duration.ofSeconds(2),
                        Duration.ZERO,
                        16,
                        -1,
                        Duration.ofMillis(1500),
                        8,
                        2L << 30,
                        3 << 20,
                        HoldMode.CONNECTION,
                        JournalPolicy.OBSERVE),
                database.options());
        assertEquals(new ReplicaConfig.Directory(Path.of("/work-dir/b/c")), database.replica());
        assertEquals(new LoggingConfig(Level.WARN, LoggingConfig.Type.JSON, true, true), config.logging());
        assertEquals(Duration.ofMinutes(1), config.shutdownSyncTimeout());
        assertEquals(Duration.ofMillis(100), config.shutdownSyncInterval());
    }

    @Test
    void whatTheFileLeavesOutIsLitestreamsDefault() throws IOException {
        ServerConfig config =
                harness.load(database("monitor-interval: null", "hold:")).config();

        assertEquals(
                DatabaseOptions.defaults(Path.of("/data/app.db")),
                config.databases().getFirst().options());
        assertEquals(LoggingConfig.defaults(), config.logging());
        assertEquals(Duration.ofSeconds(30), config.shutdownSyncTimeout());
    }

    @Test
    void replicasOwnSyncIntervalWinsOverTheGlobalOne() throws IOException {
        String yaml = "sync-interval: 2s\ndbs:\n  - path: /a\n    replica: {path: /b, sync-interval: 5s}\n";

        assertEquals(Duration.ofSeconds(5), only(yaml).options().syncInterval());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            monitor-interval: 5            | dbs[/data/app.db].monitor-interval: a duration needs a unit: ns, us, ms, s, m or h (got 5) at f.yml:4
            max-wal-bytes: 1000            | dbs[/data/app.db].max-wal-bytes: must be 0 (no limit) or at least 1MiB (got 1000 bytes) at f.yml:4
            max-wal-bytes: much            | dbs[/data/app.db].max-wal-bytes: must be a size such as 10MB or 8MiB (units: B, KB, MB, GB, TB, PB, EB, KiB, MiB, GiB, TiB, PiB, EiB) (got much) at f.yml:4
            busy-timeout: -1s              | dbs[/data/app.db].busy-timeout: must be >= 0 (got -1s) at f.yml:4
            checkpoint-interval: [1s]      | dbs[/data/app.db].checkpoint-interval: must be a single value (got a list) at f.yml:4
            min-checkpoint-page-count: 0   | dbs[/data/app.db].min-checkpoint-page-count: must be greater than 0 (got 0) at f.yml:4
            min-checkpoint-page-count: ten | dbs[/data/app.db].min-checkpoint-page-count: must be a whole number (got ten) at f.yml:4
            truncate-page-n: 3000000000    | dbs[/data/app.db].truncate-page-n: must be between -2147483648 and 2147483647 (got 3000000000) at f.yml:4
            hold: maybe                    | dbs[/data/app.db].hold: must be one of auto, ofd, connection, none (got maybe) at f.yml:4
            journal-mode: delete           | dbs[/data/app.db].journal-mode: must be one of wal, require, observe (got delete) at f.yml:4
            meta-path: "a\\0b"             | dbs[/data/app.db].meta-path: is no path on this system: Nul character not allowed (got a\0b) at f.yml:4
            snapshot: {interval: 1h}       | dbs[/data/app.db].snapshot: this version of Loomstream does not serve this key yet at f.yml:4
            restore-if-db-not-exists: true | dbs[/data/app.db].restore-if-db-not-exists: this version of Loomstream does not serve this key yet at f.yml:4
            """)
    void badValueIsRefusedWithFieldValueAndLine(String line, String error) {
        assertEquals(error.replace("\\0", "\0"), harness.errorOf(database(line)));
    }

    @Test
    void keysSetToNothingAskForNothing() throws IOException {
        assertEquals(
                List.of(),
                harness.load("addr: ''\nexec:\nlevels: []\n" + database("watch: false", "snapshot: {}"))
                        .warnings());
    }

    @Test
    void unknownKeysAreWarnedOfWithLineAndNearestKey() throws IOException {
        LoadedConfig loaded = harness.load("""
                loging: {level: debug}
                x-defaults: {a: 1}
                dbs:
                  - path: /data/app.db
                    monitor-intervall: 5s
                    replica: {path: /b, retention: 24h}
                """);

        assertEquals(
                List.of(
                        "loging: unknown key; did you mean \"logging\"? at f.yml:1",
                        "dbs[/data/app.db].monitor-intervall: unknown key; did you mean \"monitor-interval\"? at f.yml:5",
                        "dbs[/data/app.db].replica.retention: unknown key at f.yml:6"),
                loaded.warnings().stream().map(harness::shortened).toList());
    }

    @Test
    void strictMakesWarningsErrors() {
        assertEquals(
                "frobnicate: unknown key at f.yml:1\n(-strict makes this an error)",
                harness.errorOf("frobnicate: 1\n", true));
    }

    @Test
    void lastOfDuplicateKeysCountsAndIsWarnedOf() throws IOException {
        LoadedConfig loaded = harness.load(database("monitor-interval: 1s", "monitor-interval: 2s"));

        assertEquals(
                Duration.ofSeconds(2),
                loaded.config().databases().getFirst().options().monitorInterval());
        assertEquals(
                "\"monitor-interval\" stands in line 4 already; the last one counts at f.yml:5",
                harness.shortened(loaded.warnings().getFirst()));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {path: /a, replica: {path: /r1}} | {path: /x/../a, replica: {path: /r2}} | dbs[/a].path: the same database is listed in line 2 already (got /a) at f.yml:3
            {path: /a, replica: {path: /r}}  | {path: /b, replica: {url: 'file:///r'}} | dbs[/b].replica.url: is the place of the replica of dbs[/a] in line 2 (got /r) at f.yml:3
            {path: /a, meta-path: /m, replica: {path: /r}}  | {path: /b, meta-path: /m, replica: {path: /q}} | dbs[/b].meta-path: the meta directory is another database's in line 2 already (got /m) at f.yml:3
            """)
    void placesThatTwoDatabasesWouldShareAreRefused(String one, String other, String error) {
        assertEquals(error, harness.errorOf("dbs:\n  - " + one + "\n  - " + other + "\n"));
    }

    @Test
    void environmentVariablesAreExpandedBeforeTheTextIsYaml() throws IOException {
        assertEquals(
                Path.of("/data/4711.db"),
                only("dbs:\n  - path: ${FX_DIR}/$PID.db\n    replica: {path: /b}\n")
                        .options()
                        .path());
    }

    @Test
    void environmentVariablesStayWhenExpansionIsOff() throws IOException {
        Path file =
                Files.writeString(directory.resolve("f.yml"), "dbs:\n  - path: /$PID.db\n    replica: {path: /b}\n");

        ServerConfig config = ConfigFile.load(file, new ConfigFile.Rules(false, false), ConfigHarness.ENVIRONMENT)
                .config();

        assertEquals(
                Path.of("/$PID.db"), config.databases().getFirst().options().path());
    }

    @Test
    void unknownLogLevelIsInfoWithAWarning() throws IOException {
        LoadedConfig loaded = harness.load("logging: {level: loud}\n");

        assertEquals(Level.INFO, loaded.config().logging().level());
        assertEquals(1, loaded.warnings().size());
    }

    @Test
    void variableLogLevelWinsOverTheFile() throws IOException {
        var environment = new Environment(Map.of("LOG_LEVEL", "error"), Path.of("/h"), Path.of("/w"), 1);
        Path file = Files.writeString(directory.resolve("f.yml"), "logging: {level: debug}\n");

        LoadedConfig loaded = ConfigFile.load(file, new ConfigFile.Rules(true, false), environment);

        assertEquals(Level.ERROR, loaded.config().logging().level());
    }

    @Test
    void fileIsFoundByFlagThenOurVariableThenLitestreams() throws IOException {
        Path ours = Files.writeString(directory.resolve("ours.yml"), "");
        Path theirs = Files.writeString(directory.resolve("theirs.yml"), "");
        Path flag = Files.writeString(directory.resolve("flag.yml"), "");
        var both = new Environment(
                Map.of("LOOMSTREAM_CONFIG", ours.toString(), "LITESTREAM_CONFIG", theirs.toString()),
                directory,
                directory,
                1);
        var litestreams = new Environment(Map.of("LITESTREAM_CONFIG", theirs.toString()), directory, directory, 1);
        var rules = new ConfigFile.Rules(true, false);

        assertEquals(
                flag, ConfigFile.load(Optional.of("~/flag.yml"), rules, both).file());
        assertEquals(ours, ConfigFile.load(Optional.empty(), rules, both).file());
        assertEquals(
                theirs, ConfigFile.load(Optional.empty(), rules, litestreams).file());
    }

    @Test
    void missingFileIsNamed() {
        Path none = directory.resolve("none.yml");

        ConfigException error = assertThrows(
                ConfigException.class,
                () -> ConfigFile.load(none, new ConfigFile.Rules(true, false), ConfigHarness.ENVIRONMENT));

        assertEquals("config file not found: " + none, error.getMessage());
    }

    @Test
    void fileThatAnybodyMayWriteIsWarnedOf() throws IOException {
        Path file = Files.writeString(directory.resolve("f.yml"), "");
        Files.setPosixFilePermissions(file, java.nio.file.attribute.PosixFilePermissions.fromString("rw-rw-rw-"));

        List<String> warnings = ConfigFile.load(file, new ConfigFile.Rules(true, false), ConfigHarness.ENVIRONMENT)
                .warnings();

        assertTrue(warnings.getFirst().startsWith("every user of this machine may write"), warnings.toString());
    }

    @Test
    void fileOverAMegabyteIsRefused() {
        assertEquals("the file is larger than 1048576 bytes in f.yml", harness.errorOf("#".repeat((1 << 20) + 1)));
    }
}
