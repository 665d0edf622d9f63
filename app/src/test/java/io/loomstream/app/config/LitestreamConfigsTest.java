package io.loomstream.app.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Files whose outcome was recorded from Litestream v0.5.16 in {@code expect.json}: the same databases or an error too,
 * apart from what this version does not serve, which must say so, and what it refuses on purpose.
 */
final class LitestreamConfigsTest {
    /** Files that use something this version does not serve; where Litestream refuses them too, so do we. */
    private static final Set<String> NOT_SERVED = Set.of(("abs.yml age.yml bool-words.yml gs.yml"
                    + " heartbeat-interval-short.yml heartbeat-url-bad.yml"
                    + " l0-check-0.yml l0-retention-0.yml l0-retention-negative.yml level-interval-0.yml"
                    + " nats.yml octal.yml oss.yml"
                    + " retention-scalar.yml sftp-no-user.yml snapshot-interval-0.yml"
                    + " snapshot-per-db-conflict.yml snapshot-per-db.yml snapshot-retention-negative.yml"
                    + " top-level-all.yml webdav.yml")
            .split(" "));

    /** Files that Litestream takes to its user's harm, and what we say instead. */
    private static final Map<String, String> REFUSED_ON_PURPOSE = Map.of(
            "duration-plain-number.yml",
                    "dbs[/data/app.db].monitor-interval: a duration needs a unit: ns, us, ms, s, m or h (got 5)",
            "duplicate-db.yml", "dbs[/data/app.db].path: the same database is listed in line 2 already",
            "min-checkpoint-0.yml", "dbs[/data/app.db].min-checkpoint-page-count: must be greater than 0 (got 0)",
            // Litestream finds out when it writes the first file, and goes on trying.
            "sse-both.yml",
                    "dbs[/data/app.db].replica.sse-kms-key-id: cannot be combined with sse-customer-key"
                            + " and sse-customer-key-path",
            "sse-c-bad-key.yml",
                    "dbs[/data/app.db].replica.sse-customer-key: sse-customer-key is base64 of 2 bytes,"
                            + " it must be 32");

    /** Recorded errors that we give word for word (ours go on with the place). */
    private static final Set<String> SAME_WORDS = Set.of(
            "dir-without-pattern.yml",
            "meta-dir-with-path.yml",
            "meta-path-and-meta-dir.yml",
            "watch-without-dir.yml",
            "no-path.yml",
            "path-and-dir.yml",
            "replicas-sync-interval-negative.yml",
            "shutdown-interval-0.yml",
            "shutdown-timeout-negative.yml",
            "sync-interval-0.yml");

    private static Path folder() throws URISyntaxException {
        return Path.of(Objects.requireNonNull(LitestreamConfigsTest.class.getResource("/configs"))
                .toURI());
    }

    static List<String> files() throws IOException, URISyntaxException {
        try (Stream<Path> files = Files.list(folder())) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".yml"))
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void outcomeIsLitestreamsOrTheListedOne(String name) throws IOException, URISyntaxException {
        Node.Mapping recorded = recorded(name);
        String outcome = outcome(name);

        if (name.equals("dir.yml")) {
            // Litestream lists the current directory for it.
            assertEquals("dbs[/data]", outcome);
        } else if (NOT_SERVED.contains(name)) {
            assertTrue(outcome.matches("(?s)error: .*does not serve.*"), outcome);
        } else if (REFUSED_ON_PURPOSE.containsKey(name)) {
            assertTrue(outcome.startsWith("error: " + REFUSED_ON_PURPOSE.get(name)), outcome);
        } else if (text(recorded, "exit").equals("0")) {
            assertEquals(databases(recorded), outcome);
        } else if (SAME_WORDS.contains(name)) {
            assertTrue(outcome.startsWith(text(recorded, "error").replaceFirst("Error", "error")), outcome);
        } else {
            assertTrue(outcome.matches("(?s)error: .*(at|in) .*" + Pattern.quote(name) + ".*"), outcome);
        }
    }

    /** The databases with their replica types and the directories, one a line; or the error. */
    private static String outcome(String name) throws URISyntaxException {
        try {
            ServerConfig config = ConfigFile.load(
                            folder().resolve(name), new ConfigFile.Rules(true, false), ConfigHarness.ENVIRONMENT)
                    .config();
            Stream<String> named = config.databases().stream()
                    .map(database ->
                            database.options().path() + " " + database.replica().type());
            return Stream.concat(named, config.fleets().stream().map(FleetConfig::name))
                    .collect(Collectors.joining("\n"));
        } catch (ConfigException e) {
            return "error: " + e.getMessage();
        }
    }

    /** JSON is YAML, so the recorded outcomes are read by the reader under test. */
    private static Node.Mapping recorded(String name) throws IOException, URISyntaxException {
        String json = Files.readString(folder().resolve("expect.json"));
        Node root = Objects.requireNonNull(YamlReader.read(json, new Problems("expect.json")));
        return (Node.Mapping) value((Node.Mapping) value((Node.Mapping) root, "files"), name);
    }

    private static Node value(Node.Mapping mapping, String key) {
        return Objects.requireNonNull(mapping.entries().get(key), key).value();
    }

    private static String text(Node.Mapping mapping, String key) {
        return ((Node.Scalar) value(mapping, key)).text();
    }

    private static String databases(Node.Mapping recorded) {
        return ((Node.Sequence) value(recorded, "databases"))
                .items().stream()
                        .map(item -> text((Node.Mapping) item, "path") + " " + text((Node.Mapping) item, "replica"))
                        .collect(Collectors.joining("\n"));
    }
}
