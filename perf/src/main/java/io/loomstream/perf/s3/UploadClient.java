package io.loomstream.perf.s3;

import io.loomstream.engine.concurrent.Gate;
import io.loomstream.engine.concurrent.TaskScope;
import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.s3.S3Credentials;
import io.loomstream.engine.replica.s3.S3Endpoints;
import io.loomstream.engine.replica.s3.S3HttpClient;
import io.loomstream.engine.replica.s3.S3Owner;
import io.loomstream.engine.replica.s3.S3Settings;
import io.loomstream.engine.replica.s3.S3Timing;
import io.loomstream.engine.replica.s3.Secret;
import io.loomstream.engine.testing.s3.S3Server;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/** Uploads as the server's: one client, a gate, a virtual thread each. */
final class UploadClient implements AutoCloseable {
    private final int port;
    private final S3HttpClient http;
    private final int permits;
    private final S3Endpoints endpoints;

    UploadClient(int port, S3HttpClient http, int permits) {
        this.port = port;
        this.http = http;
        this.permits = permits;
        this.endpoints = new S3Endpoints(
                new Gate("s3", permits),
                new S3Owner("perf", "localhost", ProcessHandle.current().pid()),
                Time.system(),
                new Random(),
                S3Timing.DEFAULT);
    }

    private ReplicaClient replica(int number) {
        return endpoints.replica(S3Settings.builder()
                .bucket(S3Server.BUCKET)
                .path("tenant/" + number)
                .endpoint("http://127.0.0.1:" + port)
                .credentials(new S3Credentials.Keys(
                        S3Server.ACCESS_KEY_ID, new Secret(S3Server.SECRET_ACCESS_KEY), Optional.empty()))
                .httpClient(http)
                .build());
    }

    /** Uploads one file to so many replicas, as many at once as there are permits. */
    void upload(Path file, int firstReplica, int replicas) throws InterruptedException {
        AtomicInteger next = new AtomicInteger(firstReplica);
        try (TaskScope scope = TaskScope.open("uploads")) {
            for (int thread = 0; thread < permits; thread++) {
                scope.fork(() -> {
                    for (int number = next.getAndIncrement();
                            number < firstReplica + replicas;
                            number = next.getAndIncrement()) {
                        replica(number).write(Level.L0, TxidRange.of(Txid.ONE), file);
                    }
                    return null;
                });
            }
            scope.join();
        }
    }

    /** A file that is taken for the LTX file of TXID 1. */
    static Path sample(Path directory, long sizeBytes) throws IOException {
        Path file = directory.resolve("sample-" + sizeBytes);
        byte[] block = new byte[1 << 16];
        new Random(7).nextBytes(block);
        try (OutputStream out = Files.newOutputStream(file)) {
            byte[] first = block.clone();
            ByteBuffer.wrap(first)
                    .put("LTX1".getBytes(StandardCharsets.US_ASCII))
                    .putLong(16, 1)
                    .putLong(24, 1)
                    .putLong(32, 1_767_225_600_000L);
            long left = sizeBytes;
            out.write(first, 0, (int) Math.min(first.length, left));
            for (left -= first.length; left > 0; left -= block.length) {
                out.write(block, 0, (int) Math.min(block.length, left));
            }
        }
        return file;
    }

    @Override
    public void close() {
        endpoints.close();
    }
}
