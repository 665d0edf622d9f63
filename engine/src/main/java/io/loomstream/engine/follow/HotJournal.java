package io.loomstream.engine.follow;

import io.loomstream.engine.error.TransientStorageException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.sqlite.SQLiteConfig;

/** Lets SQLite undo what a writer that died left half done, as any reader of the database would. */
final class HotJournal {
    private HotJournal() {}

    /**
     * Opens the database and reads; no descriptor of it may be open in this process.
     *
     * @throws TransientStorageException when it is locked, or the journal cannot be played back
     */
    static void rollBack(Path database) {
        SQLiteConfig config = new SQLiteConfig();
        config.setBusyTimeout(0);
        String url = "jdbc:sqlite:" + database.toAbsolutePath().toUri() + "?mode=rw";
        try (Connection connection = config.createConnection(url);
                Statement statement = connection.createStatement()) {
            statement.execute("SELECT count(*) FROM sqlite_schema");
        } catch (SQLException e) {
            throw new TransientStorageException(
                    "cannot undo the step that was cut short in " + database + ": " + e.getMessage(), e);
        }
    }
}
