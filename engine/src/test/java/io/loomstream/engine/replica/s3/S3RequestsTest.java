package io.loomstream.engine.replica.s3;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.SampleFile;
import io.loomstream.engine.testing.s3.FaultyWire;
import io.loomstream.engine.testing.s3.S3Server;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What goes over the wire for each setting, and TLS. */
class S3RequestsTest {
    private static final TxidRange SMALL = range(1);
    private static final TxidRange LARGE = range(2);
    private static final int LARGE_BYTES = 6 << 20;
    private static final String CUSTOMER_KEY =
            Base64.getEncoder().encodeToString("0123456789abcdef0123456789abcdef".getBytes(StandardCharsets.US_ASCII));

    /** Base64 of the MD5 of the key's 32 bytes. */
    private static final String CUSTOMER_KEY_MD5 = "hRasmdxgYDKV3nvbahU1MA==";

    private static final String SSE = "x-amz-server-side-encryption";
    private static final String SSE_KEY_ID = "x-amz-server-side-encryption-aws-kms-key-id";
    private static final String CUSTOMER_ALGORITHM = "x-amz-server-side-encryption-customer-algorithm";
    private static final String CUSTOMER = "x-amz-server-side-encryption-customer-key";
    private static final String CUSTOMER_MD5 = "x-amz-server-side-encryption-customer-key-md5";

    @TempDir
    private Path directory;

    private final S3Endpoints endpoints = S3Setup.endpoints();
    private S3Server server;
    private FaultyWire wire;

    @BeforeEach
    void start() throws Exception {
        server = S3Server.inMemory();
        wire = new FaultyWire(server.port());
    }

    @AfterEach
    void stop() throws Exception {
        endpoints.close();
        wire.close();
        server.close();
    }

    private static TxidRange range(long txid) {
        return new TxidRange(new Txid(txid), new Txid(txid));
    }

    private byte[] content(TxidRange range, int sizeBytes) {
        return SampleFile.bytes(range, Instant.parse("2026-03-04T05:06:07Z"), sizeBytes, 7);
    }

    private Path file(TxidRange range, int sizeBytes) throws IOException {
        return Files.write(directory.resolve(range.fileName()), content(range, sizeBytes));
    }

    /** Stores a small file, a file in parts, lists both with their times and reads the small one. */
    private void useEverything(ReplicaClient client) throws Exception {
        client.write(Level.L0, SMALL, file(SMALL, 700));
        client.write(Level.L0, LARGE, file(LARGE, LARGE_BYTES));
        assertEquals(2, client.listWithHeaderTimes(Level.L0, Txid.ZERO).size());
        try (InputStream in = client.open(Level.L0, SMALL, 0)) {
            assertArrayEquals(content(SMALL, 700), in.readAllBytes());
        }
    }

    /** By what they are for, the one-time probe of the store left out. */
    private Map<String, List<FaultyWire.Request>> requests() {
        return wire.requests().stream()
                .filter(request -> !request.target().contains("_loomstream"))
                .collect(Collectors.groupingBy(S3RequestsTest::purpose));
    }

    private static String purpose(FaultyWire.Request request) {
        String target = request.target();
        if (target.contains("partNumber=")) {
            return "part";
        }
        if (target.contains("uploads")) {
            return "begin";
        }
        if (target.contains("uploadId=")) {
            return "complete";
        }
        if (target.contains("list-type=")) {
            return "list";
        }
        return request.method();
    }

    private static void assertAll(List<FaultyWire.Request> requests, String header, Optional<String> value) {
        assertFalse(requests.isEmpty());
        for (FaultyWire.Request request : requests) {
            assertEquals(value, request.header(header), request + " " + header);
        }
    }

    @Test
    void customerKeyGoesWithEveryRequestThatTouchesABody() throws Exception {
        useEverything(endpoints.replica(S3Setup.settings(wire.endpoint())
                .encryption(new S3Encryption.CustomerKey(new Secret(CUSTOMER_KEY)))
                .build()));

        Map<String, List<FaultyWire.Request>> requests = requests();
        for (String purpose : List.of("PUT", "GET", "HEAD", "begin", "part", "complete")) {
            List<FaultyWire.Request> some = requests.getOrDefault(purpose, List.of());
            assertAll(some, CUSTOMER_ALGORITHM, Optional.of("AES256"));
            assertAll(some, CUSTOMER, Optional.of(CUSTOMER_KEY));
            assertAll(some, CUSTOMER_MD5, Optional.of(CUSTOMER_KEY_MD5));
            assertAll(some, SSE, Optional.empty());
        }
        assertAll(requests.getOrDefault("list", List.of()), CUSTOMER, Optional.empty());
    }

