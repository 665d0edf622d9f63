package io.loomstream.engine.replica.s3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.loomstream.engine.testing.s3.Fault;
import io.loomstream.engine.testing.s3.FaultyWire;
import io.loomstream.engine.testing.s3.S3Server;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** AWS names a bucket's region in every answer about it, whatever the answer. */
class BucketRegionTest {
    /** Takes connections and says nothing: every answer is scripted. */
    private ServerSocket silent;

    private FaultyWire wire;
    private S3Endpoints endpoints;
    private S3Endpoint asked;

    @BeforeEach
    void connect() throws Exception {
        silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        wire = new FaultyWire(silent.getLocalPort());
        endpoints = S3Setup.endpoints();
        S3Settings settings = S3Setup.settings(wire.endpoint()).build();
        asked = endpoints.endpoint(settings.connection(), "us-east-1", settings.credentials());
    }

    @AfterEach
    void disconnect() throws Exception {
        endpoints.close();
        wire.close();
        silent.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {200, 301, 400, 403})
    void regionIsReadWhateverTheAnswer(int status) throws Exception {
        wire.script("HEAD", new Fault.Answer(status, "", List.of("x-amz-bucket-region: eu-central-1")));

        assertEquals("eu-central-1", S3Endpoints.regionOf(S3Server.BUCKET, asked));
        assertEquals(1, wire.requests().size());
    }

    @Test
    void answerWithoutItIsAnErrorAndTransientOnesAreTriedAgain() throws Exception {
        wire.script("HEAD", new Fault.Answer(403, ""));
        assertThrows(S3Failure.class, () -> S3Endpoints.regionOf(S3Server.BUCKET, asked));

        wire.script("HEAD", new Fault.Answer(500, ""));
        wire.script("HEAD", new Fault.Answer(200, "", List.of("x-amz-bucket-region: eu-west-3")));
        assertEquals("eu-west-3", S3Endpoints.regionOf(S3Server.BUCKET, asked));
    }
}
