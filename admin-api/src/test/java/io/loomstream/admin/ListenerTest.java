package io.loomstream.admin;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.javalin.http.Handler;
import io.loomstream.admin.metrics.Metrics;
import io.loomstream.engine.fleet.FleetControl;
import io.loomstream.engine.testing.SmallFleet;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.TrustManagerFactory;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Connections: TLS, more callers than places, callers that dawdle, a stop, and the server that shows metrics only. */
@SuppressWarnings("try") // a test that is interrupted while it closes has ended anyway
class ListenerTest {
    private static final int PLACES = 32;
    private static final String HEADERS = "GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ";
    private static final Duration LONG = Duration.ofSeconds(30);

    @TempDir
    Path directory;

    private final HttpClient client = HttpClient.newHttpClient();
    private Optional<AdminServer> running = Optional.empty();

    @AfterEach
    void close() {
        running.ifPresent(AdminServer::close);
        client.close();
    }

    private AdminServer start(Duration idle, Map<String, Handler> handlers) throws IOException {
        return start(new Listener.Patience(idle, LONG, 1_024), handlers);
    }

    private AdminServer start(Listener.Patience patience, Map<String, Handler> handlers) throws IOException {
        AdminServer server =
                AdminServer.start(new Listener.Place("127.0.0.1", 0, Optional.empty(), patience), handlers);
        running = Optional.of(server);
        return server;
    }

