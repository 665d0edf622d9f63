package io.loomstream.app;

import io.loomstream.engine.concurrent.Gate;
import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.s3.S3Endpoints;
import io.loomstream.engine.replica.s3.S3Owner;
import io.loomstream.engine.replica.s3.S3Settings;
import io.loomstream.engine.replica.s3.S3Timing;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.security.SecureRandom;

/** The one place where the program meets S3, loaded with the first S3 replica. */
final class S3Clients implements AutoCloseable {
    /** Requests of the whole process at once. */
    private static final int PERMITS = 200;

    private final S3Endpoints endpoints;

    private S3Clients(S3Endpoints endpoints) {
        this.endpoints = endpoints;
    }

    static S3Clients open() {
        String host = host();
        return new S3Clients(new S3Endpoints(
                new Gate("s3", PERMITS),
                new S3Owner(host, host, ProcessHandle.current().pid()),
                Time.system(),
                new SecureRandom(),
                S3Timing.DEFAULT));
    }

    /** Names the writer in errors of another one; nothing depends on it. */
    private static String host() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "unknown";
        }
    }

    ReplicaClient client(S3Settings settings) {
        return endpoints.replica(settings);
    }

    @Override
    public void close() {
        endpoints.close();
    }
}