    @Test
    void kmsKeyIsNamedWhereAnObjectIsBegunOnly() throws Exception {
        useEverything(endpoints.replica(S3Setup.settings(wire.endpoint())
                .encryption(new S3Encryption.Kms("alias/backups"))
                .storageClass("STANDARD_IA")
                .build()));

        Map<String, List<FaultyWire.Request>> requests = requests();
        for (String purpose : List.of("PUT", "begin")) {
            List<FaultyWire.Request> some = requests.getOrDefault(purpose, List.of());
            assertAll(some, SSE, Optional.of("aws:kms"));
            assertAll(some, SSE_KEY_ID, Optional.of("alias/backups"));
            assertAll(some, "x-amz-storage-class", Optional.of("STANDARD_IA"));
        }
        for (String purpose : List.of("GET", "HEAD", "part", "complete", "list")) {
            // A store answers 400 to a GET that names a KMS key.
            assertAll(requests.getOrDefault(purpose, List.of()), SSE, Optional.empty());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void payloadIsSignedOverPlainHttpWhateverTheSetting(boolean signPayload) throws Exception {
        // Without TLS nothing else protects the body: the SDK insists.
        endpoints
                .replica(S3Setup.settings(wire.endpoint())
                        .signPayload(signPayload)
                        .build())
                .write(Level.L0, SMALL, file(SMALL, 700));

        String hash = requests()
                .getOrDefault("PUT", List.of())
                .get(0)
                .header("x-amz-content-sha256")
                .orElse("none");
        assertTrue(hash.matches("[0-9a-f]{64}"), hash);
    }

    @Test
    void sessionTokenOfTemporaryCredentialsIsSent() throws Exception {
        endpoints
                .replica(S3Setup.settings(wire.endpoint())
                        .credentials(new S3Credentials.Keys(
                                S3Server.ACCESS_KEY_ID,
                                new Secret(S3Server.SECRET_ACCESS_KEY),
                                Optional.of(new Secret("a-session"))))
                        .build())
                .write(Level.L0, SMALL, file(SMALL, 700));

        assertAll(requests().getOrDefault("PUT", List.of()), "x-amz-security-token", Optional.of("a-session"));
    }

    @Test
    void credentialsOfTheProcessAreFoundByTheProviderChain() throws Exception {
        System.setProperty("aws.accessKeyId", S3Server.ACCESS_KEY_ID);
        System.setProperty("aws.secretAccessKey", S3Server.SECRET_ACCESS_KEY);
        try {
            useEverything(endpoints.replica(S3Setup.settings(wire.endpoint())
                    .credentials(new S3Credentials.ProviderChain())
                    .build()));
        } finally {
            System.clearProperty("aws.accessKeyId");
            System.clearProperty("aws.secretAccessKey");
        }
    }

    @ParameterizedTest
    @EnumSource
    void untrustedCertificateIsRefusedUnlessTheSettingSaysNotToVerify(S3HttpClient httpClient) throws Exception {
        try (S3Server tls = S3Server.inMemoryWithTls()) {
            S3SettingsBuilder settings = S3Setup.settings(tls.endpoint()).httpClient(httpClient);
            Path file = file(SMALL, 700);

            ReplicaClient verifying = endpoints.replica(settings.build());
            TransientStorageException refused =
                    assertThrows(TransientStorageException.class, () -> verifying.write(Level.L0, SMALL, file));
            assertTrue(refused.getMessage().contains("certifica"), refused.getMessage());

            useEverything(endpoints.replica(
                    settings.skipVerify(true).signPayload(true).build()));
            useEverything(endpoints.replica(settings.skipVerify(true)
                    .signPayload(false)
                    .path("unsigned")
                    .build()));
        }
    }
}
