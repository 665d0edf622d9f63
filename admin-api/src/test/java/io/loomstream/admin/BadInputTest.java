package io.loomstream.admin;

import static io.loomstream.admin.RunningServerProblems.assertProblem;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.testing.SmallFleet;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Callers who may not call, and requests that make no sense: each gets a problem, and nothing of the program's inside. */
class BadInputTest {
    private static final String TOKEN = "s3cret-token";

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

    private RunningServer start(AdminOptions options) throws Exception {
        RunningServer server = new RunningServer(fleet, options);
        running = Optional.of(server);
        return server;
    }

    private static AdminOptions withToken(boolean metricsPublic) {
        return new AdminOptions(
                "127.0.0.1", 0, Optional.of(TOKEN), metricsPublic, Optional.empty(), List.of("admin.example.com"));
    }

    @Test
    void onlyALoopbackAddressIsBoundWithoutAToken() {
        for (String open : List.of("", "0.0.0.0", "::", "192.0.2.1", "no such host")) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> new AdminOptions(open, 1, Optional.empty(), false, Optional.empty(), List.of()),
                    open);
            assertEquals(1, new AdminOptions(open, 1, Optional.of("t"), false, Optional.empty(), List.of()).port());
        }
        for (String loopback : List.of("127.0.0.1", "127.8.9.1", "::1", "localhost")) {
            assertEquals(1, new AdminOptions(loopback, 1, Optional.empty(), false, Optional.empty(), List.of()).port());
        }
        assertFalse(withToken(false).toString().contains(TOKEN));
    }

    @Test
    void withoutTheRightTokenNothingButThePageIsShown() throws Exception {
        RunningServer server = start(withToken(false));
        for (String path : List.of("/dbs", "/tiers", "/stats", "/config", "/metrics", "/health", "/ready", "/events")) {
            HttpResponse<String> none = server.get(path);
            assertProblem(401, none);
            assertTrue(none.headers().firstValue("WWW-Authenticate").orElse("").startsWith("Bearer"));
            assertProblem(401, server.get(path, "Authorization", "Bearer wrong"));
            assertProblem(401, server.get(path, "Authorization", "Basic " + TOKEN));
            assertProblem(401, server.get(path, "Authorization", TOKEN));
        }
        assertProblem(401, server.post("/scan"));
        assertEquals(
                200, server.get("/tiers", "Authorization", "Bearer " + TOKEN).statusCode());
        assertEquals(
                200, server.get("/metrics", "Authorization", "bearer " + TOKEN).statusCode());
        assertEquals(200, server.get("/").statusCode());
    }

    @Test
    void figuresMayBeOpenedApartFromTheRest() throws Exception {
        RunningServer server = start(withToken(true));
        for (String path : List.of("/metrics", "/health", "/ready")) {
            assertTrue(server.get(path).statusCode() != 401, path);
        }
        assertProblem(401, server.get("/tiers"));
    }

    @Test
    void anotherSitesPageIsRefusedWhateverItIsCalled() throws Exception {
        RunningServer server = start(RunningServer.ANY_PORT);
        int port = server.port();
        assertProblem(403, server.get("/tiers", "Origin", "http://evil.example"));
        assertProblem(403, server.post("/scan", "Origin", "null"));
        assertProblem(403, server.post("/scan", "Origin", "https://127.0.0.1:" + port));
        assertProblem(403, server.post("/scan", "Origin", "http://127.0.0.1:" + (port + 1)));
        assertProblem(403, server.get("/tiers", "Sec-Fetch-Site", "cross-site"));
        assertEquals(
                200, server.get("/tiers", "Origin", "http://127.0.0.1:" + port).statusCode());
        assertEquals(200, server.get("/", "Sec-Fetch-Site", "cross-site").statusCode(), "a link to the page");
        for (String host :
                List.of("evil.example", "evil.example:" + port, "127.0.0.1.evil.example", "localhost.evil", "")) {
            String answer = server.raw("GET /tiers HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
            assertTrue(answer.startsWith("HTTP/1.1 421") || answer.startsWith("HTTP/1.1 400"), host + ": " + answer);
        }
        for (String host : List.of("localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:" + port)) {
            String answer = server.raw("GET /tiers HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
            assertTrue(answer.startsWith("HTTP/1.1 200"), host + ": " + answer);
        }
        assertFalse(server.get("/tiers").headers().map().containsKey("access-control-allow-origin"));
    }

    @Test
    void aConfiguredNameIsServed() throws Exception {
        RunningServer server = start(withToken(true));
        String answer = server.raw("GET /metrics HTTP/1.1\r\nHost: Admin.Example.com\r\nConnection: close\r\n\r\n");
        assertTrue(answer.startsWith("HTTP/1.1 200"), answer);
    }

    @Test
    void whatMakesNoSenseIsSaidToMakeNone() throws Exception {
        RunningServer server = start(RunningServer.ANY_PORT);
        for (String bad : List.of(
                "cursor=x",
                "cursor=r-1.2",
                "limit=0",
                "limit=1001",
                "limit=ten",
                "tier=warm",
                "state=COLD",
                "sort=size",
                "tier=hot&tier=cold",
                "teir=hot",
                "q=" + "a".repeat(2_000))) {
            assertProblem(400, server.get("/dbs?" + bad));
        }
        assertProblem(400, server.get("/dbs?sort=path", "Accept", "application/x-ndjson"));
        assertProblem(400, server.post("/scan?wait=perhaps"));
        assertProblem(404, server.get("/dbs/nosuchid"));
        assertProblem(404, server.get("/dbs/" + RunningServer.id(Path.of("/etc/passwd"))));
        assertProblem(404, server.post("/dbs/" + RunningServer.id(Path.of("/etc/passwd")) + "/sync"));
        assertProblem(400, server.get("/dbs/by-path?path=etc/passwd"));
        assertProblem(404, server.get("/dbs/by-path?path=/data/../../etc/passwd"));
        assertProblem(404, server.get("/nothing"));
        assertProblem(405, server.post("/tiers"));
        assertProblem(405, server.get("/dbs/abc/promote"));
    }

    @Test
    void pathsThatClimbReachNoFile() throws Exception {
        RunningServer server = start(RunningServer.ANY_PORT);
        for (String path : List.of(
                "/../page.html",
                "/web/page.html",
                "/%2e%2e/etc/passwd",
                "/..%2f..%2fetc/passwd",
                "//etc/passwd",
                "/page.js/../../x",
                "/page.js%00")) {
            String answer = server.raw("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            assertTrue(answer.startsWith("HTTP/1.1 404") || answer.startsWith("HTTP/1.1 400"), path + ": " + answer);
            assertFalse(answer.contains("root:"), answer);
        }
    }

    @Test
    void largeAndMalformedRequestsAreRefusedAsProblems() throws Exception {
        RunningServer server = start(RunningServer.ANY_PORT);
        assertProblem(
                413,
                server.send(HttpRequest.newBuilder(server.uri("/scan"))
                        .POST(HttpRequest.BodyPublishers.ofByteArray(new byte[70_000]))));
        String longHeader =
                server.raw("GET /tiers HTTP/1.1\r\nHost: localhost\r\nX-Long: " + "a".repeat(20_000) + "\r\n\r\n");
        assertTrue(longHeader.startsWith("HTTP/1.1 431"), longHeader);
        assertTrue(longHeader.contains(Problem.CONTENT_TYPE), longHeader);
        String garbage = server.raw("\u0001\u0002 nonsense\r\n\r\n");
        assertTrue(garbage.startsWith("HTTP/1.1 400"), garbage);
        assertTrue(garbage.contains(Problem.CONTENT_TYPE), garbage);
        String injected = server.raw(
                "GET /dbs/x%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        assertTrue(injected.startsWith("HTTP/1.1 40"), injected);
        assertFalse(injected.toLowerCase(java.util.Locale.ROOT).contains("set-cookie"), injected);
    }
}
