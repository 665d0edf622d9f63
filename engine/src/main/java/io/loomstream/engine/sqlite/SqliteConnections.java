package io.loomstream.engine.sqlite;

import io.loomstream.engine.concurrent.Gate;
import io.loomstream.engine.error.TransientStorageException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.HexFormat;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicInteger;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteOpenMode;
import org.sqlite.core.DB;
import org.sqlite.jdbc4.JDBC4Connection;

/**
 * Opens JDBC connections. SQLite's own busy timeout is 0 on all of them: a native call never sleeps while it pins a
 * carrier thread, retries are the caller's. Each native call holds a permit of the native gate.
 *
 * <p>Thread-safe; the connections are not.
 */
public final class SqliteConnections {
    /** Older ones can lose frames when a checkpointer and a writer of other processes meet (the WAL-reset bug). */
    private static final int OLDEST_LIBRARY = 3_051_003;

    private final Gate nativeCalls;
    private final AtomicInteger open = new AtomicInteger();

    public SqliteConnections(Gate nativeCalls) {
        this.nativeCalls = nativeCalls;
    }

    /** Who may do what through a connection. */
    public enum Access {
        READ_ONLY,
        READ_WRITE
    }

    /**
     * Opens an existing database; never creates one.
     *
     * @throws SqliteException with SQLite's result code
     */
    SqliteConnection open(Path database, Access access) throws SqliteException, InterruptedException {
        SQLiteConfig config = new SQLiteConfig();
        config.setBusyTimeout(0);
        config.setReadOnly(access == Access.READ_ONLY);
        config.resetOpenMode(SQLiteOpenMode.CREATE);
        Properties properties = config.toProperties();
        String uri = uri(database);
        Gate.Permit permit = nativeCalls.acquire();
        try {
            return new SqliteConnection(new JDBC4Connection("jdbc:sqlite:" + uri, uri, properties), nativeCalls, open);
        } catch (SQLException e) {
            throw SqliteException.of("open " + database, e);
        } finally {
            permit.close();
        }
    }

    /** How many connections are open now. */
    public int openNow() {
        return open.get();
    }

    /** Calls into SQLite take one of its permits. */
    public Gate nativeCalls() {
        return nativeCalls;
    }

    /**
     * Refuses to run on an SQLite library with the WAL-reset bug.
     *
     * @throws TransientStorageException never; an unsuitable library is an {@link IllegalStateException}
     */
    public static void checkLibrary(String version) {
        String[] parts = version.split("\\.", -1);
        int number = 0;
        for (int i = 0; i < 3; i++) {
            number = number * 1000 + (i < parts.length ? Integer.parseInt(parts[i]) : 0);
        }
        if (number < OLDEST_LIBRARY) {
            throw new IllegalStateException(
                    "SQLite " + version + " has the WAL-reset bug; Loomstream needs 3.51.3 or later");
        }
    }

    /** The version of the SQLite library that sqlite-jdbc carries. */
    public static String libraryVersion() throws SQLException {
        try (JDBC4Connection memory = new JDBC4Connection("jdbc:sqlite::memory:", ":memory:", new Properties())) {
            DB database = memory.getDatabase();
            return database.libversion();
        }
    }

    /**
     * A file: URI in which every byte that means something to a URI, to SQLite or to the driver is escaped: a path such as
     * {@code a?journal_mode=delete.db} must open that file and nothing else.
     */
    static String uri(Path database) {
        byte[] name = database.toAbsolutePath().toString().getBytes(StandardCharsets.UTF_8);
        StringBuilder uri = new StringBuilder("file:");
        HexFormat hex = HexFormat.of().withUpperCase();
        for (byte b : name) {
            boolean plain = (b >= 'a' && b <= 'z')
                    || (b >= 'A' && b <= 'Z')
                    || (b >= '0' && b <= '9')
                    || b == '/'
                    || b == '.'
                    || b == '_'
                    || b == '-';
            if (plain) {
                uri.append((char) b);
            } else {
                uri.append('%').append(hex.toHexDigits(b));
            }
        }
        return uri.toString();
    }
}
