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

/** A bucket of a real S3 server, S3Proxy, in this process on a free port of this machine. */
public final class S3Store implements ReplicaStore {
    private final S3Server server;
    private final S3Endpoints endpoints;
    private final URI endpoint;

    private S3Store(S3Server server, URI endpoint) {
        this.server = server;
        this.endpoint = endpoint;
        this.endpoints = new S3Endpoints(
                new Gate("s3", 20),
                new S3Owner("observer", "localhost", ProcessHandle.current().pid()),
                Time.system(),
                new SecureRandom(),
                S3Timing.DEFAULT);
    }

    /** Starts a server that keeps its objects in a directory. */
    public static S3Store start(Path objects) throws Exception {
        Files.createDirectories(objects);
        S3Server server = S3Server.in(objects);
        return new S3Store(server, server.endpoint());
    }

    /**
     * The same bucket reached by another way: what configurations of the result name. Clients of {@link #client} still go
     * the direct way. Closing it is left to this one.
     */
    public S3Store by(URI detour) {
        return new S3Store(server, detour);
    }

    /** Where it listens. */
    public int port() {
        return server.port();
    }

    @Override
    public String describe() {
        return "S3Proxy at " + server.endpoint() + ", bucket " + S3Server.BUCKET;
    }

    @Override
    public List<String> top() {
        return List.of(
                "endpoint: " + endpoint,
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
        return client(database, server.endpoint());
    }

    /** As {@link #client(Path)}, by the way that configurations name. */
    public ReplicaClient detour(Path database) {
        return client(database, endpoint);
    }

    private ReplicaClient client(Path database, URI by) {
        return endpoints.replica(S3Settings.builder()
                .endpoint(by.toString())
                .bucket(S3Server.BUCKET)
                .path(path(database))
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
        server.close();
    }
}
