package io.loomstream.engine.fleet;

import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.error.UnsupportedDatabaseException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteConfig.JournalMode;
import org.sqlite.SQLiteConfig.SynchronousMode;
import org.sqlite.jdbc4.JDBC4Connection;

/**
 * What is known about cold databases, kept over restarts in one SQLite file of the state directory: the digest that proves
 * each of them clean. It makes starts fast, and correctness never depends on it: a digest that does not match costs one look,
 * and a catalog that is lost, damaged, of another machine's boot or of another version counts as empty.
 *
 * <p>A digest is kept after the database was proven clean and is compared with the files as they are; it is never newer than
 * what it vouches for. After a machine stopped without a stop of ours, files may have lost what was not on the disk and kept
 * their times, so all digests are dropped then; so they are when databases are replicated to another place than before.
 *
 * <p>Not thread-safe: one thread writes it.
 */
final class Catalog implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Catalog.class);

    /** Kept in {@code PRAGMA user_version}. */
    private static final int VERSION = 1;

    private static final int PATHS_AT_ONCE = 1000;
    private static final String CLEAN = "clean";
    private static final String TARGET = "target";

    /** Primary result codes that say nothing about the file: PERM, BUSY, LOCKED, NOMEM, READONLY, FULL, CANTOPEN. */
    private static final Set<Integer> UNUSABLE_NOW = Set.of(3, 5, 6, 7, 8, 13, 14);

    private final Connection connection;
    private final boolean empty;

    private Catalog(Connection connection, boolean empty) {
        this.connection = connection;
        this.empty = empty;
    }

    /**
     * Opens or makes the catalog.
     *
     * @param bootId this start of the machine
     * @param target where the databases are replicated to: a digest proves nothing about another place
     * @throws TransientStorageException when the state directory cannot be used
     */
    static Catalog open(Path stateDirectory, String bootId, String target) {
        Path file = stateDirectory.resolve("catalog.db");
        try {
            Files.createDirectories(stateDirectory);
            try {
                return begin(connect(file), bootId, target);
            } catch (SQLException damaged) {
                if (UNUSABLE_NOW.contains(damaged.getErrorCode() & 0xFF)) {
                    throw damaged;
                }
                log.atWarn()
                        .addKeyValue("path", file)
                        .addKeyValue("error", damaged.getMessage())
                        .log("the catalog cannot be read and is begun anew; every database is looked at once");
                setAside(file);
                return begin(connect(file), bootId, target);
            }
        } catch (IOException | SQLException e) {
            throw new TransientStorageException("the catalog " + file + " cannot be used: " + e.getMessage(), e);
        }
    }

    private static Connection connect(Path file) throws SQLException {
        SQLiteConfig config = new SQLiteConfig();
        config.setJournalMode(JournalMode.WAL);
        config.setSynchronous(SynchronousMode.NORMAL);
        config.setBusyTimeout(0);
        config.setCacheSize(-512); // KiB
        Properties properties = config.toProperties();
        return new JDBC4Connection("jdbc:sqlite:" + file, file.toString(), properties);
    }

    private static void setAside(Path file) throws IOException {
        for (String suffix : new String[] {"", "-wal", "-shm"}) {
            Path part = file.resolveSibling(file.getFileName() + suffix);
            if (Files.exists(part)) {
                Files.move(
                        part,
                        file.resolveSibling(file.getFileName() + suffix + ".damaged"),
                        StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    private static Catalog begin(Connection connection, String bootId, String target) throws SQLException {
        boolean complete = false;
        try {
            boolean empty = prepare(connection, bootId, target);
            complete = true;
            return new Catalog(connection, empty);
        } finally {
            if (!complete) {
                connection.close();
            }
        }
    }

    /** Whether the catalog has nothing to say about earlier times. */
    private static boolean prepare(Connection connection, String bootId, String target) throws SQLException {
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            int version;
            try (ResultSet row = statement.executeQuery("PRAGMA user_version")) {
                version = row.next() ? row.getInt(1) : 0;
            }
            if (version > VERSION) {
                throw new UnsupportedDatabaseException("the catalog is of version " + version
                        + ", made by a later Loomstream; this one knows version " + VERSION
                        + ". Delete catalog.db in the state directory to go back");
            }
            statement.execute("CREATE TABLE IF NOT EXISTS state(key TEXT PRIMARY KEY, value TEXT NOT NULL)");
            statement.execute("CREATE TABLE IF NOT EXISTS databases("
                    + "path BLOB PRIMARY KEY, digest INTEGER NOT NULL) WITHOUT ROWID");
            Map<String, String> before = state(statement);
            boolean proven = CLEAN.equals(before.get("end")) || bootId.equals(before.get("boot"));
            if (!proven || !target.equals(before.getOrDefault(TARGET, ""))) {
                statement.executeUpdate("UPDATE databases SET digest = 0");
            }
            put(connection, "boot", bootId);
            put(connection, "end", "running");
            put(connection, TARGET, target);
            statement.execute("PRAGMA user_version = " + VERSION);
            connection.commit();
            try (ResultSet row = statement.executeQuery("SELECT NOT EXISTS (SELECT 1 FROM databases)")) {
                return row.next() && row.getBoolean(1);
            }
        }
    }

    private static Map<String, String> state(Statement statement) throws SQLException {
        Map<String, String> state = new HashMap<>();
        try (ResultSet rows = statement.executeQuery("SELECT key, value FROM state")) {
            while (rows.next()) {
                state.put(rows.getString(1), rows.getString(2));
            }
        }
        return state;
    }

    private static void put(Connection connection, String key, String value) throws SQLException {
        try (PreparedStatement put =
                connection.prepareStatement("INSERT OR REPLACE INTO state(key, value) VALUES (?, ?)")) {
            put.setString(1, key);
            put.setString(2, value);
            put.executeUpdate();
        }
    }

    /** Whether nothing was ever kept: this is a first start. */
    boolean empty() {
        return empty;
    }

    /** Everything that is kept, in memory for the time of a start: sixteen bytes a database. */
    KeptDigests load() {
        KeptDigests kept = new KeptDigests();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT path, digest FROM databases")) {
            while (rows.next()) {
                kept.put(rows.getBytes(1), rows.getLong(2));
            }
        } catch (SQLException e) {
            log.atWarn().addKeyValue("error", e.getMessage()).log("the catalog could not be read to its end");
        }
        return kept;
    }

    /** Keeps digests, all or none; a digest of {@link DatabaseStamp#UNPROVEN} forgets the path. */
    void keep(Iterable<Entry> entries) {
        try (PreparedStatement put =
                        connection.prepareStatement("INSERT OR REPLACE INTO databases(path, digest) VALUES (?, ?)");
                PreparedStatement forget = connection.prepareStatement("DELETE FROM databases WHERE path = ?")) {
            for (Entry entry : entries) {
                PreparedStatement statement = entry.digest() == DatabaseStamp.UNPROVEN ? forget : put;
                statement.setBytes(1, entry.path());
                if (entry.digest() != DatabaseStamp.UNPROVEN) {
                    statement.setLong(2, entry.digest());
                }
                statement.executeUpdate();
            }
            connection.commit();
        } catch (SQLException e) {
            rollback(e);
            throw new TransientStorageException("the catalog could not be written: " + e.getMessage(), e);
        }
    }

    /**
     * Forgets databases that went while no server ran: nobody else tells of them.
     *
     * @return how many
     */
    int forgetAllBut(Predicate<byte[]> known) {
        int forgotten = 0;
        byte[] after = {};
        while (true) {
            List<byte[]> paths = pathsAfter(after);
            if (paths.isEmpty()) {
                return forgotten;
            }
            after = paths.getLast();
            List<Entry> gone = paths.stream()
                    .filter(path -> !known.test(path))
                    .map(path -> new Entry(path, DatabaseStamp.UNPROVEN))
                    .toList();
            keep(gone);
            forgotten += gone.size();
        }
    }

    /** The next paths in their order; few at a time, since a fleet may be large. */
    private List<byte[]> pathsAfter(byte[] after) {
        List<byte[]> paths = new ArrayList<>();
        try (PreparedStatement select = connection.prepareStatement(
                "SELECT path FROM databases WHERE path > ? ORDER BY path LIMIT " + PATHS_AT_ONCE)) {
            select.setBytes(1, after);
            try (ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    paths.add(rows.getBytes(1));
                }
            }
            return paths;
        } catch (SQLException e) {
            throw new TransientStorageException("the catalog could not be read: " + e.getMessage(), e);
        }
    }

    private void rollback(SQLException cause) {
        try {
            connection.rollback();
        } catch (SQLException e) {
            cause.addSuppressed(e);
        }
    }

    /** What is kept for one path. */
    static final class Entry {
        private final byte[] path;
        private final long digest;

        Entry(byte[] path, long digest) {
            this.path = path;
            this.digest = digest;
        }

        byte[] path() {
            return path;
        }

        long digest() {
            return digest;
        }
    }

    /** Notes that everything was stopped in order: digests outlive a restart of the machine. */
    void endInOrder() {
        try {
            put(connection, "end", CLEAN);
            connection.commit();
            connection.setAutoCommit(true);
            try (Statement statement = connection.createStatement()) {
                statement.execute("PRAGMA wal_checkpoint(TRUNCATE)"); // and syncs
            }
        } catch (SQLException e) {
            log.atWarn().addKeyValue("error", e.getMessage()).log("the catalog could not be closed in order");
        }
    }

    @Override
    public void close() {
        try {
            connection.close();
        } catch (SQLException e) {
            log.atWarn().addKeyValue("error", e.getMessage()).log("the catalog could not be closed");
        }
    }
}
