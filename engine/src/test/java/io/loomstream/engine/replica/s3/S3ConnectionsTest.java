package io.loomstream.engine.replica.s3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.concurrent.TaskScope;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.SampleFile;
import io.loomstream.engine.testing.s3.FaultyWire;
import io.loomstream.engine.testing.s3.S3Server;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code HttpURLConnection} keeps five connections a host unless told otherwise, and then opens one a request. */
class S3ConnectionsTest {
    private static final int FILES = 5_000;
    private static final int AT_ONCE = 200;
    private static final int CONNECTIONS_MAX = 250;

    @TempDir
    Path local;

    @Test
    void fiveThousandUploadsAtTwoHundredFoldConcurrencyShareTheirConnections() throws Exception {
        try (S3Server server = S3Server.inMemory();
                FaultyWire wire = new FaultyWire(server.port());
                S3Endpoints endpoints = S3Setup.endpoints()) {
            ReplicaClient client =
                    endpoints.replica(S3Setup.settings(wire.endpoint()).build());
            AtomicInteger next = new AtomicInteger(1);

            try (TaskScope scope = TaskScope.open("writers")) {
                for (int writer = 0; writer < AT_ONCE; writer++) {
                    scope.fork(() -> {
                        for (int txid = next.getAndIncrement(); txid <= FILES; txid = next.getAndIncrement()) {
                            TxidRange range = TxidRange.of(new Txid(txid));
                            Path file = Files.write(
                                    local.resolve(range.fileName()), SampleFile.bytes(range, Instant.EPOCH, 200, txid));
                            client.write(Level.L0, range, file);
                        }
                        return null;
                    });
                }
                scope.join();
            }

            assertEquals(FILES, client.list(Level.L0, Txid.ZERO).size());
            assertTrue(wire.connections() <= CONNECTIONS_MAX, wire.connections() + " connections");
        }
    }
}
