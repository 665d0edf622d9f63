package io.loomstream.app;

import io.loomstream.app.config.MultiDbConfig;
import io.loomstream.app.config.ReplicaConfig;
import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileReplicaClient;
import io.loomstream.engine.replica.FileReplicaTree;
import io.loomstream.engine.replica.FileRootStore;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.ReplicaTree;
import io.loomstream.engine.replica.RootStore;
import io.loomstream.engine.replica.s3.S3Endpoints;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The clients of all replicas of this process. Nothing of S3 is loaded before the first S3 replica: its classes would cost a
 * quarter of a second at every start. Thread-safe; close after the last use of the clients.
 */
final class ReplicaClients implements AutoCloseable {
    private final ReentrantLock lock = new ReentrantLock();
    // All guarded by lock.
    private @Nullable S3Clients s3;
    private int permits = MultiDbConfig.Permits.DEFAULT.s3();
    private Optional<String> instance = Optional.empty();

    /** What {@code multi-db} says about the process's S3; before the first client. */
    void configure(MultiDbConfig multiDb) {
        lock.lock();
        try {
            permits = multiDb.permits().s3();
            instance = multiDb.instance();
        } finally {
            lock.unlock();
        }
    }

    /** A client; sends nothing yet. */
    ReplicaClient client(ReplicaConfig replica, FileAccess access) {
        return switch (replica) {
            case ReplicaConfig.Directory(var directory) -> new FileReplicaClient(directory, access);
            case ReplicaConfig.S3(var settings) -> s3().client(settings);
        };
    }

    /** The server's own files below a place; sends nothing yet. */
    RootStore root(ReplicaConfig place) {
        return switch (place) {
            case ReplicaConfig.Directory(var directory) -> new FileRootStore(directory);
            case ReplicaConfig.S3(var settings) -> s3().root(settings);
        };
    }

    /** All replicas below a place; sends nothing yet. */
    ReplicaTree tree(ReplicaConfig place) {
        return switch (place) {
            case ReplicaConfig.Directory(var directory) -> new FileReplicaTree(directory);
            case ReplicaConfig.S3(var settings) -> s3().tree(settings);
        };
    }

    /** The S3 side; empty before the first S3 replica. */
    Optional<S3Endpoints> endpoints() {
        lock.lock();
        try {
            return Optional.ofNullable(s3).map(S3Clients::endpoints);
        } finally {
            lock.unlock();
        }
    }

    private S3Clients s3() {
        lock.lock();
        try {
            S3Clients clients = s3;
            if (clients == null) {
                clients = S3Clients.open(permits, instance);
                s3 = clients;
            }
            return clients;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            if (s3 != null) {
                s3.close();
            }
        } finally {
            lock.unlock();
        }
    }
}
