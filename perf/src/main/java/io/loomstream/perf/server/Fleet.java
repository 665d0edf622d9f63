package io.loomstream.perf.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Databases in one directory, their replicas in another, and the configuration that names both. */
public record Fleet(Path directory, List<Path> databases) {
    public Fleet {
        databases = List.copyOf(databases);
    }

    /** Names for some databases; nothing is made yet. */
    public static Fleet of(Path directory, int count) {
        List<Path> databases = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            databases.add(directory.resolve("data").resolve("tenant-%02d.db".formatted(i)));
        }
        return new Fleet(directory, databases);
    }

    /** The store in {@code replica}, beside the databases. */
    public DirectoryStore replicas() {
        return new DirectoryStore(directory.resolve("replica"));
    }

    /** The directory of a database's replica in {@link #replicas()}. */
    public Path replica(Path database) {
        return replicas().directory(database);
    }

    /** Writes a configuration with replicas in {@link #replicas()}. */
    public Path writeConfig(List<String> perDatabase, List<String> perReplica) throws IOException {
        return writeConfig(replicas(), perDatabase, perReplica);
    }

    /**
     * Writes a configuration.
     *
     * @param store where the replicas are
     * @param perDatabase further keys of each database, one a line, not indented; may be empty
     * @param perReplica further keys of each replica
     */
    public Path writeConfig(ReplicaStore store, List<String> perDatabase, List<String> perReplica) throws IOException {
        StringBuilder yaml = new StringBuilder();
        store.top().forEach(line -> yaml.append(line).append('\n'));
        yaml.append("dbs:\n");
        for (Path database : databases) {
            yaml.append("  - path: ").append(database).append('\n');
            perDatabase.forEach(line -> yaml.append("    ").append(line).append('\n'));
            yaml.append("    replica:\n");
            store.replica(database)
                    .forEach(line -> yaml.append("      ").append(line).append('\n'));
            perReplica.forEach(line -> yaml.append("      ").append(line).append('\n'));
        }
        Path config = directory.resolve("loomstream.yml");
        Files.createDirectories(directory);
        Files.writeString(config, yaml.toString());
        return config;
    }
}
