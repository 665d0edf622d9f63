package io.loomstream.engine.restore;

import io.loomstream.engine.error.CorruptDataException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** What SQLite itself is asked about a restored file before it gets its name. */
public enum IntegrityCheck {
    NONE,
    /** {@code PRAGMA quick_check}: the structure of every page, not the indexes' content. */
    QUICK,
    /** {@code PRAGMA integrity_check}. */
    FULL;

    private static final int PROBLEMS_SHOWN = 5;

    /**
     * Checks a database that nobody else uses; leaves no file beside it.
     *
     * @throws CorruptDataException unless the only answer is {@code ok}
     */
    void run(Path database) {
        String pragma = switch (this) {
            case NONE -> "";
            case QUICK -> "PRAGMA quick_check(" + PROBLEMS_SHOWN + ")";
            case FULL -> "PRAGMA integrity_check(" + PROBLEMS_SHOWN + ")";
        };
        if (pragma.isEmpty()) {
            return;
        }
        List<String> answers = new ArrayList<>();
        // Immutable: no lock, and no -wal or -shm is made although the file is in WAL mode.
        String url = "jdbc:sqlite:" + database.toAbsolutePath().toUri() + "?immutable=1&mode=ro";
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(pragma)) {
            while (rows.next()) {
                answers.add(rows.getString(1));
            }
        } catch (SQLException e) {
            throw new CorruptDataException(database.toString(), 0, "SQLite cannot check it: " + e.getMessage(), e);
        }
        if (!answers.equals(List.of("ok"))) {
            throw new CorruptDataException(
                    database.toString(), 0, "SQLite's check found: " + String.join("; ", answers));
        }
    }
}
