package io.loomstream.engine.sqlite;

import io.loomstream.engine.concurrent.Gate;
import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.error.TransientStorageException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Properties;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteOpenMode;
import org.sqlite.core.DB;
import org.sqlite.jdbc4.JDBC4Connection;

/**
 * The JDBC connections to replicated databases: opens them, bounds and counts them, and keeps those for a while that are
 * likely to be used again. They hold descriptors and POSIX locks of their database, so {@link DatabaseFiles} alone opens and
 * closes them. SQLite's own busy timeout is 0 on all of them: a native call never sleeps while it pins a
 * carrier thread, retries are the caller's. Each native call holds a permit of the native gate.
 *
 * <p>Thread-safe; the connections are not.
 */
public final class SqliteConnections {
    /** Older ones can lose frames when a checkpointer and a writer of other processes meet (the WAL-reset bug). */
    private static final int OLDEST_LIBRARY = 3_051_003;

    /** How long to wait for others to close theirs: most are open for milliseconds. */
    private static final long PATIENCE_MILLIS = 1000;

    private final Gate nativeCalls;
    private final Time time;
    private final ConnectionLimits limits;
    private final Semaphore room;
    private final IdleConnections idle;
    private final LongAdder opened = new LongAdder();
    private final LongAdder reused = new LongAdder();
    private final LongAdder reaped = new LongAdder();

    public SqliteConnections(Gate nativeCalls, Time time, ConnectionLimits limits) {
        this.nativeCalls = nativeCalls;
        this.time = time;
        this.limits = limits;
        this.room = new Semaphore(limits.connectionsMax(), true);
        this.idle = new IdleConnections(time, limits.idleTimeout());
    }

    /** Keeps no connection after its use. */
    public SqliteConnections(Gate nativeCalls) {
        this(nativeCalls, Time.system(), ConnectionLimits.keepingNone());
    }

    /** Who may do what through a connection. */
    public enum Access {
        READ_ONLY,
        READ_WRITE
    }

    /**
     * Opens an existing database; never creates one. {@link #closed} must follow once it is closed.
     *
     * @throws SqliteException with SQLite's result code; BUSY also when there are too many connections
     */
    SqliteConnection open(Path database, Access access) throws SqliteException, InterruptedException {
        makeRoom(database);
        SqliteConnection connection = null;
        try {
            connection = openFile(database, access);
            opened.increment();
            return connection;
        } finally {
            if (connection == null) {
                room.release();
            }
        }
    }

    /** Those that are idle give way. */
    private void makeRoom(Path database) throws SqliteException, InterruptedException {
        while (!room.tryAcquire()) {
            if (!idle.closeOldest()) {
                if (room.tryAcquire(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)) {
                    return;
                }
                throw SqliteException.noneLeft(database, limits.connectionsMax());
            }
        }
    }

    /** One that was opened is closed. */
    void closed() {
        room.release();
    }

    /** Whether a connection is worth keeping whose database needed one before, so long ago. */
    boolean worthKeeping(long nanosBetweenUses) {
        return nanosBetweenUses < limits.idleTimeout().toNanos();
    }

    long nanoTime() {
        return time.nanoTime();
    }

    IdleConnections.Idle keep(DatabaseFiles owner, SqliteConnection connection) {
        return idle.add(owner, connection);
    }

    /** An idle one is used again, or closed by its owner. */
    void idleNoMore(IdleConnections.Idle which) {
        idle.remove(which);
    }

    void usedAgain() {
        reused.increment();
    }

    /** Closes connections that are idle for longer than the timeout. */
    public void reap() {
        reaped.add(idle.closeExpired());
    }

    /** How long nothing will be to reap. */
    Duration untilNextReap() {
        return idle.untilNext();
    }

    /** Connections opened until now. */
    public long opened() {
        return opened.sum();
    }

    /** Uses that found an idle connection. */
    public long reused() {
        return reused.sum();
    }

    /** Connections closed because nobody used them for the idle timeout. */
    public long reaped() {
        return reaped.sum();
    }

    /** Connections open now, idle ones included. */
    public int openNow() {
        return limits.connectionsMax() - room.availablePermits();
    }

    /** Calls into SQLite take one of its permits. */
    public Gate nativeCalls() {
        return nativeCalls;
    }

    /** Connections idle now. */
    public int idleNow() {
        return idle.size();
    }

    private SqliteConnection openFile(Path database, Access access) throws SqliteException, InterruptedException {
        SQLiteConfig config = new SQLiteConfig();
        config.setBusyTimeout(0);
        config.setReadOnly(access == Access.READ_ONLY);
        config.resetOpenMode(SQLiteOpenMode.CREATE);
        Properties properties = config.toProperties();
        String uri = uri(database);
        Gate.Permit permit = nativeCalls.acquire();
        try {
            return new SqliteConnection(new JDBC4Connection("jdbc:sqlite:" + uri, uri, properties), nativeCalls);
        } catch (SQLException e) {
            throw SqliteException.of("open " + database, e);
        } finally {
            permit.close();
        }
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
