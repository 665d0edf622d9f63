package io.loomstream.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.loomstream.engine.testing.Tools;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The files for Prometheus, Grafana, Docker and systemd: they can be parsed, and ask for nothing that no scrape shows. That
 * docs/metrics.md names what a scrape shows is proven by the metrics' own test.
 */
class MonitoringExamplesTest {
    private static final Path EXAMPLES = Path.of("../config-examples");
    private static final Path DASHBOARD = EXAMPLES.resolve("grafana/loomstream.json");
    private static final Path ALERTS = EXAMPLES.resolve("prometheus/alerts.yml");
    private static final Path CONFIG = EXAMPLES.resolve("prometheus/prometheus.yml");
    private static final Pattern DOCUMENTED = Pattern.compile("(?m)^\\| `(\\w+)` \\| (\\w+) \\| ([\\w, ]*)\\|");
    private static final Pattern METRIC = Pattern.compile("\\b(?:loomstream|litestream|jvm|process)_\\w+");
    private static final Pattern SELECTED = Pattern.compile("\\b((?:loomstream|litestream)_\\w+)\\{([^}]*)}");
    private static final Pattern LABEL = Pattern.compile("(\\w+)\\s*(?:=~|!~|!=|=)\\s*\"");
    /** Of the client library; docs/metrics.md does not list them one by one. */
    private static final Set<String> OF_THE_LIBRARY = Set.of(
            "process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds", "jvm_memory_used_bytes");

    /** What is known of a metric: its type, and its labels. */
    private record Metric(String type, Set<String> labels) {}

    private static Map<String, Metric> documented() throws IOException {
        Map<String, Metric> metrics = new TreeMap<>();
        for (MatchResult row : DOCUMENTED
                .matcher(Files.readString(Path.of("../docs/metrics.md")))
                .results()
                .toList()) {
            Set<String> labels = new TreeSet<>(Set.of("instance", "job"));
            labels.addAll(List.of(row.group(3).strip().split(",\\s*")));
            metrics.put(row.group(1), new Metric(row.group(2), labels));
        }
        return metrics;
    }

    /** The values of all fields of a name, wherever they are. */
    private static List<String> values(Path file, String field) throws IOException {
        List<String> values = new ArrayList<>();
        boolean json = file.toString().endsWith(".json");
        try (JsonParser parser = (json ? new JsonFactory() : new YAMLFactory()).createParser(file.toFile())) {
            while (parser.nextToken() != null) {
                if (parser.currentToken() == JsonToken.VALUE_STRING && field.equals(parser.currentName())) {
                    values.add(parser.getText());
                }
            }
        }
        return values;
    }

    static Stream<Path> structured() throws IOException {
        try (Stream<Path> files = Files.walk(EXAMPLES)) {
            return files
                    .filter(file ->
                            file.toString().endsWith(".yml") || file.toString().endsWith(".json"))
                    .sorted()
                    .toList()
                    .stream();
        }
    }

    @ParameterizedTest
    @MethodSource("structured")
    void everyFileCanBeParsedToItsEnd(Path file) throws IOException {
        boolean json = file.toString().endsWith(".json");
        int tokens = 0;
        try (JsonParser parser = (json ? new JsonFactory() : new YAMLFactory())
                .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
                .createParser(file.toFile())) {
            while (parser.nextToken() != null) {
                tokens++;
            }
        }
        assertTrue(tokens > 5, file + " is all but empty");
    }

    @Test
    void queriesNameOnlyWhatAScrapeShows() throws IOException {
        Map<String, Metric> documented = documented();
        List<String> queries = new ArrayList<>(values(DASHBOARD, "expr"));
        assertTrue(queries.size() > 30, "queries of the dashboard: " + queries.size());
        List<String> alerts = values(ALERTS, "expr");
        assertTrue(alerts.size() > 8, "queries of the alerts: " + alerts.size());
        queries.addAll(alerts);
        for (String query : queries) {
            for (MatchResult name : METRIC.matcher(query).results().toList()) {
                if (!OF_THE_LIBRARY.contains(name.group())) {
                    assertShown(name.group(), documented, query);
                }
            }
            for (MatchResult selected : SELECTED.matcher(query).results().toList()) {
                Set<String> known = shown(selected.group(1), documented).labels();
                for (MatchResult label :
                        LABEL.matcher(selected.group(2)).results().toList()) {
                    assertTrue(known.contains(label.group(1)), label.group(1) + " is no label in " + query);
                }
            }
        }
    }

    /** A histogram has no series of its own name, but three others. */
    private static void assertShown(String name, Map<String, Metric> documented, String query) {
        boolean plain =
                documented.containsKey(name) && !documented.get(name).type().equals("histogram");
        boolean ofHistogram =
                !documented.containsKey(name) && shown(name, documented).type().equals("histogram");
        assertTrue(plain || ofHistogram, name + " is in no scrape: " + query);
    }

