package io.loomstream.engine.sqlite;

import io.loomstream.engine.concurrent.Gate;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** One connection running one of our few fixed statements at a time. Not thread-safe. */
final class SqliteConnection {
    private final Connection connection;
    private final Gate nativeCalls;

    SqliteConnection(Connection connection, Gate nativeCalls) {
        this.connection = connection;
        this.nativeCalls = nativeCalls;
    }

    /** What a checkpoint reports: {@code PRAGMA wal_checkpoint}'s row. */
    record CheckpointResult(boolean busy, int logFrames, int checkpointedFrames) {}

    void execute(String statement) throws SqliteException, InterruptedException {
        Gate.Permit permit = nativeCalls.acquire();
        try (Statement s = connection.createStatement()) {
            s.execute(statement);
        } catch (SQLException e) {
            throw SqliteException.of(statement, e);
        } finally {
            permit.close();
        }
    }

    String queryText(String statement) throws SqliteException, InterruptedException {
        Gate.Permit permit = nativeCalls.acquire();
        try (Statement s = connection.createStatement();
                ResultSet row = s.executeQuery(statement)) {
            String text = row.next() ? row.getString(1) : null;
            return text == null ? "" : text;
        } catch (SQLException e) {
            throw SqliteException.of(statement, e);
        } finally {
            permit.close();
        }
    }

    /** Writes committed frames into the database file as far as no reader needs the old pages. Never waits. */
    CheckpointResult checkpointPassive() throws SqliteException, InterruptedException {
        Gate.Permit permit = nativeCalls.acquire();
        try (Statement s = connection.createStatement();
                ResultSet row = s.executeQuery("PRAGMA wal_checkpoint(PASSIVE)")) {
            row.next();
            return new CheckpointResult(row.getInt(1) != 0, row.getInt(2), row.getInt(3));
        } catch (SQLException e) {
            throw SqliteException.of("PRAGMA wal_checkpoint(PASSIVE)", e);
        } finally {
            permit.close();
        }
    }

    /** Starts a read transaction: from here on this connection holds a read lock. */
    void beginRead() throws SqliteException, InterruptedException {
        execute("BEGIN");
        queryText("PRAGMA schema_version");
    }

    /** Closes; never throws, since there is nothing a caller could do. Must also work in an interrupted thread. */
    void close() {
        try {
            connection.close();
        } catch (SQLException e) {
            throw new IllegalStateException("SQLite could not close a connection", e);
        }
    }
}
