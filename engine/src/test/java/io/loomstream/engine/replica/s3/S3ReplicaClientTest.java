package io.loomstream.engine.replica.s3;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.ReplicaClientContract;
import io.loomstream.engine.replica.ReplicaFile;
import io.loomstream.engine.testing.s3.Fault;
import io.loomstream.engine.testing.s3.FaultyWire;
import io.loomstream.engine.testing.s3.S3Server;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;

/** The S3 backend: the contract, and what only a bucket can show. */
class S3ReplicaClientTest extends ReplicaClientContract {
    private static S3Server server;

    private final S3Endpoints endpoints = S3Setup.endpoints();
    private final String path = "tenant/" + UUID.randomUUID();

    @BeforeAll
    static void start() throws Exception {
        server = S3Server.inMemory();
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
    }

    @AfterEach
    void closeConnections() {
        endpoints.close();
    }

    @Override
    protected ReplicaClient client() {
        return endpoints.replica(settings().build());
    }

    private S3SettingsBuilder settings() {
        return S3Setup.settings(server.endpoint()).path(path);
    }

    private static HeadObjectResponse stored(String key) {
        return server.store().blobMetadata(S3Server.BUCKET, key);
    }

    private static void store(String key, byte[] bytes, Map<String, String> metadata) {
        server.store()
                .putBlob(
                        PutObjectRequest.builder()
                                .bucket(S3Server.BUCKET)
                                .key(key)
                                .contentLength((long) bytes.length)
                                .metadata(metadata)
                                .build(),
                        new ByteArrayInputStream(bytes));
    }

    private String key(TxidRange range) {
        return path + "/0000/" + range.fileName();
    }

    @ParameterizedTest
    @EnumSource
    void objectsCarryTheHeaderTimeAndTheOwnerWhicheverClientSends(S3HttpClient httpClient) throws Exception {
        ReplicaClient client =
                endpoints.replica(settings().httpClient(httpClient).build());

        client.write(Level.L0, range(1, 1), sample(range(1, 1), 700, 1));
        client.write(Level.SNAPSHOT, range(1, 1), sample(range(1, 1), 6 << 20, 1));

        for (String key :
                List.of(key(range(1, 1)), path + "/0009/" + range(1, 1).fileName())) {
            assertEquals("2026-03-04T05:06:07.089Z", stored(key).metadata().get("litestream-timestamp"));
            assertEquals("test/host/42", stored(key).metadata().get("loomstream-owner"));
            assertEquals("application/octet-stream", stored(key).contentType());
        }
    }

    @Test
    void timestampsAreWrittenAsLitestreamDoes() {
        assertEquals("2026-08-19T12:00:00.5Z", S3Writer.timestamp(Instant.parse("2026-08-19T12:00:00.500Z")));
        assertEquals("2026-08-19T12:00:00Z", S3Writer.timestamp(Instant.parse("2026-08-19T12:00:00Z")));
        assertEquals("2026-08-19T12:00:10.123Z", S3Writer.timestamp(Instant.parse("2026-08-19T12:00:10.123Z")));
    }

    @Test
    void timestampComesFromTheFileWhereTheMetadataWasLost() throws Exception {
        Path file = sample(range(1, 1), 700, 1);
        store(key(range(1, 1)), Files.readAllBytes(file), Map.of());

        List<ReplicaFile> files = client().listWithHeaderTimes(Level.L0, Txid.ZERO);

        assertEquals(Instant.parse("2026-03-04T05:06:07.089Z"), files.get(0).createdAt());
    }

    @Test
    void largeFilesGoInPartsAndComeBackWhole() throws Exception {
        Path source = sample(range(1, 9), (17 << 20) + 12_345, 2);

        client().write(Level.SNAPSHOT, range(1, 9), source);

        assertArrayEquals(Files.readAllBytes(source), read(client(), Level.SNAPSHOT, range(1, 9), 0));
        S3Counters.Snapshot counters = endpoints.counters();
        assertEquals(1, counters.requests(S3Operation.CREATE_MULTIPART));
        assertEquals(4, counters.requests(S3Operation.UPLOAD_PART));
        assertEquals(1, counters.requests(S3Operation.COMPLETE_MULTIPART));
        assertEquals(
                Files.size(source),
                counters.operations().get(S3Operation.UPLOAD_PART).bytesSent());
        assertEquals(
                Files.size(source), counters.operations().get(S3Operation.GET).bytesReceived());
    }

    @Test
    void partsGrowSoThatTenThousandSuffice() {
        long configured = 5L << 20;

        assertEquals(configured, S3Writer.partBytes(10_000 * configured, configured));
        assertEquals(configured + 1, S3Writer.partBytes(10_000 * configured + 1, configured));
        long huge = 5L << 40;
        assertTrue(Math.ceilDiv(huge, S3Writer.partBytes(huge, configured)) <= 10_000);
    }

