package io.loomstream.perf.fleet;

import io.loomstream.perf.writer.Habit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteConfig;

/**
 * An application of many databases: one thread that commits a row to each in turn, at a fixed pace. A row holds the moment
 * its transaction began, so that who sees the row knows how late it is. Arguments: seed, milliseconds between two commits to
 * one database, habit, how many databases to write to, a file with the paths of these and of those to move on to. Ends in
 * order when its input ends, and prints {@code tally COMMITS ERRORS BEHIND_MILLIS}.
 */
final class FleetWriter {
    static final String SCHEMA = "create table marks (seq integer primary key, at text not null)";
    /** What a row begins with, before 16 digits of hexadecimal microseconds since 1970. */
    static final String MARK = "@@";

    static final Habit[] HABITS = {
        Habit.LONG_LIVED, Habit.OPEN_WRITE_CLOSE, Habit.NO_AUTOCHECKPOINT, Habit.OWN_CHECKPOINTS
    };
    /** Of ten databases of a mix: six, two, one and one. */
    private static final int[] MIX = {0, 0, 1, 0, 2, 0, 1, 0, 3, 0};
    /** In a mix a writer stays with a database for so many commits, on average. */
    private static final int STAY = 60;

    private static final int COMMITS_PER_CHECKPOINT = 20;

    private final Duration every;
    private final boolean mix;
    private final List<Path> paths;
    private final Random random;
    private long commits;
    private long errors;
    private long behindNanos;
    private int nextSpare;

    private FleetWriter(Duration every, boolean mix, List<Path> paths, int spareFrom, long seed) {
        this.every = every;
        this.mix = mix;
        this.paths = paths;
        this.nextSpare = spareFrom;
        this.random = new Random(seed);
    }

    private static final class Slot {
        private final Habit habit;
        private Path database;
        private @Nullable Connection connection;
        private long dueNanos;
        private long commits;

        Slot(Habit habit, Path database, long dueNanos) {
            this.habit = habit;
            this.database = database;
            this.dueNanos = dueNanos;
        }

        Connection open() throws SQLException {
            Connection open = connection;
            if (open == null) {
                SQLiteConfig config = new SQLiteConfig();
                config.setBusyTimeout(5000);
                config.setSynchronous(SQLiteConfig.SynchronousMode.NORMAL);
                config.setCacheSize(16);
                open = config.createConnection("jdbc:sqlite:" + database);
                connection = open;
                if (habit == Habit.NO_AUTOCHECKPOINT || habit == Habit.OWN_CHECKPOINTS) {
                    execute(open, "pragma wal_autocheckpoint=0");
                }
            }
            return open;
        }

        void close() throws SQLException {
            Connection open = connection;
            connection = null;
            if (open != null) {
                open.close();
            }
        }

        void commit() throws SQLException {
            long micros = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
            Connection open = open();
            execute(open, "insert into marks (at) values ('%s%016x')".formatted(MARK, micros));
            commits++;
            if (habit == Habit.OWN_CHECKPOINTS && commits % COMMITS_PER_CHECKPOINT == 0) {
                execute(open, "pragma wal_checkpoint(TRUNCATE)");
            }
            if (habit == Habit.OPEN_WRITE_CLOSE) {
                close();
            }
        }

        private static void execute(Connection connection, String sql) throws SQLException {
            try (Statement statement = connection.createStatement()) {
                statement.execute(sql);
            }
        }
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        int hot = Integer.parseInt(args[3]);
        List<Path> paths = new ArrayList<>();
        Files.readAllLines(Path.of(args[4])).forEach(line -> paths.add(Path.of(line)));
        boolean mix = args[2].equals(FleetPlan.MIX);
        FleetWriter writer =
                new FleetWriter(Duration.ofMillis(Long.parseLong(args[1])), mix, paths, hot, Long.parseLong(args[0]));
        AtomicBoolean stop = new AtomicBoolean();
        Thread ending = Thread.ofPlatform().daemon().start(() -> {
            try {
                while (System.in.read() >= 0) {
                    // Only its end says something.
                }
            } catch (IOException e) {
                // Then it has ended too.
            }
            stop.set(true);
        });
        writer.run(hot, mix ? null : Habit.valueOf(args[2]), stop);
        System.out.println("tally " + writer.commits + " " + writer.errors + " "
                + TimeUnit.NANOSECONDS.toMillis(writer.behindNanos));
        ending.join(1);
    }

    private void run(int hot, @Nullable Habit habit, AtomicBoolean stop) throws InterruptedException {
        PriorityQueue<Slot> slots = new PriorityQueue<>(Comparator.comparingLong(slot -> slot.dueNanos));
        long start = System.nanoTime();
        for (int i = 0; i < hot; i++) {
            Habit its = habit == null ? HABITS[MIX[i % MIX.length]] : habit;
            slots.add(new Slot(its, paths.get(i), start + (long) (every.toNanos() * random.nextDouble())));
        }
        for (Slot slot = slots.poll(); slot != null && !stop.get(); slot = slots.poll()) {
            long wait = slot.dueNanos - System.nanoTime();
            if (wait > 0) {
                TimeUnit.NANOSECONDS.sleep(wait);
            } else {
                behindNanos = Math.max(behindNanos, -wait);
            }
            turn(slot);
            slot.dueNanos += every.toNanos();
            slots.add(slot);
        }
        for (Slot slot : slots) {
            try {
                slot.close();
            } catch (SQLException e) {
                failed(slot, e);
            }
        }
    }

    private void turn(Slot slot) {
        try {
            slot.commit();
            commits++;
            if (mix && nextSpare < paths.size() && random.nextInt(STAY) == 0) {
                slot.close();
                slot.database = paths.get(nextSpare++);
            }
        } catch (SQLException e) {
            failed(slot, e);
        }
    }

    private void failed(Slot slot, SQLException e) {
        errors++;
        System.err.println(slot.habit + " " + slot.database + ": " + e);
    }
}
