package io.loomstream.engine.replica.s3;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.replica.RootStore;
import io.loomstream.engine.replica.RootStoreContract;
import io.loomstream.engine.testing.s3.Fault;
import io.loomstream.engine.testing.s3.FaultyWire;
import io.loomstream.engine.testing.s3.S3Server;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class S3RootStoreTest extends RootStoreContract {
    private static final String NAME = "node-1/hot-list.json";
    private static final byte[] ONE = "one".getBytes(StandardCharsets.UTF_8);
    private static final byte[] TWO = "two".getBytes(StandardCharsets.UTF_8);

    private @Nullable S3Server server;
    private @Nullable FaultyWire wire;
    private @Nullable S3Endpoints endpoints;
    private @Nullable RootStore store;

    private static boolean writes(FaultyWire.Request request) {
        return request.method().equals("PUT") && request.target().endsWith("hot-list.json");
    }

    @BeforeEach
    void start() throws Exception {
        server = S3Server.inMemory();
        wire = new FaultyWire(server.port());
        endpoints = S3Setup.endpoints();
        store = endpoints.root(S3Setup.settings(wire.endpoint()).build());
    }

    @AfterEach
    void stop() throws Exception {
        endpoints.close();
        wire.close();
        server.close();
    }

    @Override
    protected RootStore store() {
        return store;
    }

    @Test
    void liesBesideTheReplicasAndSaysWhere() {
        store.write(NAME, ONE, Optional.empty());
        assertEquals("s3://" + S3Server.BUCKET + "/tenant/app/_loomstream", store.describe());
        assertEquals(true, server.store().blobExists(S3Server.BUCKET, "tenant/app/_loomstream/node-1/hot-list.json"));
    }

    @Test
    void aLostAnswerToTheFirstWriteIsNoConflict() {
        wire.script(S3RootStoreTest::writes, new Fault.LoseAnswer());
        String version = store.write(NAME, ONE, Optional.empty());
        assertEquals(version, store.read(NAME).orElseThrow().version());
        assertEquals(0, wire.pending());
    }

    @Test
    void aLostAnswerToALaterWriteIsNoConflict() {
        String first = store.write(NAME, ONE, Optional.empty());
        wire.script(S3RootStoreTest::writes, new Fault.LoseAnswer());
        String second = store.write(NAME, TWO, Optional.of(first));
        assertEquals(second, store.read(NAME).orElseThrow().version());
        assertArrayEquals(TWO, store.read(NAME).orElseThrow().bytes());
        assertEquals(0, wire.pending());
    }

    @Test
    void whatSomebodyElseWroteIsNeverReplacedAfterALostAnswer() {
        String first = store.write(NAME, ONE, Optional.empty());
        store.write(NAME, TWO, Optional.of(first));
        wire.script(S3RootStoreTest::writes, Fault.Answer.error(500, "InternalError"));
        assertThrows(ConflictException.class, () -> store.write(NAME, ONE.clone(), Optional.of(first)));
        assertArrayEquals(TWO, store.read(NAME).orElseThrow().bytes());
    }

    @Test
    void aStoreThatIsDownIsTransient() {
        for (int attempt = 0; attempt < 20; attempt++) {
            wire.script("GET", Fault.Answer.error(500, "InternalError"));
        }
        assertThrows(TransientStorageException.class, () -> store.read(NAME));
    }
}
