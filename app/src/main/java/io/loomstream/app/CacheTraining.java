package io.loomstream.app;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;

/**
 * The work that {@code make package} records into the JVM's class cache: each command once on a small database, in one
 * process, because a cache comes from one run. Takes an empty directory; exits with 1 when a command failed, since the
 * cache would then lack its classes.
 */
final class CacheTraining {
    private CacheTraining() {}

    public static void main(String[] args) throws IOException, SQLException {
        Path directory = Path.of(args[0]).toAbsolutePath();
        Path database = directory.resolve("app.db");
        Path config = directory.resolve("loomstream.yml");
        Path replica = directory.resolve("replica");
        fill(database);
        Files.writeString(config, """
                logging:
                  level: info
                dbs:
                  - path: %s
                    replica:
                      type: file
                      path: %s
                """.formatted(database, replica));

        var commands = List.of(
                List.of("version"),
                List.of("databases", "-config", config.toString()),
                List.of("replicate", "-config", config.toString(), "-once"),
                List.of("ltx", "-config", config.toString(), database.toString()),
                List.of(
                        "restore",
                        "-o",
                        directory.resolve("copy.db").toString(),
                        replica.toUri().toString()),
                List.of(
                        "restore",
                        "-config",
                        config.toString(),
                        "-o",
                        directory.resolve("copy2.db").toString(),
                        database.toString()));
        boolean complete = true;
        var nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
        for (List<String> command : commands) {
            int status = Main.run(command.toArray(String[]::new), nowhere, System.err);
            if (status != 0) {
                complete = false;
                System.err.printf("training: \"%s\" ended with %d%n", String.join(" ", command), status);
            }
        }
        System.exit(complete ? 0 : 1);
    }

    private static void fill(Path database) throws SQLException {
        try (var connection = DriverManager.getConnection("jdbc:sqlite:" + database);
                var statement = connection.createStatement()) {
            statement.execute("PRAGMA journal_mode = WAL");
            statement.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)");
            statement.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)"
                    + " INSERT INTO t SELECT i, randomblob(400) FROM n");
        }
    }
}
