package io.loomstream.engine.replica.s3;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.concurrent.TaskScope;
import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.SampleFile;
import io.loomstream.engine.testing.s3.S3Server;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two servers that write one replica at the same moments. */
class TwoWritersTest {
    private static final int FILES = 60;

    @TempDir
    Path local;

    @Test
    void exactlyOneGetsEachNameAndTheOtherIsToldWhose() throws Exception {
        S3Owner blue = new S3Owner("blue", "host-1", 1);
        S3Owner green = new S3Owner("green", "host-2", 2);
        Map<TxidRange, S3Owner> won = new ConcurrentHashMap<>();
        Map<TxidRange, String> lost = new ConcurrentHashMap<>();
        try (S3Server server = S3Server.inMemory();
                S3Endpoints first = S3Setup.endpoints(blue, S3Setup.HASTY, Time.system());
                S3Endpoints second = S3Setup.endpoints(green, S3Setup.HASTY, Time.system())) {
            ReplicaClient ofBlue =
                    first.replica(S3Setup.settings(server.endpoint()).build());
            ReplicaClient ofGreen =
                    second.replica(S3Setup.settings(server.endpoint()).build());
            try (TaskScope scope = TaskScope.open("writers")) {
                for (int txid = 1; txid <= FILES; txid++) {
                    TxidRange range = TxidRange.of(new Txid(txid));
                    scope.fork(() -> write(ofBlue, blue, range, won, lost));
                    scope.fork(() -> write(ofGreen, green, range, won, lost));
                }
                scope.join();
            }

            assertEquals(FILES, won.size());
            assertEquals(FILES, lost.size());
            for (Map.Entry<TxidRange, S3Owner> winner : won.entrySet()) {
                String refusal = lost.get(winner.getKey());
                assertTrue(
                        refusal.contains(
                                "uses this replica, " + winner.getValue().asMetadata()),
                        refusal);
                try (InputStream in = ofBlue.open(Level.L0, winner.getKey(), 0)) {
                    assertArrayEquals(Files.readAllBytes(file(winner.getKey(), winner.getValue())), in.readAllBytes());
                }
            }
        }
    }

    private boolean write(
            ReplicaClient client,
            S3Owner owner,
            TxidRange range,
            Map<TxidRange, S3Owner> won,
            Map<TxidRange, String> lost)
            throws Exception {
        try {
            client.write(Level.L0, range, file(range, owner));
            S3Owner before = won.put(range, owner);
            assertEquals(null, before, "both were told that they wrote " + range);
            return true;
        } catch (ConflictException refusal) {
            lost.put(range, refusal.getMessage());
            return false;
        }
    }

    private Path file(TxidRange range, S3Owner owner) throws Exception {
        Path file = local.resolve(owner.instance() + range.fileName());
        return Files.exists(file) ? file : Files.write(file, SampleFile.bytes(range, Instant.EPOCH, 400, owner.pid()));
    }
}
