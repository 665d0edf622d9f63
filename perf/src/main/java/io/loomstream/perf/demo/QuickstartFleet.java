package io.loomstream.perf.demo;

import io.loomstream.perf.server.ServerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.sqlite.SQLiteConfig;

/** The databases of {@code config-examples/quickstart.yml} with a gentle writer, until it is killed. */
public final class QuickstartFleet {
    private static final int DATABASES = 5;

    private QuickstartFleet() {}

    public static void main(String[] args) throws IOException, SQLException, InterruptedException {
        Path directory = ServerProcess.checkout().resolve("run-data");
        Files.createDirectories(directory);
        Random random = new Random();
        while (true) {
            int tenant = 1 + random.nextInt(DATABASES);
            write(directory.resolve("tenant-" + tenant + ".db"));
            TimeUnit.MILLISECONDS.sleep(200 + random.nextInt(800));
        }
    }

    private static void write(Path database) throws SQLException {
        SQLiteConfig config = new SQLiteConfig();
        config.setBusyTimeout(5000);
        config.setJournalMode(SQLiteConfig.JournalMode.WAL);
        try (Connection connection = config.createConnection("jdbc:sqlite:" + database);
                Statement statement = connection.createStatement()) {
            statement.execute("create table if not exists visit (id integer primary key, at text, note blob)");
            statement.execute("insert into visit (at, note) values (datetime('now'), randomblob(200))");
        }
    }
}
