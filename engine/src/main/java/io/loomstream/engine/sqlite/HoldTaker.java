package io.loomstream.engine.sqlite;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.posix.FileStat;
import io.loomstream.engine.sqlite.SqliteConnections.Access;
import io.loomstream.engine.sqlite.WalIndex.Unsettled;
import io.loomstream.engine.sqlite.WalIndex.Valid;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Takes holds and does the few things that need a connection: conversion to WAL, a passive checkpoint, the last close.
 * Thread-safe.
 */
public final class HoldTaker {
    private static final Duration FIRST_PAUSE = Duration.ofMillis(2);
    private static final Duration LONGEST_PAUSE = Duration.ofMillis(50);

    private static final Duration BUSY_PAUSE = Duration.ofNanos(200_000);

    private final Time time;

    public HoldTaker(Time time) {
        this.time = time;
    }

    /** Which kind of hold may be taken. */
    public enum Technique {
        /** Locks without a connection; where the file system has none, a connection. */
        AUTO,
        LOCKS,
        CONNECTION
    }

    /** What came of trying to take a hold. */
    public sealed interface Attempt permits Taken, Absent, NotWal, NotSqlite, Unavailable {}

    public record Taken(WalHold hold) implements Attempt {}

    /** There is no database file, or it is empty: nothing to replicate yet. */
    public record Absent() implements Attempt {}

    /** A database in a rollback-journal mode. */
    public record NotWal() implements Attempt {}

    /** The file is not an SQLite 3 database. */
    public record NotSqlite() implements Attempt {}

    /** Somebody's locks stand in the way, or the wal-index is not usable: worth another try later. */
    public record Unavailable(String why) implements Attempt {}

    /**
     * Takes a hold: connect and read (which rebuilds a stale wal-index), lock, disconnect, check.
     *
     * @param budget how long to go on trying while SQLite answers BUSY
     */
    public Attempt take(DatabaseFiles files, Technique technique, Duration budget)
            throws IOException, InterruptedException {
        Optional<FileStat> found = files.statDatabase();
        if (found.isEmpty() || found.get().sizeBytes() == 0) {
            return new Absent();
        }
        files.drain(); // the first to open rebuilds a stale wal-index: it must be able to be the first
        long deadline = time.nanoTime() + budget.toNanos();
        Duration pause = FIRST_PAUSE;
        while (true) {
            Attempt attempt = tryOnce(files, technique);
            if (!(attempt instanceof Unavailable) || time.nanoTime() + pause.toNanos() > deadline) {
                return attempt;
            }
            time.sleep(pause);
            pause = longer(pause);
        }
    }

    private static Duration longer(Duration pause) {
        Duration doubled = pause.multipliedBy(2);
        return doubled.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : doubled;
    }

    private Attempt tryOnce(DatabaseFiles files, Technique technique) throws IOException, InterruptedException {
        Optional<DatabaseHeader> header = readHeader(files);
        if (header.isEmpty()) {
            return new NotSqlite();
        }
        if (!header.get().walMode()) {
            return new NotWal();
        }
        SqliteConnection connection = null;
        WalHold hold = null;
        try {
            connection = files.connect(Access.READ_ONLY);
            connection.beginRead();
            if (files.statShm().isEmpty()) {
                return new Unavailable(
                        "SQLite reads it without a -shm file: an application uses locking_mode=EXCLUSIVE");
            }
            if (technique == Technique.CONNECTION) {
                SqliteConnection reader = connection;
                connection = null;
                hold = ConnectionHold.of(files, reader);
            } else {
                Optional<LockHold> locks = takeLocks(files, technique);
                if (locks.isEmpty() && technique == Technique.AUTO && !supportsLocks(files)) {
                    SqliteConnection reader = connection;
                    connection = null;
                    hold = ConnectionHold.of(files, reader);
                } else {
                    hold = locks.orElse(null);
                }
            }
        } catch (SqliteException e) {
            return e.notADatabase() ? new NotSqlite() : new Unavailable(e.toString());
        } finally {
            if (connection != null) {
                files.disconnect(connection);
            }
        }
        return hold == null
                ? new Unavailable("another connection holds a lock that excludes ours")
                : check(files, hold);
    }

    private static Optional<LockHold> takeLocks(DatabaseFiles files, Technique technique) throws IOException {
        try {
            return LockHold.take(files);
        } catch (IOException e) {
            if (technique == Technique.LOCKS || supportsLocks(files)) {
                throw e;
            }
            return Optional.empty();
        }
    }

    /** Whether open-file-description locks work where this database lies. */
    private static boolean supportsLocks(DatabaseFiles files) throws IOException {
        int fd = files.openDescriptor(files.database());
        try {
            files.posix().heldByOther(fd, LockBytes.SHARED_FIRST, LockBytes.SHARED_LENGTH);
            return true;
        } catch (IOException unsupported) {
            return false;
        } finally {
            files.closeDescriptor(fd);
        }
    }

    /** With the connection gone: is what we hold really the WAL of the database at the path? */
    private static Attempt check(DatabaseFiles files, WalHold hold) throws IOException {
        String problem = null;
        boolean sound = false;
        try {
            problem = problemOf(files, hold);
            sound = problem == null;
        } finally {
            if (!sound) {
                hold.release();
            }
        }
        return problem == null ? new Taken(hold) : new Unavailable(problem);
    }

