package io.loomstream.engine.replica.s3;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.concurrent.TaskScope;
import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.error.StorageRefusedException;
import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.SampleFile;
import io.loomstream.engine.testing.s3.Fault;
import io.loomstream.engine.testing.s3.FaultyWire;
import io.loomstream.engine.testing.s3.S3Server;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of files and callers when requests and answers do not arrive as they should. */
class S3FaultsTest {
    private static final TxidRange ONE = TxidRange.of(Txid.ONE);
    private static final TxidRange SNAPSHOT = new TxidRange(Txid.ONE, new Txid(9));
    private static final int SMALL_BYTES = 40_000;
    private static final int LARGE_BYTES = 6 << 20;
    private static final Duration STALL = Duration.ofMillis(400);
    private static final S3Timing IMPATIENT =
            new S3Timing(Duration.ofSeconds(2), STALL, 8, Duration.ZERO, Duration.ZERO);
    private static S3Server server;

    @TempDir
    Path local;

    private final String path = "tenant/" + UUID.randomUUID();
    private FaultyWire wire;
    private S3Endpoints endpoints;
    private ReplicaClient client;

    @BeforeAll
    static void startServer() throws Exception {
        server = S3Server.inMemory();
    }

    @AfterAll
    static void stopServer() throws Exception {
        server.close();
    }

    @BeforeEach
    void connect() throws Exception {
        wire = new FaultyWire(server.port());
        endpoints = S3Setup.endpoints();
        client = client(endpoints, S3HttpClient.URL_CONNECTION);
        probeFirst(client);
    }

    private ReplicaClient client(S3Endpoints from, S3HttpClient httpClient) {
        return from.replica(S3Setup.settings(wire.endpoint())
                .path(path)
                .httpClient(httpClient)
                .build());
    }

    /** So that the faults hit what they are meant for. */
    private void probeFirst(ReplicaClient through) throws Exception {
        TxidRange far = TxidRange.of(new Txid(0xfff));
        through.write(new Level(5), far, file(far, 200, 1));
    }

    @AfterEach
    void disconnect() throws Exception {
        endpoints.close();
        wire.close();
    }

    private Path file(TxidRange range, int sizeBytes, long seed) throws Exception {
        Path file = local.resolve(range + "-" + sizeBytes + "-" + seed);
        Instant madeAt = Instant.parse("2026-03-04T05:06:07.089Z");
        return Files.write(file, SampleFile.bytes(range, madeAt, sizeBytes, seed));
    }

    private static byte[] read(ReplicaClient from, Level level, TxidRange range) throws Exception {
        try (InputStream in = from.open(level, range, 0)) {
            return in.readAllBytes();
        }
    }

    private long failures(S3Operation operation) {
        return endpoints.counters().operations().get(operation).failures();
    }

    private void storedWhole(Level level, TxidRange range, Path source) throws Exception {
        assertArrayEquals(Files.readAllBytes(source), read(client, level, range));
        assertEquals(0, wire.pending(), "every fault has happened");
    }

    @ParameterizedTest
    @CsvSource({
        "500, InternalError",
        "502, BadGateway",
        "504, GatewayTimeout",
        "503, ServiceUnavailable",
        "429, TooManyRequests",
        "400, RequestTimeout",
        "403, RequestTimeTooSkewed",
        "409, ConditionalRequestConflict",
    })
    void passingErrorsAreTriedAgain(int status, String code) throws Exception {
        for (int i = 0; i < 3; i++) {
            wire.script("PUT", Fault.Answer.error(status, code));
        }
        Path source = file(ONE, SMALL_BYTES, 1);

        client.write(Level.L0, ONE, source);

        storedWhole(Level.L0, ONE, source);
        assertEquals(3, endpoints.counters().errors().get(code));
        assertEquals(3, failures(S3Operation.PUT) - 1, "and the probe's 412");
    }

