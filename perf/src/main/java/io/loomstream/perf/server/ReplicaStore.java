package io.loomstream.perf.server;

import io.loomstream.engine.replica.ReplicaClient;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Where a fleet is replicated to. */
public interface ReplicaStore extends AutoCloseable {
    /** For people: what it is and where. */
    String describe();

    /** Keys at the top of the configuration, one a line. */
    List<String> top();

    /** Keys of one database's replica, one a line, not indented. */
    List<String> replica(Path database);

    /** What the server wrote for a database. */
    ReplicaClient client(Path database);

    @Override
    void close() throws IOException;
}
