package io.loomstream.admin;

import static io.loomstream.admin.RunningServerProblems.assertProblem;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.fleet.DatabaseId;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.restore.Target;
import io.loomstream.engine.testing.SmallFleet;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Restoring over the API: what it makes, where it may write, and that it never replaces or leaves anything. */
@SuppressWarnings("try") // a test that is interrupted while it closes has ended anyway
class RestoreRoutesTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    @TempDir
    Path directory;

    private SmallFleet fleet;
    private Path restored;
    private Path database;
    private RunningServer server;

    @BeforeEach
    void make() throws Exception {
        fleet = new SmallFleet(directory.resolve("fleet"));
        restored = Files.createDirectories(directory.resolve("restored"));
        database = fleet.make("p/x.db");
        fleet.app().open("a", database).exec("a", "insert into t values(42)").close("a");
        server = new RunningServer(fleet, RunningServer.ANY_PORT.withRestoreDirectory(restored));
        server.awaitCold(1);
    }

    @AfterEach
    void close() throws Exception {
        server.close();
        fleet.close();
    }

    private HttpResponse<String> restore(String body) throws IOException, InterruptedException {
        return server.send(
                HttpRequest.newBuilder(server.uri("/restore")).POST(HttpRequest.BodyPublishers.ofString(body)));
    }

    private HttpResponse<String> restoreTo(String output) throws IOException, InterruptedException {
        return restore("{\"database\":\"" + database + "\",\"output\":\"" + output + "\"}");
    }

    private String ended(HttpResponse<String> accepted) throws IOException, InterruptedException {
        assertEquals(202, accepted.statusCode(), accepted.body());
        String place = accepted.headers().firstValue("Location").orElseThrow();
        Awaitility.await()
                .atMost(LONG)
                .until(() ->
                        !RunningServer.field(server.get(place).body(), "state").equals("running"));
        return server.get(place).body();
    }

    private List<String> files() throws IOException {
        try (Stream<Path> all = Files.walk(restored)) {
            return all.filter(path -> !path.equals(restored))
                    .map(path -> restored.relativize(path).toString())
                    .sorted()
                    .toList();
        }
    }

    @Test
    void aDatabaseIsRestoredByPathAndByIdAndNothingElseIsLeft() throws Exception {
        String byPath = ended(restoreTo("a/b/copy.db"));
        assertEquals("restored", RunningServer.field(byPath, "state"), byPath);
        assertEquals("a/b/copy.db", RunningServer.field(byPath, "output"));
        String txid = RunningServer.field(byPath, "txid");
        String byId = ended(restore("{\"database\":\"" + RunningServer.id(database)
                + "\",\"output\":\"second.db\",\"txid\":\"" + txid + "\"}"));
        assertEquals("restored", RunningServer.field(byId, "state"), byId);
        assertEquals(List.of("a", "a/b", "a/b/copy.db", "second.db"), files());
        for (String name : List.of("a/b/copy.db", "second.db")) {
            assertEquals("42", fleet.app().open("r", restored.resolve(name)).value("r", "select x from t"));
            fleet.app().close("r");
        }
    }

    @Test
    void whatCanBeRestoredIsToldOnRequest() throws Exception {
        String id = RunningServer.id(database);
        assertFalse(server.get("/dbs/" + id).body().contains("restorePoints"));
        String points = server.get("/dbs/" + id + "?restorePoints=true").body();
        assertTrue(points.contains("\"restorePoints\":{\"count\":"), points);
        String newest = RunningServer.field(points, "newest");
        assertEquals(newest, RunningServer.field(points, "maxTxid"));
        String byPath = server.get("/dbs/by-path?path=" + database + "&restorePoints=true")
                .body();
        assertEquals(newest, RunningServer.field(byPath, "newest"));
        String restore =
                ended(restore("{\"database\":\"" + id + "\",\"output\":\"n.db\",\"txid\":\"" + newest + "\"}"));
        assertEquals("restored", RunningServer.field(restore, "state"), restore);
        assertProblem(400, server.get("/dbs/" + id + "?restorePoints=perhaps"));
    }

    @Test
    void whatLeadsOutOfTheDirectoryOrIsOddIsRefused() throws Exception {
        Path outside = Files.createDirectories(directory.resolve("outside"));
        Files.createSymbolicLink(restored.resolve("link"), outside);
        Files.createSymbolicLink(restored.resolve("nowhere.db"), outside.resolve("none"));
        List<String> before = files();
        for (String bad : List.of(
                "",
                "..",
                "../x.db",
                "a/../../x.db",
                "./x.db",
                "a//x.db",
                "a/",
                "/etc/x.db",
                directory.resolve("y.db").toString(),
                "link/x.db",
                "x\\u0000.db",
                "x\\ny.db",
                "x\\ud800.db",
                "n".repeat(201),
                "d/".repeat(600) + "x")) {
            assertProblem(400, restoreTo(bad));
        }
        assertProblem(409, restoreTo("nowhere.db"));
        assertProblem(409, restoreTo("link"));
        assertEquals(before, files());
        try (Stream<Path> none = Files.list(outside)) {
            assertEquals(0, none.count());
        }
    }

    @Test
    void nothingIsReplacedNotEvenAnEmptyFileOrALoneWal() throws Exception {
        Files.writeString(restored.resolve("full"), "content");
        Files.createFile(restored.resolve("empty"));
        Files.createDirectory(restored.resolve("directory"));
        Files.createFile(restored.resolve("lone.db-wal"));
        List<String> before = files();
        for (String name : List.of("full", "empty", "directory", "lone.db", "full/x.db")) {
            assertProblem(409, restoreTo(name));
        }
        assertEquals(before, files());
        assertEquals("content", Files.readString(restored.resolve("full")));
    }

    @Test
    void aPointThatIsNotThereFailsAndLeavesNoFileAndNoDirectory() throws Exception {
        String failed = ended(
                restore("{\"database\":\"" + database + "\",\"output\":\"new/x.db\",\"txid\":\"00000000000fffff\"}"));
        assertEquals("failed", RunningServer.field(failed, "state"), failed);
        assertFalse(RunningServer.field(failed, "error").isEmpty());
        String tooEarly = ended(restore(
                "{\"database\":\"" + database + "\",\"output\":\"new/y.db\",\"timestamp\":\"2001-01-01T00:00:00Z\"}"));
        assertEquals("failed", RunningServer.field(tooEarly, "state"), tooEarly);
        assertEquals(List.of(), files());
    }

    @Test
    void bodiesThatMakeNoSenseAreRefusedByName() throws Exception {
        for (String bad : List.of(
                "",
                "[]",
                "{",
                "{}",
                "{} {}",
                "{\"database\":\"/x\"}",
                "{\"output\":\"x\"}",
                "{\"database\":7,\"output\":\"x\"}",
                "{\"database\":\"" + database + "\",\"output\":\"x\",\"force\":\"true\"}",
                "{\"database\":\"" + database + "\",\"output\":\"x\",\"output\":\"y\"}",
                "{\"database\":\"" + database + "\",\"output\":\"x\",\"txid\":\"1\"}",
                "{\"database\":\"" + database + "\",\"output\":\"x\",\"timestamp\":\"yesterday\"}",
                "{\"database\":\"" + database
                        + "\",\"output\":\"x\",\"txid\":\"0000000000000001\",\"timestamp\":\"2026-01-01T00:00:00Z\"}")) {
            assertProblem(400, restore(bad));
        }
        assertProblem(404, restore("{\"database\":\"/etc/passwd\",\"output\":\"x\"}"));
        assertProblem(404, restore("{\"database\":\"nosuchid\",\"output\":\"x\"}"));
        assertProblem(404, server.get("/restore/0123456789abcdef"));
        assertEquals(List.of(), files());
    }

    @Test
    void withoutADirectoryNobodyMayRestore() throws Exception {
        try (SmallFleet other = new SmallFleet(directory.resolve("other"));
                RunningServer closed = new RunningServer(other, RunningServer.ANY_PORT)) {
            assertProblem(403, closed.post("/restore"));
            assertProblem(403, closed.get("/restore/0123456789abcdef"));
        }
    }

    @Test
    void atMostTwoRunAtOnceAndAStopEndsThemAndRemovesWhatTheyMade() throws Exception {
        DatabaseId id = DatabaseId.of(database.toString());
        ReplicaClient replica = server.control().replica(id).orElseThrow();
        CountDownLatch asked = new CountDownLatch(2);
        ReplicaClient hanging = hanging(replica, asked);
        RestoreJobs jobs = new RestoreJobs(Optional.of(restored));
        RestoreJob first = begin(jobs, id, "new/1.db", hanging);
        RestoreJob second = begin(jobs, id, "2.db", hanging);
        assertTrue(asked.await(30, TimeUnit.SECONDS));
        assertEquals(
                503,
                assertThrows(Problem.class, () -> begin(jobs, id, "3.db", replica))
                        .status());
        assertTrue(first.isRunning() && second.isRunning());
        jobs.close();
        assertTrue(first.state() instanceof RestoreJob.State.Failed);
        assertTrue(second.state() instanceof RestoreJob.State.Failed);
        assertEquals(
                503,
                assertThrows(Problem.class, () -> begin(jobs, id, "4.db", replica))
                        .status());
        assertEquals(List.of(), files());
    }

    private RestoreJob begin(RestoreJobs jobs, DatabaseId id, String output, ReplicaClient replica) {
        return jobs.begin(id, RestorePlace.of(restored, output), new Target.Latest(), replica);
    }

    /** Lists and opens as the other does, but never answers: a store that hangs. */
    private static ReplicaClient hanging(ReplicaClient replica, CountDownLatch asked) {
        return (ReplicaClient) Proxy.newProxyInstance(
                RestoreRoutesTest.class.getClassLoader(),
                new Class<?>[] {ReplicaClient.class},
                (self, method, given) -> {
                    if (method.getName().equals("open")) {
                        asked.countDown();
                        try {
                            new CountDownLatch(1).await();
                        } catch (InterruptedException e) {
                            Thread.currentThread().interrupt();
                            throw new TransientStorageException("interrupted", e);
                        }
                    }
                    return method.invoke(replica, given);
                });
    }

    @Test
    void bodiesThatTrickleTakeNoPlaces() throws Exception {
        int callers = 40; // more than there are places
        CountDownLatch sending = new CountDownLatch(callers);
        CountDownLatch over = new CountDownLatch(1);
        try (var clients = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Void>> ends = new ArrayList<>();
            try {
                for (int i = 0; i < callers; i++) {
                    ends.add(clients.submit(() -> trickle(sending, over)));
                }
                assertTrue(sending.await(30, TimeUnit.SECONDS));
                for (int i = 0; i < 3; i++) {
                    assertEquals(200, server.get("/tiers").statusCode());
                }
            } finally {
                over.countDown();
            }
            for (Future<Void> end : ends) {
                end.get(30, TimeUnit.SECONDS);
            }
        }
    }

    private Void trickle(CountDownLatch sending, CountDownLatch over) throws IOException, InterruptedException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            socket.getOutputStream()
                    .write("POST /restore HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n{"
                            .getBytes(US_ASCII));
            sending.countDown();
            while (!over.await(20, TimeUnit.MILLISECONDS)) {
                socket.getOutputStream().write(' ');
                socket.getOutputStream().flush();
            }
        }
        return null;
    }
}
