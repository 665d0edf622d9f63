package io.loomstream.perf.writer;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/**
 * A process that writes to databases, one thread for each. Arguments: seed, then {@code HABIT=PATH} for each database.
 * Ends in order when its input ends. Prints {@code commits INDEX COUNT} while it works and, at the end, {@code tally INDEX
 * COMMITS BUSY CORRUPT PROTOCOL OTHER REFUSED}. Its Python twin is {@code writer.py}.
 */
public final class WriterMain {
    private static final CountDownLatch STOP = new CountDownLatch(1);
    private static final String[] CHECKPOINTS = {"passive", "full", "restart", "truncate"};
    private static final String[] MODES = {"delete", "truncate", "persist", "wal", "wal"};

    private final int index;
    private final Habit habit;
    private final Path database;
    private final Random random;
    private @Nullable Connection connection;
    private long commits;
    private long busy;
    private long corrupt;
    private long protocol;
    private long other;
    private long refused;

    private WriterMain(int index, Assignment assignment, long seed) {
        this.index = index;
        this.habit = assignment.habit();
        this.database = assignment.database();
        this.random = new Random(seed);
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        List<Thread> threads = new ArrayList<>();
        for (int i = 1; i < args.length; i++) {
            WriterMain writer = new WriterMain(i - 1, Assignment.parse(args[i]), Long.parseLong(args[0]) * 1000 + i);
            threads.add(Thread.ofPlatform().start(writer::run));
        }
        while (System.in.read() >= 0) {
            // Only its end says something.
        }
        STOP.countDown();
        for (Thread thread : threads) {
            thread.join();
        }
    }

    /** Makes an empty database with the tables of a {@link History}. */
    public static void create(Path database) throws SQLException {
        SQLiteConfig config = new SQLiteConfig();
        try (Connection made = config.createConnection("jdbc:sqlite:" + database);
                Statement statement = made.createStatement()) {
            statement.execute("pragma journal_mode=wal");
            statement.executeUpdate(History.SCHEMA);
        }
    }

    /** Adds a table that nobody writes to, of bytes that do not compress: the database's first copy is at least as large. */
    public static void ballast(Path database, int bytes) throws SQLException {
        SQLiteConfig config = new SQLiteConfig();
        try (Connection opened = config.createConnection("jdbc:sqlite:" + database);
                Statement statement = opened.createStatement()) {
            statement.executeUpdate("create table ballast as select randomblob(" + bytes + ") as bytes");
        }
    }

