package io.loomstream.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.loomstream.engine.testing.AppProcess;
import io.loomstream.engine.testing.Tools;
import io.loomstream.engine.testing.s3.S3Server;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The queries of the dashboard and of the alerts, asked of a real Prometheus that scrapes two running servers: one with a
 * fleet on S3, and one with named databases, one of which fails because its bucket does not exist.
 */
class ScrapedByPrometheusIT {
    private static final Path EXAMPLES = Path.of("../config-examples");
    private static final Path ALERTS = EXAMPLES.resolve("prometheus/alerts.yml");
    private static final Path DASHBOARD = EXAMPLES.resolve("grafana/loomstream.json");
    private static final Pattern SERVED = Pattern.compile("HTTP is served.*?\\bport\"?[=:](\\d+)");
    private static final Pattern COMPARED =
            Pattern.compile(" (?:==|!=|>=|<=|>|<) (?:on \\([^)]*\\) )?| and (?:on \\([^)]*\\) )?");
    private static final Pattern VALUE = Pattern.compile("\"value\":\\[[0-9.]+,\"([^\"]*)\"]");

    @TempDir
    Path directory;

    private final HttpClient client = HttpClient.newHttpClient();
    private final List<Process> processes = new ArrayList<>();

    @AfterEach
    void endProcesses() throws InterruptedException {
        processes.forEach(Process::destroy);
        for (Process process : processes) {
            if (!process.waitFor(20, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        }
    }

    private Process start(List<String> command, Path log) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().put("AWS_EC2_METADATA_DISABLED", "true");
        builder.environment().put("AWS_ACCESS_KEY_ID", S3Server.ACCESS_KEY_ID);
        builder.environment().put("AWS_SECRET_ACCESS_KEY", S3Server.SECRET_ACCESS_KEY);
        Process process = builder.start();
        processes.add(process);
        return process;
    }

    /** Starts a server; its address once it serves HTTP. */
    private String server(String name, String yaml, S3Server s3) throws IOException {
        Path config = Files.writeString(
                directory.resolve(name + ".yml"),
                yaml.replace("DIR", directory.toString())
                        .replace("ENDPOINT", s3.endpoint().toString())
                        .replace("BUCKET", S3Server.BUCKET));
        Path log = directory.resolve(name + ".log");
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Process process = start(
                List.of(
                        java,
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Main.class.getName(),
                        "replicate",
                        "-config",
                        config.toString()),
                log);
        Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> {
            assertTrue(process.isAlive(), () -> text(log));
            return port(log).isPresent();
        });
        return "127.0.0.1:" + port(log).orElseThrow();
    }

