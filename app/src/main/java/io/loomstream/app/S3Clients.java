package io.loomstream.app;

import io.loomstream.engine.concurrent.Gate;
import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.ReplicaTree;
import io.loomstream.engine.replica.RootStore;
import io.loomstream.engine.replica.s3.S3Endpoints;
import io.loomstream.engine.replica.s3.S3Owner;
import io.loomstream.engine.replica.s3.S3Settings;
import io.loomstream.engine.replica.s3.S3Timing;
import java.security.SecureRandom;
import java.util.Optional;

/** The one place where the program meets S3, loaded with the first S3 replica. */
final class S3Clients implements AutoCloseable {
    private final S3Endpoints endpoints;

    private S3Clients(S3Endpoints endpoints) {
        this.endpoints = endpoints;
    }

    /** Makes them; {@code permits} is how many requests the process may send at once. */
    static S3Clients open(int permits, Optional<String> instance) {
        String host = HostName.get();
        return new S3Clients(new S3Endpoints(
                new Gate("s3", permits),
                new S3Owner(instance.orElse(host), host, ProcessHandle.current().pid()),
                Time.system(),
                new SecureRandom(),
                S3Timing.DEFAULT));
    }

    S3Endpoints endpoints() {
        return endpoints;
    }

    ReplicaClient client(S3Settings settings) {
        return endpoints.replica(settings);
    }

    RootStore root(S3Settings settings) {
        return endpoints.root(settings);
    }

    ReplicaTree tree(S3Settings settings) {
        return endpoints.tree(settings);
    }

    @Override
    public void close() {
        endpoints.close();
    }
}