    @ParameterizedTest
    @CsvSource({
        "403, AccessDenied",
        "403, SignatureDoesNotMatch",
        "403, InvalidAccessKeyId",
        // HttpURLConnection keeps the body of this answer for itself.
        "401, HTTP 401",
        "400, ExpiredToken",
        "404, NoSuchBucket",
        "301, PermanentRedirect",
    })
    void refusalsFailAtOnceAndSayWhy(int status, String code) throws Exception {
        wire.script("PUT", Fault.Answer.error(status, code));
        int before = wire.requests().size();

        StorageRefusedException refusal = assertThrows(
                StorageRefusedException.class, () -> client.write(Level.L0, ONE, file(ONE, SMALL_BYTES, 1)));

        assertEquals(before + 1, wire.requests().size());
        assertTrue(refusal.getMessage().contains(code), refusal.getMessage());
        assertTrue(refusal.getMessage().contains(ONE.fileName()), refusal.getMessage());
        assertFalse(refusal.retryable());
        for (Throwable cause = refusal; cause != null; cause = cause.getCause()) {
            assertFalse(cause.toString().contains(S3Server.SECRET_ACCESS_KEY), cause.toString());
        }
        assertEquals(
                S3EndpointState.Breaker.CLOSED,
                endpoints.states().get(0).breaker(),
                "the endpoint is well, we are not");
    }

    @Test
    void burstOfSlowDownIsSatOutAndTheLimitRecovers() throws Exception {
        for (int i = 0; i < 100; i++) {
            wire.script("PUT", Fault.Answer.error(503, "SlowDown"));
        }
        int files = 60;

        try (TaskScope scope = TaskScope.open("writes")) {
            for (int txid = 1; txid <= files; txid++) {
                TxidRange range = TxidRange.of(new Txid(txid));
                Path source = file(range, 300, txid);
                scope.fork(() -> {
                    // As the uploads of a server are: tried again for as long as it takes.
                    await().atMost(Duration.ofSeconds(60))
                            .ignoreExceptionsInstanceOf(TransientStorageException.class)
                            .until(() -> client.write(Level.L0, range, source) != null);
                    return null;
                });
            }
            scope.join();
        }

        assertEquals(0, wire.pending());
        assertEquals(files, client.list(Level.L0, Txid.ZERO).size());
        int cut = endpoints.states().get(0).requestsAllowed();
        assertTrue(cut < 200, "it gave way: " + cut);
        for (int i = 0;
                i < 200 * ConcurrencyLimit.SUCCESSES_A_STEP
                        && endpoints.states().get(0).requestsAllowed() < 200;
                i++) {
            client.list(new Level(4), Txid.ZERO);
        }
        assertEquals(200, endpoints.states().get(0).requestsAllowed());
    }

    @Test
    void nobodyListeningOpensTheBreakerAndRequestsThenFailWithoutBeingSent() throws Exception {
        int closed;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            closed = socket.getLocalPort();
        }
        ReplicaClient nowhere = endpoints.replica(
                S3Setup.settings(URI.create("http://127.0.0.1:" + closed)).build());

        for (int i = 0; i < 3; i++) {
            assertThrows(TransientStorageException.class, () -> nowhere.list(Level.L0, Txid.ZERO));
        }