    private static Optional<String> port(Path log) {
        return SERVED.matcher(text(log)).results().map(found -> found.group(1)).findFirst();
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException notThere) {
            return "";
        }
    }

    /** A Prometheus with the example's configuration in a hurry; its address once it is ready. */
    private String prometheus(Path program, List<String> servers) throws Exception {
        String config = Files.readString(EXAMPLES.resolve("prometheus/prometheus.yml"))
                .replace("15s", "1s")
                .replace("[alerts.yml]", "[" + ALERTS.toAbsolutePath().normalize() + "]")
                .replace("\"loomstream:8080\"", "\"" + String.join("\", \"", servers) + "\"");
        Path file = Files.writeString(directory.resolve("prometheus.yml"), config);
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        String address = "127.0.0.1:" + port;
        Path log = directory.resolve("prometheus.log");
        Process process = start(
                List.of(
                        program.toString(),
                        "--config.file=" + file,
                        "--storage.tsdb.path=" + directory.resolve("tsdb"),
                        "--web.listen-address=" + address),
                log);
        Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> {
            assertTrue(process.isAlive(), () -> text(log));
            try {
                return get("http://" + address + "/-/ready").statusCode() == 200;
            } catch (IOException notYet) {
                return false;
            }
        });
        return address;
    }

    private HttpResponse<String> get(String url) throws IOException, InterruptedException {
        return client.send(HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofString());
    }

    /** Whether a query has an answer with at least one number. */
    private boolean hasData(String prometheus, String query) throws IOException, InterruptedException {
        HttpResponse<String> answer =
                get("http://" + prometheus + "/api/v1/query?query=" + URLEncoder.encode(query, StandardCharsets.UTF_8));
        assertEquals(200, answer.statusCode(), query + ": " + answer.body());
        return VALUE.matcher(answer.body())
                .results()
                .anyMatch(value -> !value.group(1).equals("NaN"));
    }

    private static List<String> expressions(Path file) throws IOException {
        List<String> found = new ArrayList<>();
        boolean json = file.toString().endsWith(".json");
        try (JsonParser parser = (json ? new JsonFactory() : new YAMLFactory()).createParser(file.toFile())) {
            while (parser.nextToken() != null) {
                if (parser.currentToken() == JsonToken.VALUE_STRING && "expr".equals(parser.currentName())) {
                    found.add(parser.getText());
                }
            }
        }
        return found;
    }

    /** Every query of the dashboard, and both sides of every comparison of the alerts: those hold in trouble only. */
    private static Set<String> queries() throws IOException {
        Set<String> queries = new LinkedHashSet<>();
        for (String query : expressions(DASHBOARD)) {
            queries.add(query.replace("$instance", ".*")
                    .replace("$__rate_interval", "15s")
                    .replace("$write_price", "0.005")
                    .replace("$read_price", "0.0004"));
        }
        int ofTheDashboard = queries.size();
        assertTrue(ofTheDashboard > 30, "queries of the dashboard: " + ofTheDashboard);
        for (String alert : expressions(ALERTS)) {
            for (String side : COMPARED.split(alert, -1)) {
                if (!side.matches("[0-9.]+")) {
                    queries.add(side);
                }
            }
        }
        assertTrue(queries.size() > ofTheDashboard + 8, "queries of the alerts");
        queries.forEach(query -> assertFalse(query.contains("$"), query));
        return queries;
    }

    @Test
    void everyQueryHasDataEveryAlertIsEvaluatedAndNoNameIsFrownedUpon() throws Exception {
        Path prometheus = Tools.find("prometheus");
        Path promtool = Tools.find("promtool");
        List<String> databases = List.of("data/p1/x.db", "data/p2/y.db", "named.db", "lost.db");
        try (S3Server s3 = S3Server.inMemory();
                AppProcess app = AppProcess.start()) {
            for (String database : databases) {
                Path file = directory.resolve(database);
                Files.createDirectories(file.getParent());
                app.open(database, file)
                        .exec(database, "pragma journal_mode=wal")
                        .exec(database, "create table t(x)");
            }
            String fleet = server("fleet", """
                    state-dir: DIR/state
                    admin: {addr: "127.0.0.1:0"}
                    endpoint: ENDPOINT
                    bucket: BUCKET
                    region: us-east-1
                    multi-db:
                      patterns: ["DIR/data/**/*.db"]
                      scan-interval: 1s
                      replica-template: {type: s3, path: "fleet/{{relpath}}"}
                    """, s3);
            String named = server("named", """
                    addr: "127.0.0.1:0"
                    shutdown-sync-timeout: 1s
                    dbs:
                      - path: DIR/named.db
                        replica: {type: s3, endpoint: ENDPOINT, bucket: BUCKET, region: us-east-1, path: named}
                      - path: DIR/lost.db
                        replica: {type: s3, endpoint: ENDPOINT, bucket: no-such-bucket, region: us-east-1, path: lost}
                    """, s3);
            String address = prometheus(prometheus, List.of(fleet, named));

            Set<String> unanswered = new LinkedHashSet<>(queries());
            Awaitility.await()
                    .atMost(Duration.ofSeconds(120))
                    .pollInterval(Duration.ofSeconds(1))
                    .untilAsserted(() -> {
                        for (String database : databases) {
                            app.exec(database, "insert into t values (1)");
                        }
                        for (String query : List.copyOf(unanswered)) {
                            if (hasData(address, query)) {
                                unanswered.remove(query);
                            }
                        }
                        assertEquals(Set.of(), unanswered, "queries without data");
                    });
            String rules = get("http://" + address + "/api/v1/rules").body();
            assertEquals(
                    expressions(ALERTS).size(),
                    Pattern.compile("\"health\":\"ok\"")
                            .matcher(rules)
                            .results()
                            .count(),
                    rules);
            assertNoneFrownedUpon(promtool, get("http://" + fleet + "/metrics").body());
            assertNoneFrownedUpon(promtool, get("http://" + named + "/metrics").body());
            databases.forEach(app::close);
        }
    }

    /** What promtool says of Litestream's names is Litestream's affair, and of the client library's the library's. */
    private void assertNoneFrownedUpon(Path promtool, String scrape) throws Exception {
        Path input = Files.writeString(directory.resolve("scrape.txt"), scrape);
        Path output = directory.resolve("promtool.txt");
        int exit = new ProcessBuilder(promtool.toString(), "check", "metrics")
                .redirectInput(input.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start()
                .waitFor();
        String answer = Files.readString(output);
        assertTrue(exit == 0 || exit == 3, answer); // 3: it has something to say
        List<String> ours = Pattern.compile("(?m)^.*\\bloomstream_.*$")
                .matcher(answer)
                .results()
                .map(MatchResult::group)
                .toList();
        assertEquals(List.of(), ours);
    }
}
