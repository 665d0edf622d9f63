package io.loomstream.app;

import io.loomstream.app.config.ReplicaConfig;
import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileReplicaClient;
import io.loomstream.engine.replica.ReplicaClient;
import org.jspecify.annotations.Nullable;

/**
 * The clients of all replicas of this process. Nothing of S3 is loaded before the first S3 replica: its classes would cost a
 * quarter of a second at every start. One thread makes clients; close after their last use.
 */
final class ReplicaClients implements AutoCloseable {
    private @Nullable S3Clients s3;

    /** A client; sends nothing yet. */
    ReplicaClient client(ReplicaConfig replica, FileAccess access) {
        return switch (replica) {
            case ReplicaConfig.Directory(var directory) -> new FileReplicaClient(directory, access);
            case ReplicaConfig.S3(var settings) -> s3().client(settings);
        };
    }

    private S3Clients s3() {
        S3Clients clients = s3;
        if (clients == null) {
            clients = S3Clients.open();
            s3 = clients;
        }
        return clients;
    }

    @Override
    public void close() {
        if (s3 != null) {
            s3.close();
        }
    }
}