    private void run() {
        try {
            for (int turn = 1; STOP.getCount() > 0; turn++) {
                try {
                    turn(turn);
                } catch (SQLException e) {
                    count(e);
                    rollBack();
                }
                if (STOP.await(random.nextInt(4000), TimeUnit.MICROSECONDS)) {
                    break;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        try {
            close();
        } catch (SQLException e) {
            count(e);
        }
        say("tally " + index + " " + commits + " " + busy + " " + corrupt + " " + protocol + " " + other + " "
                + refused);
    }

    private static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    private Connection open() throws SQLException {
        Connection open = connection;
        if (open == null) {
            SQLiteConfig config = new SQLiteConfig();
            config.setBusyTimeout(5000);
            config.setSynchronous(SQLiteConfig.SynchronousMode.NORMAL);
            open = config.createConnection("jdbc:sqlite:" + database);
            connection = open;
            if (habit == Habit.OWN_CHECKPOINTS || habit == Habit.NO_AUTOCHECKPOINT) {
                execute("pragma wal_autocheckpoint=0");
            }
            if (habit == Habit.BIG_TRANSACTIONS) {
                execute("pragma cache_size=20");
            }
        }
        return open;
    }

    private void close() throws SQLException {
        Connection open = connection;
        connection = null;
        if (open != null) {
            open.close();
        }
    }

    private void execute(String sql) throws SQLException {
        try (Statement statement = open().createStatement()) {
            statement.execute(sql);
        }
    }

    private void rollBack() {
        try (Statement statement = open().createStatement()) {
            statement.execute("rollback");
        } catch (SQLException noneWasActive) {
            // The error before this one says what happened.
        }
    }

    private void count(SQLException e) {
        int code = e instanceof SQLiteException sqlite ? sqlite.getResultCode().code & 0xff : 1;
        if (code == SQLiteErrorCode.SQLITE_BUSY.code || code == SQLiteErrorCode.SQLITE_LOCKED.code) {
            busy++;
        } else if (code == SQLiteErrorCode.SQLITE_CORRUPT.code || code == SQLiteErrorCode.SQLITE_NOTADB.code) {
            corrupt++;
        } else if (code == SQLiteErrorCode.SQLITE_PROTOCOL.code) {
            protocol++;
        } else {
            other++;
        }
        System.err.println(habit + " " + database + ": " + e);
    }

    private void turn(int turn) throws SQLException {
        if (habit == Habit.OPEN_WRITE_CLOSE) {
            close();
        }
        if (habit == Habit.JOURNAL_TOGGLES && turn % 40 == 0) {
            toggle();
        }
        if (habit == Habit.OWN_CHECKPOINTS && turn % 20 == 0) {
            execute("pragma wal_checkpoint(" + CHECKPOINTS[random.nextInt(CHECKPOINTS.length)] + ")");
        }
        if (habit == Habit.DELETES_AND_VACUUM && turn % 150 == 0) {
            execute("delete from body where seq % 10 > 0");
            execute("vacuum");
        }
        if (habit == Habit.BIG_TRANSACTIONS && turn % 10 == 0) {
            transaction(100 + random.nextInt(700), turn % 30 > 0);
        } else {
            transaction(1 + random.nextInt(4), true);
        }
        if (habit == Habit.OPEN_WRITE_CLOSE || habit == Habit.JOURNAL_TOGGLES) {
            close();
        }
    }

    private void toggle() {
        String mode = MODES[random.nextInt(MODES.length)];
        SQLiteConfig config = new SQLiteConfig();
        config.setBusyTimeout(200);
        try (Connection own = config.createConnection("jdbc:sqlite:" + database);
                Statement statement = own.createStatement();
                ResultSet answer = statement.executeQuery("pragma journal_mode=" + mode)) {
            if (!answer.next() || !answer.getString(1).equals(mode)) {
                refused++;
            }
        } catch (SQLException e) {
            refused++;
        }
    }

    private void transaction(int rows, boolean commit) throws SQLException {
        Connection open = open();
        execute("begin immediate");
        long seq = 0;
        long tx = 0;
        byte[] link = History.start();
        try (Statement statement = open.createStatement();
                ResultSet last = statement.executeQuery("select seq, tx, hash from chain order by seq desc limit 1")) {
            if (last.next()) {
                seq = last.getLong(1);
                tx = last.getLong(2);
                link = last.getBytes(3);
            }
        }
        try (PreparedStatement chain = open.prepareStatement("insert into chain values (?, ?, ?, ?)");
                PreparedStatement body = open.prepareStatement("insert into body values (?, ?)")) {
            for (int i = 0; i < rows; i++) {
                seq++;
                int size = random.nextInt(random.nextInt(50) == 0 ? 20_000 : 2_000);
                link = History.link(link, seq, size);
                chain.setLong(1, seq);
                chain.setLong(2, tx + 1);
                chain.setInt(3, size);
                chain.setBytes(4, link);
                chain.executeUpdate();
                body.setLong(1, seq);
                body.setBytes(2, History.body(link, size));
                body.executeUpdate();
            }
        }
        execute("delete from body where seq <= " + (seq - 3000));
        execute(commit ? "commit" : "rollback");
        if (commit) {
            commits++;
            say("commits " + index + " " + commits);
        }
    }
}
