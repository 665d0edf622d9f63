package io.loomstream.perf.server;

import io.loomstream.engine.concurrent.Gate;
import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.s3.S3Credentials;
import io.loomstream.engine.replica.s3.S3Endpoints;
import io.loomstream.engine.replica.s3.S3Owner;
import io.loomstream.engine.replica.s3.S3Settings;
import io.loomstream.engine.replica.s3.S3Timing;
import io.loomstream.engine.replica.s3.Secret;
import io.loomstream.engine.testing.s3.S3Server;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A bucket of a real S3 server, S3Proxy, on a free port of this machine. */
public final class S3Store implements ReplicaStore {
    private final URI endpoint;
    private final URI detour;
    private final @Nullable S3Server server;
    private final S3Endpoints endpoints;

    private S3Store(URI endpoint, URI detour, @Nullable S3Server server) {
        this.endpoint = endpoint;
        this.detour = detour;
        this.server = server;
        this.endpoints = new S3Endpoints(
                new Gate("s3", 20),
                new S3Owner("observer", "localhost", ProcessHandle.current().pid()),
                Time.system(),
                new SecureRandom(),
                S3Timing.DEFAULT);
    }

    /** Starts a server in this process that keeps its objects in a directory. */
    public static S3Store start(Path objects) throws Exception {
        Files.createDirectories(objects);
        S3Server server = S3Server.in(objects);
        return new S3Store(server.endpoint(), server.endpoint(), server);
    }

    /** The bucket of a server that another process runs. */
    public static S3Store at(URI endpoint) {
        return new S3Store(endpoint, endpoint, null);
    }

    /**
     * The same bucket, by another way in the configurations; {@link #client} still goes the direct one. Closing the server is
     * left to this store.
     */
    public S3Store by(URI other) {
        return new S3Store(endpoint, other, null);
    }

    /** Where it listens. */
    public int port() {
        return endpoint.getPort();
    }

    @Override
    public String describe() {
        return "S3Proxy at " + endpoint + ", bucket " + S3Server.BUCKET;
    }

    @Override
    public List<String> top() {
        return List.of(
                "endpoint: " + detour,
                "bucket: " + S3Server.BUCKET,
                "access-key-id: " + S3Server.ACCESS_KEY_ID,
                "secret-access-key: " + S3Server.SECRET_ACCESS_KEY);
    }

    @Override
    public List<String> replica(Path database) {
        return List.of("type: s3", "path: " + path(database));
    }

    @Override
    public ReplicaClient client(Path database) {
        return client(path(database));
    }

    /** The replica at a path in the bucket. */
    public ReplicaClient client(String path) {
        return endpoints.replica(S3Settings.builder()
                .endpoint(endpoint.toString())
                .bucket(S3Server.BUCKET)
                .path(path)
                .credentials(new S3Credentials.Keys(
                        S3Server.ACCESS_KEY_ID, new Secret(S3Server.SECRET_ACCESS_KEY), Optional.empty()))
                .build());
    }

    private static String path(Path database) {
        return "fleet/" + database.getFileName();
    }

    @Override
    public void close() throws IOException {
        endpoints.close();
        S3Server ours = server;
        if (ours != null) {
            ours.close();
        }
    }
}
