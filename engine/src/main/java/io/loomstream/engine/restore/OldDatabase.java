package io.loomstream.engine.restore;

import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.error.TransientStorageException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/**
 * The database that is about to be replaced. Its WAL or rollback journal belongs to it, and two names cannot be changed
 * in one step; so SQLite is asked to fold them into the main file first. From then on that file alone is the whole old
 * database, and one rename replaces it.
 */
final class OldDatabase {
    private OldDatabase() {}

    /**
     * Folds WAL and journal into the main file and removes them.
     *
     * @return whether that was possible; false when the file is not a database that SQLite can read
     * @throws ConflictException when another connection uses it
     */
    static boolean settle(Path database) {
        SQLiteConfig config = new SQLiteConfig();
        config.setBusyTimeout(0);
        // Set before the first access, so that a WAL database that anybody else has open, even idle, answers "busy".
        config.setLockingMode(SQLiteConfig.LockingMode.EXCLUSIVE);
        String url = "jdbc:sqlite:" + database.toAbsolutePath().toUri() + "?mode=rw";
        try (Connection connection = config.createConnection(url);
                Statement statement = connection.createStatement()) {
            statement.execute("BEGIN EXCLUSIVE");
            statement.execute("SELECT count(*) FROM sqlite_schema");
            statement.execute("COMMIT");
            statement.execute("PRAGMA wal_checkpoint(TRUNCATE)");
            return true;
        } catch (SQLException e) {
            return judge(database, e);
        }
    }

    private static boolean judge(Path database, SQLException failure) {
        SQLiteErrorCode code =
                failure instanceof SQLiteException sqlite ? sqlite.getResultCode() : SQLiteErrorCode.UNKNOWN_ERROR;
        // Extended codes carry the primary one in their low byte.
        int primary = code.code & 0xff;
        if (primary == SQLiteErrorCode.SQLITE_NOTADB.code || primary == SQLiteErrorCode.SQLITE_CORRUPT.code) {
            return false;
        }
        if (primary == SQLiteErrorCode.SQLITE_BUSY.code || primary == SQLiteErrorCode.SQLITE_LOCKED.code) {
            throw new ConflictException(database + " is in use: stop what has it open, then restore again", failure);
        }
        throw new TransientStorageException(
                "cannot bring " + database + " to rest before replacing it: " + failure.getMessage(), failure);
    }
}