    private static HttpRequest.Builder request(AdminServer server, String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path));
    }

    private CompletableFuture<HttpResponse<String>> ask(AdminServer server, String path) {
        return client.sendAsync(request(server, path).build(), BodyHandlers.ofString());
    }

    // ---- TLS

    private Path resource(String name) throws Exception {
        Path file = directory.resolve(name);
        try (var in = ListenerTest.class.getResourceAsStream("/tls/" + name)) {
            Files.write(file, in.readAllBytes());
        }
        return file;
    }

    /** Trusts the certificate of the test, and no other. */
    private static SSLContext trusting(Path certificate) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        try (var in = Files.newInputStream(certificate)) {
            store.setCertificateEntry(
                    "test", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    @Test
    void pemFilesMakeItSpeakTlsAndNothingElse() throws Exception {
        Path certificate = resource("certificate.pem");
        AdminOptions options = new AdminOptions(
                "127.0.0.1",
                0,
                Optional.of("token"),
                false,
                Optional.of(new AdminOptions.Tls(certificate, resource("key.pem"))),
                List.of());
        try (SmallFleet fleet = new SmallFleet(directory);
                RunningServer server = new RunningServer(fleet, options);
                HttpClient trusting = HttpClient.newBuilder()
                        .sslContext(trusting(certificate))
                        .build()) {
            String url = "https://127.0.0.1:" + server.port();
            HttpRequest tiers = HttpRequest.newBuilder(URI.create(url + "/tiers"))
                    .header("Authorization", "Bearer token")
                    .header("Origin", url)
                    .build();
            assertEquals(200, trusting.send(tiers, BodyHandlers.ofString()).statusCode());
            assertThrows(SSLHandshakeException.class, () -> client.send(tiers, BodyHandlers.ofString()));
            String plain = server.raw("GET /tiers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            assertTrue(!plain.contains("200") && !plain.contains("databases"), plain);
        }
    }

    @Test
    void filesThatAreNoCertificateOrNoKeyAreRefusedByName() throws Exception {
        Path certificate = resource("certificate.pem");
        Path key = resource("key.pem");
        Path empty = Files.createFile(directory.resolve("empty.pem"));
        Path encrypted = Files.writeString(
                directory.resolve("encrypted.pem"),
                Files.readString(key).replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"));
        assertRefused("admin.tls.cert", new AdminOptions.Tls(empty, key));
        assertRefused("admin.tls.key", new AdminOptions.Tls(certificate, encrypted));
        assertRefused("admin.tls.key", new AdminOptions.Tls(certificate, certificate));
        assertRefused("missing.pem", new AdminOptions.Tls(directory.resolve("missing.pem"), key));
    }

    private static void assertRefused(String named, AdminOptions.Tls files) {
        IOException refusal = assertThrows(
                IOException.class,
                () -> AdminServer.start(new Listener.Place("127.0.0.1", 0, Optional.of(files)), Map.of()));
        assertTrue(String.valueOf(refusal.getMessage()).contains(named), refusal.toString());
    }

    // ---- overload

    @Test
    void whoFindsNoPlaceIsToldToComeAgainAndFindsOneLater() throws Exception {
        Semaphore go = new Semaphore(0);
        AtomicInteger inside = new AtomicInteger();
        AdminServer server = start(LONG, Map.of("/slow", context -> {
            inside.incrementAndGet();
            go.acquire();
            context.result("done");
        }));
        List<CompletableFuture<HttpResponse<String>>> all = new ArrayList<>();
        for (int i = 0; i < PLACES; i++) {
            all.add(ask(server, "/slow"));
        }
        Awaitility.await().atMost(LONG).until(() -> inside.get() == PLACES);
        HttpResponse<String> refused = ask(server, "/slow").get(30, TimeUnit.SECONDS);
        assertEquals(503, refused.statusCode());
        assertEquals("1", refused.headers().firstValue("Retry-After").orElse(""));
        assertEquals(
                Problem.CONTENT_TYPE,
                refused.headers().firstValue("Content-Type").orElse(""));
        assertEquals(PLACES, inside.get());
        go.release(PLACES + 1);
        for (CompletableFuture<HttpResponse<String>> one : all) {
            assertEquals(200, one.get(30, TimeUnit.SECONDS).statusCode());
        }
        assertEquals(200, ask(server, "/slow").get(30, TimeUnit.SECONDS).statusCode());
    }

    @Test
    void aStopLetsARequestThatRunsEnd() throws Exception {
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        AdminServer server = start(LONG, Map.of("/slow", context -> {
            inside.countDown();
            go.await();
            context.result("done");
        }));
        CompletableFuture<HttpResponse<String>> asked = ask(server, "/slow");
        assertTrue(inside.await(30, TimeUnit.SECONDS));
        Thread stopping = Thread.ofVirtual().start(server::close);
        Awaitility.await().atMost(LONG).until(() -> stopping.getState() == Thread.State.TIMED_WAITING);
        go.countDown();
        assertEquals("done", asked.get(30, TimeUnit.SECONDS).body());
        assertTrue(stopping.join(LONG));
    }

    // ---- slow clients

    @Test
    void aConnectionThatFallsSilentIsClosed() throws Exception {
        AdminServer server = start(Duration.ofMillis(200), Map.of("/", context -> context.result("here")));
        for (String sent : List.of("", "GET / HTTP/1.1\r\nHost: loc", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")) {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
                socket.setSoTimeout((int) LONG.toMillis());
                socket.getOutputStream().write(sent.getBytes(US_ASCII));
                socket.getOutputStream().flush();
                String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                assertEquals(sent.endsWith("\r\n\r\n"), answer.endsWith("here"), answer);
            }
        }
    }

    @Test
    void whoDoesNotReadTheAnswerKeepsNoPlace() throws Exception {
        AtomicReference<Optional<Exception>> ended = new AtomicReference<>(Optional.empty());
        byte[] block = new byte[1 << 20];
        AdminServer server = start(Duration.ofMillis(200), Map.of("/long", context -> {
            try {
                for (int i = 0; i < 1_000; i++) {
                    context.outputStream().write(block);
                }
            } catch (IOException e) {
                ended.set(Optional.of(e));
                throw e;
            }
        }));
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            socket.getOutputStream().write("GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(US_ASCII));
            socket.getOutputStream().flush();
            Awaitility.await().atMost(LONG).until(() -> ended.get().isPresent());
        }
    }

    /** More clients than may be connected, each with a byte now and then, and somebody who has a question. */
    @Test
    void clientsThatTrickleTheirHeadersDoNotKeepOthersOut() throws Exception {
        int most = 20;
        AdminServer server = start(
                new Listener.Patience(LONG, Duration.ofMillis(500), most),
                Map.of("/", context -> context.result("here")));
        AtomicInteger ended = new AtomicInteger();
        CountDownLatch over = new CountDownLatch(1);
        List<Thread> clients = new ArrayList<>();
        for (int i = 0; i < most; i++) {
            clients.add(Thread.ofVirtual().start(() -> trickle(server, HEADERS, over, ended)));
        }
        try {
            // Everybody is ended while still sending, and places become free.
            Awaitility.await().atMost(LONG).until(() -> ended.get() == most);
            assertEquals("here", ask(server, "/").get(30, TimeUnit.SECONDS).body());
        } finally {
            over.countDown();
            for (Thread one : clients) {
                assertTrue(one.join(LONG));
            }
        }
    }

    /** Sends headers without an end, far more often than the idle timeout asks for. */
    private static void trickle(AdminServer server, String request, CountDownLatch over, AtomicInteger ended) {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            socket.getOutputStream().write(request.getBytes(US_ASCII));
            while (!over.await(20, TimeUnit.MILLISECONDS)) {
                socket.getOutputStream().write('a');
                socket.getOutputStream().flush();
            }
        } catch (IOException reset) {
            ended.incrementAndGet();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void aBodyThatTricklesIsCutOff() throws Exception {
        try (Bodies bodies = new Bodies(Duration.ofMillis(300))) {
            AdminServer server = start(LONG, Map.of("/", context -> {
                bodies.read(context);
                context.result("read " + Bodies.of(context).length);
            }));
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
                socket.setSoTimeout((int) LONG.toMillis());
                socket.getOutputStream()
                        .write("GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc".getBytes(US_ASCII));
                socket.getOutputStream().flush();
                byte[] answer = new byte[1_024];
                StringBuilder text = new StringBuilder();
                while (!text.toString().endsWith("read 3")) {
                    int count = socket.getInputStream().read(answer);
                    assertTrue(count > 0, "closed after: " + text);
                    text.append(new String(answer, 0, count, US_ASCII));
                }
            }
            AtomicInteger ended = new AtomicInteger();
            CountDownLatch over = new CountDownLatch(1);
            String request = "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n";
            Thread client = Thread.ofVirtual().start(() -> trickle(server, request, over, ended));
            try {
                Awaitility.await().atMost(LONG).until(() -> ended.get() == 1);
            } finally {
                over.countDown();
                assertTrue(client.join(LONG));
            }
        }
    }

    @Test
    void aRequestThatIsWorkedOnAndAConnectionThatIsKeptMayTakeLongerThanARequestsArrival() throws Exception {
        Duration arrival = Duration.ofMillis(100);
        AdminServer server = start(new Listener.Patience(LONG, arrival, 10), Map.of("/slow", context -> {
            TimeUnit.MILLISECONDS.sleep(3 * arrival.toMillis()); // what is tested is that this time does no harm
            context.result("done");
        }));
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            socket.setSoTimeout((int) LONG.toMillis());
            for (int i = 0; i < 2; i++) {
                socket.getOutputStream().write("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(US_ASCII));
                socket.getOutputStream().flush();
                byte[] answer = new byte[1_024];
                StringBuilder text = new StringBuilder();
                while (!text.toString().endsWith("done")) {
                    int count = socket.getInputStream().read(answer);
                    assertTrue(count > 0, "closed after: " + text);
                    text.append(new String(answer, 0, count, US_ASCII));
                }
            }
        }
    }

    // ---- metrics only

    @Test
    void theSecondAddressShowsMetricsToEverybodyAndNothingElse() throws Exception {
        try (SmallFleet fleet = new SmallFleet(directory)) {
            fleet.make("p/x.db");
            FleetControl control = fleet.start().control(10);
            AdminServer server =
                    AdminServer.startMetricsOnly("127.0.0.1", 0, new Metrics(control, true, Optional::empty));
            running = Optional.of(server);
            HttpResponse<String> scrape = client.send(
                    request(server, "/metrics")
                            .header("Accept", "application/openmetrics-text")
                            .build(),
                    BodyHandlers.ofString());
            assertEquals(200, scrape.statusCode());
            assertTrue(scrape.body().contains("loomstream_databases{tier=\"hot\"}"), scrape.body());
            assertTrue(scrape.body().endsWith("# EOF\n"), scrape.body());
            for (String path : List.of("/", "/dbs", "/tiers", "/config", "/health", "/openapi.json", "/debug/pprof")) {
                assertEquals(404, ask(server, path).get(30, TimeUnit.SECONDS).statusCode(), path);
            }
            HttpRequest post = request(server, "/metrics")
                    .POST(HttpRequest.BodyPublishers.noBody())
                    .build();
            assertEquals(405, client.send(post, BodyHandlers.ofString()).statusCode());
        }
    }
}
