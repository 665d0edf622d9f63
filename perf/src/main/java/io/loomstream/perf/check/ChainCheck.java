package io.loomstream.perf.check;

import io.loomstream.perf.server.Directories;
import io.loomstream.perf.writer.History;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Checks a restored database from the inside: SQLite's own integrity check, and the writers' history. */
public final class ChainCheck {
    private ChainCheck() {}

    /**
     * What a sound database holds.
     *
     * @param transactions committed transactions
     * @param rows rows ever written
     */
    public record Result(long transactions, long rows) {}

    /** Something is wrong with the database. */
    public static final class BrokenException extends Exception {
        private static final long serialVersionUID = 1L;

        BrokenException(String message) {
            super(message);
        }
    }

    /** Checks a file that nobody writes to; nothing is written beside it. */
    public static Result check(Path database) throws BrokenException {
        String url = "jdbc:sqlite:" + database.toUri() + "?immutable=1&mode=ro";
        try (Connection connection = DriverManager.getConnection(url)) {
            integrity(connection, database);
            Result result = chain(connection, database);
            bodies(connection, database);
            return result;
        } catch (SQLException e) {
            throw new BrokenException(database + ": SQLite cannot read it: " + e.getMessage());
        }
    }

    /**
     * How many transactions of a database are missing at the end of an earlier state of it.
     *
     * @param source with a WAL or a journal beside it, maybe; nobody writes to it
     * @param earlier a file that {@link #check} found sound
     * @throws BrokenException when it is no earlier state of that database
     */
    public static long missing(Path source, Path earlier) throws IOException, SQLException, BrokenException {
        Path directory = Files.createTempDirectory("compare");
        try {
            Path copy = directory.resolve("copy.db");
            PageCompare.copyDatabase(source, copy);
            Result all = check(copy);
            Result some = check(earlier);
            if (some.rows() > all.rows() || !Arrays.equals(hash(copy, some.rows()), hash(earlier, some.rows()))) {
                throw new BrokenException(earlier + " is no earlier state of " + source);
            }
            return all.transactions() - some.transactions();
        } finally {
            Directories.clear(directory);
        }
    }

    private static byte @Nullable [] hash(Path database, long seq) throws SQLException {
        String url = "jdbc:sqlite:" + database.toUri() + "?immutable=1&mode=ro";
        try (Connection connection = DriverManager.getConnection(url);
                PreparedStatement statement = connection.prepareStatement("select hash from chain where seq = ?")) {
            statement.setLong(1, seq);
            try (ResultSet row = statement.executeQuery()) {
                return row.next() ? row.getBytes(1) : null;
            }
        }
    }

    private static void integrity(Connection connection, Path database) throws SQLException, BrokenException {
        try (Statement statement = connection.createStatement();
                ResultSet answer = statement.executeQuery("pragma integrity_check(5)")) {
            answer.next();
            if (!answer.getString(1).equals("ok")) {
                throw new BrokenException(database + ": integrity_check: " + answer.getString(1));
            }
        }
    }

    private static Result chain(Connection connection, Path database) throws SQLException, BrokenException {
        long seq = 0;
        long tx = 0;
        byte[] link = History.start();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("select seq, tx, size, hash from chain order by seq")) {
            while (rows.next()) {
                seq++;
                if (rows.getLong(1) != seq) {
                    throw new BrokenException(database + ": row " + seq + " is missing");
                }
                if (rows.getLong(2) != tx && rows.getLong(2) != tx + 1) {
                    throw new BrokenException(
                            database + ": row " + seq + ": transaction " + rows.getLong(2) + " follows " + tx);
                }
                tx = rows.getLong(2);
                link = History.link(link, seq, rows.getInt(3));
                if (!Arrays.equals(link, rows.getBytes(4))) {
                    throw new BrokenException(database + ": row " + seq + " has another hash");
                }
            }
        }
        return new Result(tx, seq);
    }

    private static void bodies(Connection connection, Path database) throws SQLException, BrokenException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(
                        "select b.seq, b.data, c.size, c.hash from body b left join chain c using (seq)")) {
            while (rows.next()) {
                byte[] hash = rows.getBytes(4);
                if (hash == null || !Arrays.equals(rows.getBytes(2), History.body(hash, rows.getInt(3)))) {
                    throw new BrokenException(database + ": the content of row " + rows.getLong(1) + " is wrong");
                }
            }
        }
    }
}
