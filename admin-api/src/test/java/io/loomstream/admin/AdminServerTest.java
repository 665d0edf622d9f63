package io.loomstream.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.compaction.Levels;
import io.loomstream.engine.fleet.Tier;
import io.loomstream.engine.testing.SmallFleet;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What can be seen and ordered over HTTP. */
class AdminServerTest {
    private static final Pattern PATH = Pattern.compile("\"path\":\"([^\"]*)\"");

    @TempDir
    Path directory;

    private SmallFleet fleet;
    private Optional<RunningServer> running = Optional.empty();

    @BeforeEach
    void make() throws Exception {
        fleet = new SmallFleet(directory);
    }

    @AfterEach
    void close() throws Exception {
        running.ifPresent(RunningServer::close);
        fleet.close();
    }

    private RunningServer start(Path named) throws Exception {
        fleet.withNamed(named);
        return start();
    }

    private RunningServer start() throws Exception {
        RunningServer server = new RunningServer(fleet, RunningServer.ANY_PORT);
        running = Optional.of(server);
        return server;
    }

    @Test
    void pagesAndLinesListEveryDatabaseOnce() throws Exception {
        TreeSet<String> all = new TreeSet<>();
        for (int i = 0; i < 7; i++) {
            all.add(fleet.make("p/x" + i + ".db").toString());
        }
        RunningServer server = start();
        server.awaitCold(7);
        for (String sort : new String[] {"table", "path", "last_write"}) {
            TreeSet<String> seen = new TreeSet<>();
            String cursor = "";
            int pages = 0;
            do {
                HttpResponse<String> page = server.get("/dbs?limit=3&tier=cold&sort=" + sort + "&cursor=" + cursor);
                assertEquals(200, page.statusCode(), page.body());
                for (MatchResult path : PATH.matcher(page.body()).results().toList()) {
                    assertTrue(seen.add(path.group(1)), "twice: " + path.group(1));
                }
                cursor = RunningServer.field(page.body(), "next");
                pages++;
            } while (!cursor.equals("null"));
            assertEquals(all, seen, sort);
            assertTrue(pages >= 3);
        }
        HttpResponse<String> lines = server.get("/dbs", "Accept", "application/x-ndjson");
        assertEquals(
                "application/x-ndjson",
                lines.headers().firstValue("Content-Type").orElse(""));
        TreeSet<String> paths = new TreeSet<>();
        for (String line : lines.body().lines().toList()) {
            paths.add(RunningServer.field(line, "path"));
        }
        assertEquals(all, paths);
    }

    /** Each keeps a place for as long as it does not read on: others are still served. */
    @Test
    void readersOfLinesThatDoNotReadLeavePlacesForOthers() throws Exception {
        String longName = "x".repeat(200);
        for (int i = 0; i < 12_000; i++) {
            Files.createFile(fleet.data().resolve(longName + i + ".db")); // more than sockets keep
        }
        RunningServer server = start();
        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .until(() -> server.control().tiers().databases().get(Tier.IGNORED) == 12_000);
        List<Socket> silent = new ArrayList<>();
        try {
            for (int i = 0; i < 8; i++) {
                silent.add(server.beginLines());
            }
            HttpResponse<String> oneMore = server.get("/dbs", "Accept", "application/x-ndjson");
            assertEquals(503, oneMore.statusCode());
            assertEquals("1", oneMore.headers().firstValue("Retry-After").orElse(""));
            assertEquals(200, server.get("/dbs").statusCode());
        } finally {
            for (Socket socket : silent) {
                socket.close();
            }
        }
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .until(() ->
                        server.get("/dbs", "Accept", "application/x-ndjson").statusCode() == 200);
    }

