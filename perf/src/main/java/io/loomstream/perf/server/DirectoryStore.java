package io.loomstream.perf.server;

import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileReplicaClient;
import io.loomstream.engine.replica.ReplicaClient;
import java.nio.file.Path;
import java.util.List;

/** A directory, with one below it for each database. */
public record DirectoryStore(Path directory) implements ReplicaStore {
    @Override
    public String describe() {
        return "the directory " + directory;
    }

    /** The directory of one database's replica. */
    public Path directory(Path database) {
        return directory.resolve(database.getFileName().toString());
    }

    @Override
    public List<String> top() {
        return List.of();
    }

    @Override
    public List<String> replica(Path database) {
        return List.of("type: file", "path: " + directory(database));
    }

    @Override
    public ReplicaClient client(Path database) {
        return new FileReplicaClient(directory(database), FileAccess.PRIVATE);
    }

    @Override
    public void close() {}
}