        S3EndpointState state = endpoints.states().stream()
                .filter(endpoint -> endpoint.endpoint().endsWith(":" + closed))
                .findFirst()
                .orElseThrow();
        assertEquals(S3EndpointState.Breaker.OPEN, state.breaker());
        assertEquals(0, state.requestsRunning());
        assertEquals(CircuitBreaker.FAILURES_TO_OPEN, failures(S3Operation.LIST));
        client.list(Level.L0, Txid.ZERO);
        assertEquals(CircuitBreaker.FAILURES_TO_OPEN, failures(S3Operation.LIST), "another endpoint is none the worse");
    }

    @ParameterizedTest
    @EnumSource
    void uploadWhoseConnectionIsResetInItsBodyIsTriedAgain(S3HttpClient httpClient) throws Exception {
        client = client(endpoints, httpClient);
        probeFirst(client);
        wire.script("PUT", new Fault.ResetRequest(0));
        wire.script("PUT", new Fault.ResetRequest(20_000));
        Path small = file(ONE, SMALL_BYTES, 1);
        client.write(Level.L0, ONE, small);
        storedWhole(Level.L0, ONE, small);

        wire.script(request -> request.target().contains("partNumber=1"), new Fault.ResetRequest(1 << 20));
        wire.script(request -> request.target().contains("partNumber=2"), new Fault.ResetRequest(0));
        Path large = file(SNAPSHOT, LARGE_BYTES, 1);
        client.write(Level.SNAPSHOT, SNAPSHOT, large);
        storedWhole(Level.SNAPSHOT, SNAPSHOT, large);
    }

    @ParameterizedTest
    @EnumSource
    void readThatBreaksOffGoesOnWhereItEnded(S3HttpClient httpClient) throws Exception {
        client = client(endpoints, httpClient);
        Path source = file(SNAPSHOT, LARGE_BYTES, 2);
        client.write(Level.SNAPSHOT, SNAPSHOT, source);
        wire.script("GET", new Fault.CutAnswer(0));
        wire.script("GET", new Fault.CutAnswer(100_000));
        wire.script("GET", new Fault.CutAnswer(3_000_001));
        wire.script("GET", new Fault.ResetAnswer(0));
        wire.script("GET", new Fault.ResetAnswer(1_000_000));
        wire.script("GET", new Fault.ResetAnswer(300_000));
        int before = wire.requests().size();

        storedWhole(Level.SNAPSHOT, SNAPSHOT, source);

        assertEquals(before + 7, wire.requests().size());
    }

    @Test
    void truncatedSmallFileIsNeverTakenForAWholeOne() throws Exception {
        Path source = file(ONE, SMALL_BYTES, 3);
        client.write(Level.L0, ONE, source);
        for (int at = 0; at < 7; at++) {
            wire.script("GET", new Fault.CutAnswer(at * 4096L));
        }

        storedWhole(Level.L0, ONE, source);
        for (int at = 0; at < 8; at++) {
            wire.script("GET", new Fault.CutAnswer(1));
        }
        assertThrows(TransientStorageException.class, () -> read(client, Level.L0, ONE));
    }

    @Test
    void wholeObjectInPlaceOfARangeIsNotTakenForTheRange() throws Exception {
        Path source = file(ONE, 300, 3);
        client.write(Level.L0, ONE, source);
        wire.script("GET", new Fault.Answer(200, "x".repeat(300)));

        try (InputStream in = client.open(Level.L0, ONE, 100)) {
            byte[] tail = new byte[200];
            System.arraycopy(Files.readAllBytes(source), 100, tail, 0, 200);
            assertArrayEquals(tail, in.readAllBytes());
        }
        assertEquals(1, endpoints.counters().errors().get("WrongRange"));
    }

    @ParameterizedTest
    @EnumSource
    void requestsThatStallAreGivenUpAndTriedAgain(S3HttpClient httpClient) throws Exception {
        try (S3Endpoints impatient = S3Setup.endpoints(IMPATIENT, Time.system())) {
            client = client(impatient, httpClient);
            probeFirst(client);
            wire.script("PUT", new Fault.StallRequest());
            wire.script("PUT", new Fault.StallAnswer(0));
            Path source = file(ONE, 2_000, 4);
            client.write(Level.L0, ONE, source);
            wire.script("GET", new Fault.StallAnswer(700));
            wire.script("GET", new Fault.StallRequest());

            storedWhole(Level.L0, ONE, source);

            long stalls = impatient.counters().errors().get("Stalled");
            assertTrue(stalls >= 3, "stalled: " + impatient.counters().errors());
        }
    }

    /** Larger than what the kernel buffers, so that the sender is stuck in a write, which no client can time out. */
    @ParameterizedTest
    @EnumSource
    void interruptedUploadEndsThoughItIsStuckInAWrite(S3HttpClient httpClient) throws Exception {
        client = client(endpoints, httpClient);
        probeFirst(client);
        wire.script("PUT", new Fault.StallRequest());
        TxidRange range = TxidRange.of(new Txid(3));
        Path source = file(range, 5 << 20, 1);
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Thread writer = Thread.ofPlatform().start(() -> {
            try {
                client.write(Level.L0, range, source);
            } catch (TransientStorageException e) {
                thrown.set(Thread.currentThread().isInterrupted() ? e : null);
            }
        });
        await().until(() -> wire.pending() == 0);

        writer.interrupt();

        writer.join();
        assertEquals(TransientStorageException.class, thrown.get().getClass());
        await().until(() -> endpoints.states().stream().allMatch(state -> state.requestsRunning() == 0));
    }

    @ParameterizedTest
    @EnumSource
    void lostAnswerOfAnUploadIsResolvedByTheBytes(S3HttpClient httpClient) throws Exception {
        client = client(endpoints, httpClient);
        probeFirst(client);
        wire.script("PUT", new Fault.LoseAnswer());
        Path source = file(ONE, SMALL_BYTES, 5);

        client.write(Level.L0, ONE, source);

        storedWhole(Level.L0, ONE, source);
    }

    @Test
    void lostAnswerOfACompletionIsResolvedByTheBytes() throws Exception {
        wire.script(
                request -> request.method().equals("POST") && request.target().contains("uploadId"),
                new Fault.LoseAnswer());
        Path source = file(SNAPSHOT, LARGE_BYTES, 6);

        client.write(Level.SNAPSHOT, SNAPSHOT, source);

        storedWhole(Level.SNAPSHOT, SNAPSHOT, source);
        assertEquals(List.of(), server.store().listMultipartUploads(S3Server.BUCKET));
    }

    @Test
    void uploadInPartsThatFailsIsAborted() throws Exception {
        wire.script(request -> request.target().contains("partNumber=2"), Fault.Answer.error(403, "AccessDenied"));

        assertThrows(
                StorageRefusedException.class,
                () -> client.write(Level.SNAPSHOT, SNAPSHOT, file(SNAPSHOT, LARGE_BYTES, 7)));

        assertEquals(List.of(), server.store().listMultipartUploads(S3Server.BUCKET));
        assertEquals(List.of(), client.list(Level.SNAPSHOT, Txid.ZERO));
    }

    @Test
    void secondWriterIsFoundInAStoreThatIgnoresConditions() throws Exception {
        try (S3Endpoints fresh = S3Setup.endpoints()) {
            ReplicaClient unguarded = client(fresh, S3HttpClient.URL_CONNECTION);
            wire.script("PUT", new Fault.Answer(200, ""));
            wire.script("PUT", new Fault.Answer(200, ""));
            Path source = file(ONE, 300, 1);

            unguarded.write(Level.L0, ONE, source);
            unguarded.write(Level.L0, ONE, source);

            assertThrows(ConflictException.class, () -> unguarded.write(Level.L0, ONE, file(ONE, 300, 2)));
            storedWhole(Level.L0, ONE, source);
            assertEquals(3, fresh.counters().requests(S3Operation.HEAD), "one more request for each file");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void keysThatAPassingErrorSparedAreDeletedByTheNextTry(boolean contentMd5) throws Exception {
        ReplicaClient deleter = endpoints.replica(S3Setup.settings(wire.endpoint())
                .path(path)
                .requireContentMd5(contentMd5)
                .build());
        List<TxidRange> ranges = new ArrayList<>();
        for (int txid = 1; txid <= 1_000; txid++) {
            ranges.add(TxidRange.of(new Txid(txid)));
        }
        for (TxidRange range : ranges.subList(0, 3)) {
            client.write(Level.L0, range, file(range, 200, 1));
        }
        wire.script("POST", new Fault.Answer(200, deleteResult("InternalError", ranges.subList(0, 3))));

        deleter.delete(Level.L0, ranges);

        assertEquals(List.of(), client.list(Level.L0, Txid.ZERO));
        assertEquals(2, endpoints.counters().requests(S3Operation.DELETE) - 1, "and the probe's");
    }

    @Test
    void keysThatMayNotBeDeletedAreNamed() throws Exception {
        client.write(Level.L0, ONE, file(ONE, 200, 1));
        wire.script("POST", new Fault.Answer(200, deleteResult("AccessDenied", List.of(ONE))));

        StorageRefusedException refusal =
                assertThrows(StorageRefusedException.class, () -> client.delete(Level.L0, List.of(ONE)));

        assertTrue(refusal.getMessage().contains(ONE.fileName()), refusal.getMessage());
        assertTrue(refusal.getMessage().contains("AccessDenied"), refusal.getMessage());
    }

    private String deleteResult(String code, List<TxidRange> ranges) {
        StringBuilder xml = new StringBuilder("<DeleteResult>");
        for (TxidRange range : ranges) {
            xml.append("<Error><Key>")
                    .append(path)
                    .append("/0000/")
                    .append(range.fileName())
                    .append("</Key><Code>")
                    .append(code)
                    .append("</Code><Message>scripted</Message></Error>");
        }
        return xml.append("</DeleteResult>").toString();
    }
}