    @Test
    void aSnapshotIsMadeOfAColdAndOfANamedDatabase() throws Exception {
        fleet.withLevels(Levels.defaults());
        Path cold = fleet.make("p/cold.db");
        Path named = fleet.make(directory.resolve("named.db"));
        RunningServer server = start(named);
        server.awaitCold(1);
        Path coldReplica = fleet.replicas().resolve("p/cold.db");
        Path namedReplica = directory.resolve("named-replica");
        for (Path replica : new Path[] {coldReplica, namedReplica}) {
            Awaitility.await()
                    .atMost(Duration.ofSeconds(30))
                    .until(() -> Files.exists(replica.resolve("ltx/0/0000000000000001-0000000000000001.ltx")));
        }
        assertUpkeep(server, cold, coldReplica);
        assertUpkeep(server, named, namedReplica);
        assertEquals(404, server.post("/dbs/by-path/snapshot?path=/no/such.db").statusCode());
    }

    private static void assertUpkeep(RunningServer server, Path database, Path replica) throws Exception {
        String file = "0000000000000001-0000000000000001.ltx";
        HttpResponse<String> compacted = server.post("/dbs/by-path/compact?path=" + database);
        assertEquals(200, compacted.statusCode(), compacted.body());
        assertEquals("0000000000000001", RunningServer.field(compacted.body(), "txid"));
        for (String level : new String[] {"1", "2", "3"}) {
            assertTrue(Files.exists(replica.resolve("ltx").resolve(level).resolve(file)), "level " + level);
        }
        HttpResponse<String> made = server.post("/dbs/" + RunningServer.id(database) + "/snapshot");
        assertEquals(200, made.statusCode(), made.body());
        assertTrue(Files.exists(replica.resolve("ltx/9").resolve(file)), made.body());
    }

    @Test
    void withoutLevelsNothingIsCompacted() throws Exception {
        Path database = fleet.make("p/plain.db");
        RunningServer server = start();
        server.awaitCold(1);
        HttpResponse<String> refused = server.post("/dbs/by-path/snapshot?path=" + database);
        assertEquals(409, refused.statusCode(), refused.body());
    }

