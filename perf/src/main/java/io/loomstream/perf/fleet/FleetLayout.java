package io.loomstream.perf.fleet;

import io.loomstream.perf.server.Directories;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * A fleet on disk, in the product's own layout: {@code <project>/databases/<database>/branches/<branch>/tenants/<tenant>.db},
 * a hundred tenants a directory and ten databases a project.
 */
record FleetLayout(Path directory, int databases) {
    private static final int TENANTS_PER_DIRECTORY = 100;
    private static final int DATABASES_PER_PROJECT = 10;
    /** Long ago, so that a first start does not take all of them for recently written. */
    private static final Duration AGE = Duration.ofDays(2);

    Path data() {
        return directory.resolve("data");
    }

    Path replicas() {
        return directory.resolve("replica");
    }

    private static String project(int index) {
        return "p%04d".formatted(index / (TENANTS_PER_DIRECTORY * DATABASES_PER_PROJECT));
    }

    private static String database(int index) {
        return "d%d".formatted(index / TENANTS_PER_DIRECTORY % DATABASES_PER_PROJECT);
    }

    /** The pattern that finds all of them. */
    String pattern() {
        return data() + "/*/databases/*/branches/*/tenants/*.db";
    }

    /** The database of a number from 0. */
    Path path(int index) {
        return data().resolve(project(index))
                .resolve("databases")
                .resolve(database(index))
                .resolve("branches")
                .resolve("main")
                .resolve("tenants")
                .resolve("t%07d.db".formatted(index));
    }

    /** Its path below the root of all replicas, by the template {@code {{project}}/{{database}}/{{branch}}/{{tenant}}}. */
    String replicaPath(int index) {
        return project(index) + "/" + database(index) + "/main/t%07d".formatted(index);
    }

    /** Makes all databases: copies of one that has a table and a row. */
    void make() throws IOException, SQLException {
        Directories.clear(directory);
        Files.createDirectories(directory);
        Path template = directory.resolve("template.db");
        try (Connection made = DriverManager.getConnection("jdbc:sqlite:" + template);
                Statement statement = made.createStatement()) {
            statement.execute("pragma journal_mode=wal");
            statement.executeUpdate(FleetWriter.SCHEMA);
        }
        byte[] bytes = Files.readAllBytes(template);
        Files.delete(template);
        FileTime written = FileTime.from(Instant.now().minus(AGE));
        for (int i = 0; i < databases; i++) {
            Path path = path(i);
            if (i % TENANTS_PER_DIRECTORY == 0) {
                Files.createDirectories(path.getParent());
            }
            Files.write(path, bytes);
            Files.setLastModifiedTime(path, written);
        }
    }

    /** Writes the configuration of a server; {@code replica} are the keys of the replica template, one a line. */
    Path writeConfig(List<String> replica, int hotMax) throws IOException {
        StringBuilder yaml = new StringBuilder();
        yaml.append("multi-db:\n  enabled: true\n  patterns: [\"")
                .append(pattern())
                .append("\"]\n");
        yaml.append("  max-hot-databases: ").append(hotMax).append('\n');
        yaml.append("  replica-template:\n");
        replica.forEach(line -> yaml.append("    ").append(line).append('\n'));
        yaml.append("state-dir: ").append(directory.resolve("state")).append('\n');
        yaml.append("instance: bench\n");
        Path config = directory.resolve("loomstream.yml");
        Files.writeString(config, yaml.toString());
        return config;
    }
}