    private static Metric shown(String series, Map<String, Metric> documented) {
        Metric itself = documented.get(series);
        String family = series.replaceFirst("_(bucket|sum|count)$", "");
        return itself != null ? itself : documented.getOrDefault(family, new Metric("unknown", Set.of()));
    }

    @Test
    void everyFamilyOfOurOwnIsUsedOrOfNoUseInAPicture() throws IOException {
        String all = Files.readString(DASHBOARD) + Files.readString(ALERTS);
        TreeSet<String> unused = new TreeSet<>(documented().keySet());
        unused.removeIf(name -> name.startsWith("litestream_") || all.contains(name));
        assertEquals(
                new TreeSet<>(Set.of(
                        "loomstream_databases_named",
                        "loomstream_gate_permits",
                        "loomstream_gate_wait_seconds",
                        "loomstream_path_table_bytes",
                        "loomstream_project_database_databases",
                        "loomstream_queue_length")),
                unused);
    }

    @Test
    void theDashboardHasItsPartsAndKnowsItsVariables() throws IOException {
        List<String> titles = values(DASHBOARD, "title");
        assertTrue(titles.containsAll(List.of("Fleet", "Tiers", "Lag and work", "S3", "Errors", "Cost per hour")));
        List<String> variables = values(DASHBOARD, "name");
        String dashboard = Files.readString(DASHBOARD);
        Pattern variable = Pattern.compile("\\$\\{?([a-z_]+)}?");
        for (MatchResult used : variable.matcher(dashboard).results().toList()) {
            if (!used.group(1).startsWith("__")) {
                assertTrue(variables.contains(used.group(1)), used.group() + " is no variable of the dashboard");
            }
        }
    }

    @Test
    void prometheusAcceptsTheRulesAndItsConfiguration() throws Exception {
        Path promtool = Tools.find("promtool");
        for (List<String> words : List.of(List.of("rules", ALERTS.toString()), List.of("config", CONFIG.toString()))) {
            List<String> command = new ArrayList<>(List.of(promtool.toString(), "check"));
            command.addAll(words);
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(0, process.waitFor(), answer);
        }
    }

    @Test
    void theDockerfileConsistsOfInstructionsAndCopiesWhatThePackageHolds() throws IOException {
        List<String> lines = Files.readAllLines(EXAMPLES.resolve("docker/Dockerfile")).stream()
                .filter(line -> !line.isBlank() && !line.startsWith("#"))
                .toList();
        Pattern instruction = Pattern.compile("(FROM|COPY|RUN|USER|VOLUME|EXPOSE|STOPSIGNAL|ENTRYPOINT|CMD) \\S.*");
        lines.forEach(line -> assertTrue(instruction.matcher(line).matches(), line));
        assertTrue(lines.getFirst().startsWith("FROM "), "the first instruction");
        List<String> copied = lines.stream()
                .filter(line -> line.startsWith("COPY "))
                .map(line -> List.of(line.split(" ", -1)).get(1))
                .toList();
        assertEquals(List.of("bin", "lib"), copied, "the package's directories");
    }

    @Test
    void filesThatNameEachOtherAreThere() throws IOException {
        Path docker = EXAMPLES.resolve("docker");
        Pattern mounted = Pattern.compile("- (\\.[^:\\s]+):");
        List<String> mounts = mounted.matcher(Files.readString(docker.resolve("docker-compose.yml")))
                .results()
                .map(match -> match.group(1))
                .toList();
        assertEquals(5, mounts.size(), mounts.toString());
        for (String mount : mounts) {
            assertTrue(Files.exists(docker.resolve(mount)), mount);
        }
        assertTrue(Files.exists(EXAMPLES.resolve("prometheus/alerts.yml")));
        assertFalse(values(CONFIG, "job_name").isEmpty());
    }

    /** A line that is no assignment and no section is ignored by systemd: the hardening would be, too. */
    @Test
    void everyLineOfTheUnitMeansSomething() throws IOException {
        List<String> lines = Files.readAllLines(EXAMPLES.resolve("systemd/loomstream.service"));
        Pattern meaningful = Pattern.compile("|#.*|\\[(Unit|Service|Install)]|[A-Z][A-Za-z]+=.*");
        lines.forEach(line -> assertTrue(meaningful.matcher(line).matches(), line));
        assertTrue(
                lines.containsAll(List.of("NoNewPrivileges=true", "ProtectSystem=strict", "CapabilityBoundingSet=")));
        assertTrue(lines.stream().noneMatch(line -> line.startsWith("MemoryDenyWriteExecute")), "Java compiles");
    }
}
