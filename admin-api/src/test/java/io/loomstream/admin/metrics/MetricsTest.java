package io.loomstream.admin.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.fleet.FleetControl;
import io.loomstream.engine.fleet.Tier;
import io.loomstream.engine.testing.SmallFleet;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Names, types, labels and sums of a scrape. */
class MetricsTest {
    private static final Pattern TYPE = Pattern.compile("(?m)^# TYPE (\\S+) (\\S+)$");
    private static final Pattern HELP = Pattern.compile("(?m)^# HELP (litestream_\\S+) (.*)$");
    private static final Pattern DOCUMENTED = Pattern.compile("(?m)^\\| `(\\w+)` \\| (\\w+) \\|");

    @TempDir
    Path directory;

    private SmallFleet fleet;

    @BeforeEach
    void make() throws Exception {
        fleet = new SmallFleet(directory);
    }

    @AfterEach
    void close() throws Exception {
        fleet.close();
    }

    private static String scrape(FleetControl control, boolean perDatabase) throws Exception {
        return new String(
                new Metrics(control, perDatabase, Optional::empty).scrape("").bytes(), StandardCharsets.UTF_8);
    }

    private static void awaitCold(FleetControl control, int databases) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .until(() -> control.tiers().databases().get(Tier.COLD_CLEAN) == databases);
    }

    private static Map<String, String> found(Pattern pattern, String text) {
        Map<String, String> found = new TreeMap<>();
        for (MatchResult match : pattern.matcher(text).results().toList()) {
            found.put(match.group(1), match.group(2));
        }
        return found;
    }

    @Test
    void namedDatabasesHaveLitestreamsNamesLabelsAndHelpTexts() throws Exception {
        Path database = directory.resolve("app.db");
        fleet.make(database);
        fleet.withNamed(database);
        FleetControl control = fleet.start().control(10);
        Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> {
            var status = control.named().getFirst().progress().served().orElseThrow();
            return status.remote().value() == 1;
        });
        fleet.app().open("app", database).exec("app", "insert into t values (1)");
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .until(() -> scrape(control, true).contains("litestream_txid{db=\"" + database + "\"} 2.0"));
        String ours = scrape(control, true);
        String theirs;
        try (InputStream in = MetricsTest.class.getResourceAsStream("/recorded/metrics.txt")) {
            theirs = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        assertEquals(found(HELP, theirs), found(HELP, ours));
        Map<String, String> types = found(TYPE, ours);
        found(TYPE, theirs).forEach((name, type) -> {
            assertEquals(type.equals("counter") ? "untyped" : type, types.get(name), name);
            assertTrue(ours.contains("\n" + name + "{db=\"" + database + "\"} "), name);
        });
        assertTrue(ours.contains("litestream_db_size{db=\"" + database + "\"} " + (double) Files.size(database)));
        long wal = Files.size(Path.of(database + "-wal"));
        assertTrue(ours.contains("litestream_wal_size{db=\"" + database + "\"} " + (double) wal), ours);
        fleet.app().close("app");
    }

    @Test
    void theDocumentNamesEveryFamilyOfAScrapeWithItsType() throws Exception {
        Path database = directory.resolve("app.db");
        fleet.make(database);
        fleet.withNamed(database);
        fleet.make("p/x.db");
        FleetControl control = fleet.start().control(10);
        awaitCold(control, 1);
        String document = Files.readString(Path.of("../docs/metrics.md"));
        Map<String, String> documented = found(DOCUMENTED, document);
        Map<String, String> shown = found(TYPE, scrape(control, true));
        shown.forEach((name, type) -> {
            if (!name.startsWith("jvm_") && !name.startsWith("process_")) {
                assertEquals(type, documented.get(name), name + " in docs/metrics.md");
            }
        });
        TreeSet<String> missing = new TreeSet<>(documented.keySet());
        missing.removeAll(shown.keySet());
        missing.removeIf(name -> name.contains("_s3_")
                || name.equals("loomstream_circuit_open")
                || name.startsWith("litestream_replica_operation"));
        assertEquals(new TreeSet<>(), missing, "documented, and not shown");
    }

    @Test
    void projectSumsAreTheTablesAndTheirNumberIsBounded() throws Exception {
        for (int i = 0; i < 25; i++) {
            fleet.make("p" + i + "/databases/d/branches/main/tenants/x.db");
        }
        FleetControl control = fleet.start().control(10);
        awaitCold(control, 25);
        String text = scrape(control, false);
        double sum = 0;
        TreeSet<String> projects = new TreeSet<>();
        Pattern line = Pattern.compile(
                "(?m)^loomstream_project_databases\\{project=\"([^\"]*)\",tier=\"cold_clean\"} ([0-9.]+)$");
        for (MatchResult match : line.matcher(text).results().toList()) {
            projects.add(match.group(1));
            sum += Double.parseDouble(match.group(2));
        }
        assertEquals(25, sum);
        assertEquals(11, projects.size(), projects.toString());
        assertTrue(projects.contains("other"));
        assertTrue(!text.contains("litestream_") && !text.contains("x.db"), "no series for one database");
    }

    /** How many databases there are does not matter: there is no series for one of them. */
    @Test
    void aScrapeOfFiveHundredProjectsIsBelowAMegabyte() throws Exception {
        for (int project = 0; project < 501; project++) {
            for (int database = 0; database < 3; database++) {
                Path tenants = fleet.data()
                        .resolve("project-%03d/databases/database-%d/branches/main/tenants"
                                .formatted(project, database));
                Files.createFile(Files.createDirectories(tenants).resolve("x.db"));
            }
        }
        FleetControl control = fleet.start().control(500);
        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .until(() -> control.tiers().databases().get(Tier.IGNORED) == 1_503);
        String text = scrape(control, true);
        assertTrue(text.length() < 1_000_000, "bytes: " + text.length());
        long projects = text.lines()
                .filter(line -> line.startsWith("loomstream_project_databases{"))
                .count();
        assertEquals(501, projects, "500 and the others");
    }
}
