package io.loomstream.engine.restore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.loomstream.engine.concurrent.Gate;
import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.s3.S3Credentials;
import io.loomstream.engine.replica.s3.S3Endpoints;
import io.loomstream.engine.replica.s3.S3Operation;
import io.loomstream.engine.replica.s3.S3Owner;
import io.loomstream.engine.replica.s3.S3Settings;
import io.loomstream.engine.replica.s3.S3Timing;
import io.loomstream.engine.replica.s3.Secret;
import io.loomstream.engine.testing.s3.S3Server;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;

/**
 * What Litestream put into S3 restores to the byte at every target. The objects were stored just now, so a restore to a
 * time is right only by their metadata.
 */
class S3FixtureTest {
    private static final Pattern OBJECT = Pattern.compile(
            "\"key\": \"([^\"]+)\",\\s*\"file\": \"([^\"]+)\"[^}]*?\"litestream-timestamp\": \"([^\"]+)\"");

    private static S3Server server;
    private static S3Endpoints endpoints;
    private static int objects;

    @TempDir
    Path directory;

    @BeforeAll
    static void load() throws Exception {
        server = S3Server.inMemory();
        endpoints = new S3Endpoints(
                new Gate("s3", 200), new S3Owner("test", "host", 1), Time.system(), new Random(), S3Timing.DEFAULT);
        Path fixture = Path.of(S3FixtureTest.class.getResource("/fixtures/s3").toURI());
        Matcher matcher = OBJECT.matcher(Files.readString(fixture.resolve("expect.json")));
        while (matcher.find()) {
            Path file = fixture.resolve(matcher.group(2));
            objects++;
            server.store()
                    .putBlob(
                            PutObjectRequest.builder()
                                    .bucket(S3Server.BUCKET)
                                    .key(matcher.group(1))
                                    .contentLength(Files.size(file))
                                    .metadata(Map.of("litestream-timestamp", matcher.group(3)))
                                    .build(),
                            Files.newInputStream(file));
        }
    }

    @AfterAll
    static void stop() throws Exception {
        endpoints.close();
        server.close();
    }

    private static ReplicaClient client() {
        return endpoints.replica(S3Settings.builder()
                .bucket(S3Server.BUCKET)
                .path("tenant/app")
                .endpoint(server.endpoint().toString())
                .credentials(new S3Credentials.Keys(
                        S3Server.ACCESS_KEY_ID, new Secret(S3Server.SECRET_ACCESS_KEY), Optional.empty()))
                .build());
    }

    static List<Fixture.Expectation> expectations() throws Exception {
        return Fixture.expectations("s3");
    }

    @ParameterizedTest
    @MethodSource("expectations")
    void restoresToTheByteWhatLitestreamRestores(Fixture.Expectation expectation) throws Exception {
        Path output = directory.resolve("out.db");
        long before = endpoints.counters().requests(S3Operation.HEAD);

        RestoreOutcome outcome = RestoreSetup.of(client())
                .run(RestoreRequest.latest(output).to(expectation.target()).checked(IntegrityCheck.FULL));

        if (expectation.refused()) {
            assertFalse(outcome instanceof RestoreOutcome.Restored, outcome.toString());
            assertFalse(Files.exists(output));
        } else {
            assertInstanceOf(RestoreOutcome.Restored.class, outcome);
            assertEquals(
                    expectation.sha256(),
                    HexFormat.of()
                            .formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(output))));
        }
        boolean toATime = expectation.target() instanceof Target.Before;
        assertEquals(
                toATime ? objects : 0,
                endpoints.counters().requests(S3Operation.HEAD) - before,
                "only a restore to a time asks each object for its own");
    }

    @Test
    void fixtureIsAllThere() throws Exception {
        assertEquals(33, objects);
        assertEquals(48, expectations().size());
    }
}