    @Test
    void aDatabaseIsFoundByIdAndByPathAndPromotedUntilDemoted() throws Exception {
        fleet.withHotDuration(Duration.ofMinutes(5));
        Path database = fleet.make("acme/databases/crm/branches/main/tenants/alice.db");
        RunningServer server = start();
        String id = RunningServer.id(database);
        Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> {
            server.post("/dbs/" + id + "/demote");
            return server.get("/dbs/" + id).body().contains("\"state\":\"cold_clean\"");
        });
        assertEquals(409, server.post("/dbs/" + id + "/demote").statusCode());
        HttpResponse<String> promoted = server.post("/dbs/" + id + "/promote");
        assertEquals(200, promoted.statusCode(), promoted.body());
        Awaitility.await()
                .atMost(Duration.ofSeconds(20))
                .until(() -> server.get("/hot-list").body().contains(id));
        String one = server.get("/dbs/by-path?path=" + database).body();
        assertEquals("hot", RunningServer.field(one, "tier"));
        assertEquals("alice", RunningServer.field(one, "tenant"));
        assertEquals("acme", RunningServer.field(one, "project"));
        assertFalse(RunningServer.field(one, "lastVerdict").isEmpty());
        assertEquals("null", RunningServer.field(one, "lastError"));
        assertEquals("null", RunningServer.field(one, "maintenanceDueSeconds"), "this server merges nothing");
        assertEquals("0000000000000001", RunningServer.field(one, "txidLocal"));
        assertEquals("0000000000000001", RunningServer.field(one, "txidRemote"));
        assertEquals("1", RunningServer.field(server.get("/tiers").body(), "hot"));
        assertTrue(server.get("/hot-list?limit=1").body().contains(id));
        assertEquals(400, server.get("/hot-list?limit=0").statusCode());
        String recent = server.get("/events/recent").body();
        assertTrue(recent.contains("\"kind\":\"transition\"") && recent.contains(id), recent);
    }

    @Test
    void aScanIsAcceptedAndItsResultIsThereWhenWaitedFor() throws Exception {
        fleet.make("p/x.db");
        RunningServer server = start();
        server.awaitCold(1);
        HttpResponse<String> waited = server.post("/scan?wait=true");
        assertEquals(200, waited.statusCode(), waited.body());
        assertEquals("ended", RunningServer.field(waited.body(), "state"));
        assertEquals("1", RunningServer.field(waited.body(), "databases"));
        HttpResponse<String> accepted = server.post("/scan");
        assertTrue(accepted.statusCode() == 202 || accepted.statusCode() == 200, accepted.body());
        String place = "/scan/" + RunningServer.field(accepted.body(), "id");
        Awaitility.await().until(() -> server.get(place).body().contains("\"ended\""));
        assertEquals(404, server.get("/scan/99999").statusCode());
    }

    /** An unmounted volume looks the same: only a person can tell. */
    @Test
    void databasesThatVanishedTogetherAreForgottenWhenSomebodySaysThatTheyWereDeleted() throws Exception {
        List<Path> all = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            all.add(fleet.make("p/x" + i + ".db"));
        }
        RunningServer server = start();
        server.awaitCold(3);
        for (Path database : all) {
            Files.delete(database);
        }
        Awaitility.await()
                .until(() -> server.get("/events/recent").body().contains("3 of 3 databases vanished at once"));
        String waited = server.post("/scan?wait=true").body();
        assertEquals("3", RunningServer.field(waited, "databases"), waited);
        long said = server.get("/events/recent").body().split("vanished at once", -1).length - 1L;
        assertEquals(1, said, "once, however many scans there are");
        assertEquals(200, server.post("/scan?wait=true&acceptVanished=true").statusCode());
        Awaitility.await()
                .until(() -> server.control().tiers().databases().values().stream()
                                .mapToInt(Integer::intValue)
                                .sum()
                        == 0);
        assertEquals(400, server.post("/scan?acceptVanished=perhaps").statusCode());
    }

    @Test
    void figuresAndHealthAreShown() throws Exception {
        fleet.make("p/x.db");
        RunningServer server = start();
        server.awaitCold(1);
        assertEquals("ok", RunningServer.field(server.get("/health").body(), "status"));
        assertEquals("ready", RunningServer.field(server.get("/ready").body(), "status"));
        assertEquals("1.2.3", RunningServer.field(server.get("/stats").body(), "version"));
        assertEquals("monitor", RunningServer.field(server.get("/gates").body(), "name"));
        assertEquals("100", RunningServer.field(server.get("/config").body(), "max-hot-databases"));
        assertEquals(200, server.post("/hot-list/persist").statusCode());
        HttpResponse<String> scrape = server.get("/metrics");
        assertTrue(scrape.body().contains("loomstream_databases{tier=\"cold_clean\"} 1.0"), scrape.body());
    }

    @Test
    void whoListensSeesATransitionAndAnErrorWhenTheyHappen() throws Exception {
        RunningServer server = start();
        HttpResponse<java.io.InputStream> stream = HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(server.uri("/events")).build(), HttpResponse.BodyHandlers.ofInputStream());
        assertEquals(200, stream.statusCode());
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(stream.body(), StandardCharsets.UTF_8))) {
            assertEquals(": connected", lines.readLine());
            Path database = fleet.make("p/x.db");
            String line = "";
            while (!line.contains("\"to\":\"cold_clean\"")) {
                line = lines.readLine();
            }
            assertTrue(line.contains(RunningServer.id(database)), line);
            Files.createFile(fleet.replicas().resolve("q"));
            Path failing = fleet.make("q/y.db");
            while (!line.equals("event: error")) {
                line = lines.readLine();
            }
            line = lines.readLine();
            assertTrue(line.contains(RunningServer.id(failing)) && line.contains("\"why\":"), line);
            server.close();
            while (line != null) {
                line = lines.readLine(); // the end comes
            }
        }
        running = Optional.empty();
    }

    @Test
    void aStoppedServerAnswersNobody() throws Exception {
        RunningServer server = start();
        assertEquals(200, server.get("/tiers").statusCode());
        server.close();
        running = Optional.empty();
        boolean refused = false;
        try {
            server.get("/tiers");
        } catch (java.io.IOException e) {
            refused = true;
        }
        assertTrue(refused);
        assertFalse(server.control().tiers().databases().isEmpty(), "the replication goes on");
    }
}