    @Test
    void otherBytesInPartsAreRefusedNamingTheOwner() throws Exception {
        S3Endpoints other = S3Setup.endpoints(new S3Owner("green", "host-2", 7), S3Setup.HASTY, Time.system());
        try (other) {
            other.replica(settings().build()).write(Level.SNAPSHOT, range(1, 9), sample(range(1, 9), 6 << 20, 1));
        }

        ConflictException refusal = assertThrows(
                ConflictException.class,
                () -> client().write(Level.SNAPSHOT, range(1, 9), sample(range(1, 9), 6 << 20, 2)));

        assertTrue(refusal.getMessage().contains("green/host-2/7"), refusal.getMessage());
        assertTrue(refusal.getMessage().contains("test/host/42"), refusal.getMessage());
        assertEquals(List.of(), server.store().listMultipartUploads(S3Server.BUCKET), "the upload is aborted");
    }

    @Test
    void nestedReplicasAreNotMixedUp() throws Exception {
        ReplicaClient outer = client();
        ReplicaClient inner = endpoints.replica(settings().path(path + "/0000").build());
        inner.write(Level.L0, range(5, 5), sample(range(5, 5), 700, 1));
        outer.write(Level.L0, range(1, 1), sample(range(1, 1), 700, 1));

        assertEquals(
                List.of(range(1, 1)),
                outer.list(Level.L0, Txid.ZERO).stream().map(ReplicaFile::range).toList());
        outer.deleteAll();
        assertEquals(1, inner.list(Level.L0, Txid.ZERO).size());
    }

    @Test
    void listingsLongerThanAPageAreComplete() throws Exception {
        byte[] bytes = Files.readAllBytes(sample(range(1, 1), 100, 1));
        for (int txid = 1; txid <= 1_001; txid++) {
            store(key(range(txid, txid)), bytes, Map.of());
        }

        assertEquals(1_001, client().list(Level.L0, Txid.ZERO).size());
        long pages = endpoints.counters().requests(S3Operation.LIST);
        assertEquals(2, pages);
        assertEquals(2, client().list(Level.L0, new Txid(1_000)).size());
        assertEquals(pages + 1, endpoints.counters().requests(S3Operation.LIST), "the store skips what is before");
    }

    /** The test server cannot hold such keys, so its part is scripted. */
    @ParameterizedTest
    @CsvSource({"/, //0000/", "./, /./0000/"})
    void replicaThatLitestreamBeganAtTheRootUnderOddKeysGoesOnThere(String root, String inTarget) throws Exception {
        try (FaultyWire wire = new FaultyWire(server.port());
                S3Endpoints mine = S3Setup.endpoints()) {
            String encoded = root.replace("/", "%2F");
            String name = range(1, 1).fileName();
            wire.script(
                    request -> request.target().contains("delimiter")
                            && request.target().contains("=" + encoded + "000"),
                    new Fault.Answer(
                            200,
                            "<ListBucketResult><CommonPrefixes><Prefix>" + root
                                    + "0000/</Prefix></CommonPrefixes></ListBucketResult>"));
            wire.script(
                    request -> request.target().contains("prefix=" + encoded + "0000%2F"),
                    new Fault.Answer(
                            200,
                            "<ListBucketResult><Contents><Key>" + root + "0000/" + name
                                    + "</Key><Size>700</Size><LastModified>2026-03-04T05:06:07Z</LastModified></Contents>"
                                    + "</ListBucketResult>"));
            wire.script(request -> request.target().contains(inTarget + name), new Fault.Answer(200, "stored"));
            wire.script(
                    request -> request.target().contains(inTarget + range(2, 2).fileName()), new Fault.Answer(200, ""));
            ReplicaClient client =
                    mine.replica(S3Setup.settings(wire.endpoint()).path("").build());

            assertEquals(1, client.list(Level.L0, Txid.ZERO).size());
            assertEquals("stored", new String(read(client, Level.L0, range(1, 1), 0), StandardCharsets.UTF_8));
            client.write(Level.L0, range(2, 2), sample(range(2, 2), 700, 1));

            assertEquals(0, wire.pending(), "all was asked for under the odd keys");
        }
    }

    @Test
    void newReplicaAtTheRootHasPlainKeys() throws Exception {
        try (S3Server own = S3Server.inMemory();
                S3Endpoints mine = S3Setup.endpoints()) {
            ReplicaClient client =
                    mine.replica(S3Setup.settings(own.endpoint()).path(".").build());

            client.write(Level.L0, range(1, 1), sample(range(1, 1), 700, 1));

            assertTrue(own.store()
                    .blobExists(S3Server.BUCKET, "0000/" + range(1, 1).fileName()));
        }
    }

    @Test
    void probeLeavesNothingBehindAndIsAskedOnceForTheBucket() throws Exception {
        client().write(Level.L0, range(1, 1), sample(range(1, 1), 700, 1));
        long puts = endpoints.counters().requests(S3Operation.PUT);
        assertEquals(3, puts, "the file, and twice the probe");

        endpoints
                .replica(settings().path(path + "/second").build())
                .write(Level.L0, range(1, 1), sample(range(1, 1), 700, 1));

        assertEquals(puts + 1, endpoints.counters().requests(S3Operation.PUT));
        assertEquals(
                2,
                server.store().list(S3Server.BUCKET).contents().stream()
                        .filter(object -> object.key().startsWith(path))
                        .count());
        assertEquals(1, endpoints.states().size(), "one client for both");
    }
}