    private static @Nullable String problemOf(DatabaseFiles files, WalHold hold) throws IOException {
        if (!hold.intact()) {
            return "its files were replaced while the hold was taken";
        }
        byte[] bytes = new byte[DatabaseHeader.SIZE_BYTES];
        Optional<DatabaseHeader> header = DatabaseHeader.parse(bytes, hold.readDatabase(0, bytes, 0, bytes.length));
        if (header.isEmpty() || !header.get().walMode()) {
            return "its journal mode changed while the hold was taken";
        }
        if (files.hasJournal()) {
            return "a rollback journal with content stands beside it";
        }
        return switch (hold.readIndex()) {
            case Unsettled(String why) -> why;
            case Valid valid -> null;
        };
    }

    /** The header of the database file as it is on disk; no connection of ours may be open. */
    public Optional<DatabaseHeader> readHeader(DatabaseFiles files) throws IOException {
        int fd = files.openDescriptor(files.database());
        try {
            byte[] bytes = new byte[DatabaseHeader.SIZE_BYTES];
            return DatabaseHeader.parse(bytes, files.posix().read(fd, 0, bytes, 0, bytes.length));
        } finally {
            files.closeDescriptor(fd);
        }
    }

    /**
     * Switches a database to WAL, as {@code PRAGMA journal_mode=wal} does.
     *
     * @return false when SQLite kept the old mode or somebody's locks stood in the way
     */
    public boolean convertToWal(DatabaseFiles files) throws InterruptedException {
        SqliteConnection connection = null;
        try {
            connection = files.connect(Access.READ_WRITE);
            return connection.queryText("PRAGMA journal_mode=wal").equals("wal");
        } catch (SqliteException refused) {
            return false;
        } finally {
            if (connection != null) {
                files.disconnect(connection);
            }
        }
    }

    /**
     * Runs {@code PRAGMA wal_checkpoint(PASSIVE)}. The hold's slot keeps the WAL from being reset meanwhile.
     *
     * @return whether it ran; false when another checkpoint is running or SQLite answered BUSY
     */
    public boolean checkpointPassive(DatabaseFiles files) throws InterruptedException {
        SqliteConnection connection = null;
        try {
            connection = files.borrow();
            return !connection.checkpointPassive().busy();
        } catch (SqliteException refused) {
            return false;
        } finally {
            if (connection != null) {
                files.giveBack(connection);
            }
        }
    }

    /**
     * Opens a connection and reads: SQLite then recovers a wal-index that a writer left half-updated.
     *
     * @return false when SQLite answered with an error
     */
    public boolean recover(DatabaseFiles files) throws InterruptedException {
        SqliteConnection connection = null;
        try {
            connection = files.connect(Access.READ_ONLY);
            connection.beginRead();
            return true;
        } catch (SqliteException refused) {
            return false;
        } finally {
            if (connection != null) {
                files.disconnect(connection);
            }
        }
    }

    /** Work on the files while nobody can commit. */
    @FunctionalInterface
    public interface Locked<T> {
        T run() throws IOException, InterruptedException;
    }

    /**
     * Runs something inside a read transaction of a database in a rollback-journal mode: writers cannot commit meanwhile,
     * and a transaction that was cut off has been rolled back.
     *
     * @throws IOException also when SQLite answered BUSY
     */
    public <T> T underReadLock(DatabaseFiles files, Locked<T> work) throws IOException, InterruptedException {
        return underTransaction(files, "BEGIN", Duration.ZERO, work);
    }

    /**
     * Runs something while no application can write: inside {@code BEGIN IMMEDIATE} of ours, which is rolled back.
     *
     * @param budget how long to go on trying while somebody writes
     * @throws IOException also when somebody wrote at every try
     */
    public <T> T underWriteLock(DatabaseFiles files, Duration budget, Locked<T> work)
            throws IOException, InterruptedException {
        return underTransaction(files, "BEGIN IMMEDIATE", budget, work);
    }

    private <T> T underTransaction(DatabaseFiles files, String begin, Duration budget, Locked<T> work)
            throws IOException, InterruptedException {
        SqliteConnection connection = null;
        try {
            connection = files.borrow();
            begin(connection, begin, budget);
            connection.queryText("PRAGMA schema_version");
            return work.run();
        } catch (SqliteException refused) {
            throw new IOException(refused.getMessage(), refused);
        } finally {
            if (connection != null) {
                files.disconnect(connection); // rolls back, without waiting for anything
            }
        }
    }

    private void begin(SqliteConnection connection, String begin, Duration budget)
            throws SqliteException, InterruptedException {
        long deadline = time.nanoTime() + budget.toNanos();
        while (true) {
            try {
                connection.execute(begin);
                return;
            } catch (SqliteException refused) {
                // The gap between two transactions of a busy writer is far shorter than any pause between its own
                // tries.
                if (!refused.busy() || time.nanoTime() > deadline) {
                    throw refused;
                }
                time.sleep(BUSY_PAUSE);
            }
        }
    }

    /**
     * Does what the last application would have done: opens a connection, gives the hold up, closes the connection. If
     * nobody came meanwhile SQLite deletes the WAL and the {@code -shm}; the sealed WAL has nothing left to write, so the
     * database file is not touched.
     */
    public void lastClose(DatabaseFiles files, WalHold hold) throws InterruptedException {
        files.drain();
        SqliteConnection connection = null;
        try {
            connection = files.connect(Access.READ_WRITE);
            connection.queryText("PRAGMA schema_version");
        } catch (SqliteException somebodyElseIsThere) {
            // Then theirs is the last close.
        } finally {
            hold.release();
            if (connection != null) {
                files.disconnect(connection);
            }
        }
    }
}
