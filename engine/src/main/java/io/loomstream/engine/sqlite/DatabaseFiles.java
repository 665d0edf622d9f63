package io.loomstream.engine.sqlite;

import io.loomstream.engine.posix.FileStat;
import io.loomstream.engine.posix.Posix;
import io.loomstream.engine.sqlite.SqliteConnections.Access;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The one owner, in this process, of everything open on one database: descriptors and connections.
 *
 * <p>POSIX locks belong to the process, and closing any descriptor of a file drops all of the process's locks on it.
 * SQLite's locks in this process are such locks. So while a connection to the database is open here, no descriptor of
 * the database file or its {@code -shm} may be closed: this class keeps those closes back until the last connection is
 * gone. (Done otherwise, another process checkpointed and deleted the WAL under our connection and a write was lost.)
 *
 * <p>A connection that was used twice within the idle timeout is kept open and idle for as long, outside of any transaction.
 * It looks like an application's: {@link #drain} closes it before anybody asks whether there is one.
 *
 * <p>Not thread-safe: one task at a time works on a database. Only the reaper of idle connections may come at any time.
 */
public final class DatabaseFiles {
    /** As many as Linux follows. */
    private static final int MOST_LINKS = 40;

    private final Posix posix;
    private final SqliteConnections connections;
    private final Path configured;
    private Path database;
    private final ReentrantLock lock = new ReentrantLock();
    /** Guarded by the lock. */
    private final List<Integer> closesKeptBack = new ArrayList<>(0);
    /** Guarded by the lock; counted before they are opened and after they are closed. */
    private int openConnections;
    /** Guarded by the lock. */
    private IdleConnections.@Nullable Idle idle;

    private boolean givenBackBefore;
    private long givenBackAt;

    public DatabaseFiles(Posix posix, SqliteConnections connections, Path database) {
        this.posix = posix;
        this.connections = connections;
        this.configured = database;
        this.database = database;
    }

    /**
     * Finds out which file the configured path means now. SQLite follows a link and keeps the side files beside the file it
     * leads to, so that is where they are looked for.
     */
    public void follow() throws IOException {
        Path target = configured;
        for (int links = 0; Files.isSymbolicLink(target); links++) {
            if (links == MOST_LINKS) {
                throw new FileSystemLoopException(configured.toString());
            }
            target = target.resolveSibling(Files.readSymbolicLink(target));
        }
        if (!target.equals(database)) {
            drain();
            database = target;
        }
    }

    /** Whether the configured path was a link when it was last followed. */
    public boolean throughLink() {
        return !database.equals(configured);
    }

    /** The path of a side file: the database's name with a suffix. */
    public static Path sibling(Path database, String suffix) {
        return database.resolveSibling(database.getFileName() + suffix);
    }

    public Path database() {
        return database;
    }

    public Path wal() {
        // Made when asked for, as the next two: there are many databases, and few are asked at a time.
        return sibling(database, "-wal");
    }

    Path shm() {
        return sibling(database, "-shm");
    }

    Path journal() {
        return sibling(database, "-journal");
    }

    Posix posix() {
        return posix;
    }

    /** Empty only when there is no database file. */
    public Optional<FileStat> statDatabase() throws IOException {
        return posix.stat(database);
    }

    /** Empty only when there is no WAL file. */
    public Optional<FileStat> statWal() throws IOException {
        return posix.stat(wal());
    }

    Optional<FileStat> statShm() throws IOException {
        return posix.stat(shm());
    }

    /** Opens the database file or its {@code -shm} for reading; give it back to {@link #closeDescriptor}. */
    int openDescriptor(Path file) throws IOException {
        return posix.openReadOnly(file);
    }

    void closeDescriptor(int fd) {
        lock.lock();
        try {
            if (openConnections > 0) {
                closesKeptBack.add(fd);
            } else {
                posix.close(fd);
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Whether a rollback journal stands beside the database: a transaction is under way, or was cut off. One that begins with
     * a zero byte is a remainder of {@code journal_mode=persist} and counts for nothing, as for SQLite.
     */
    public boolean hasJournal() throws IOException {
        if (posix.stat(journal()).isEmpty()) {
            return false;
        }
        int fd;
        try {
            fd = posix.openReadOnly(journal());
        } catch (NoSuchFileException ended) {
            return false;
        }
        try {
            byte[] first = new byte[1];
            return posix.read(fd, 0, first, 0, 1) == 1 && first[0] != 0;
        } finally {
            posix.close(fd);
        }
    }

    /**
     * Whether another replicator has claimed a database by its hold.
     *
     * @param other a database; if it is not this one, nothing in this process may have it open meanwhile
     * @return false also where the file system has no such locks
     */
    public boolean claimedByAnother(Path other) throws IOException {
        int fd;
        try {
            fd = openDescriptor(other);
        } catch (NoSuchFileException | AccessDeniedException notToBeReplicated) {
            return false;
        }
        try {
            return posix.heldByOther(fd, LockBytes.REPLICATOR, 1);
        } catch (IOException withoutSuchLocks) {
            return false;
        } finally {
            closeDescriptor(fd);
        }
    }

    /** Opens the database file for reading without a hold. */
    public DatabaseReader openDatabase() throws IOException {
        return new DatabaseReader(openDescriptor(database));
    }

    /** The database file, open for reading. */
    public final class DatabaseReader implements AutoCloseable {
        private final int fd;

        private DatabaseReader(int fd) {
            this.fd = fd;
        }

        /** How many bytes were read; fewer than asked only at the end of the file. */
        public int read(long position, byte[] buffer, int offset, int length) throws IOException {
            return posix.read(fd, position, buffer, offset, length);
        }

        public long sizeBytes() throws IOException {
            return posix.stat(fd).sizeBytes();
        }

        @Override
        public void close() {
            closeDescriptor(fd);
        }
    }

    SqliteConnection connect(Access access) throws SqliteException, InterruptedException {
        count(1);
        SqliteConnection connection = null;
        try {
            connection = connections.open(database, access);
            return connection;
        } finally {
            if (connection == null) {
                count(-1);
            }
        }
    }

    void disconnect(SqliteConnection connection) {
        lock.lock();
        try {
            connection.close();
        } finally {
            connections.closed();
            count(-1);
            lock.unlock();
        }
    }

    private void count(int change) {
        lock.lock();
        try {
            openConnections += change;
            if (openConnections == 0) {
                closesKeptBack.forEach(posix::close);
                closesKeptBack.clear();
            }
        } finally {
            lock.unlock();
        }
    }

    /** A connection that may read and write: the idle one if there is one. To be given back, or disconnected. */
    SqliteConnection borrow() throws SqliteException, InterruptedException {
        lock.lock();
        try {
            IdleConnections.Idle kept = idle;
            if (kept != null) {
                idle = null;
                connections.idleNoMore(kept);
                connections.usedAgain();
                return kept.connection();
            }
        } finally {
            lock.unlock();
        }
        return connect(Access.READ_WRITE);
    }

    /** Takes a borrowed connection back, which must be outside of any transaction. */
    void giveBack(SqliteConnection connection) {
        long now = connections.nanoTime();
        // One use a minute is no reason to keep its memory and three descriptors.
        boolean worthKeeping = givenBackBefore && connections.worthKeeping(now - givenBackAt);
        givenBackBefore = true;
        givenBackAt = now;
        lock.lock();
        try {
            if (worthKeeping && idle == null) {
                idle = connections.keep(this, connection);
            } else {
                disconnect(connection);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Closes the idle connection; afterwards none of ours is open but those in use. */
    public void drain() {
        lock.lock();
        try {
            if (idle != null) {
                closeIdle(idle);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Closes a connection if it is idle still. May be called by any thread. */
    boolean closeIdle(IdleConnections.Idle which) {
        lock.lock();
        try {
            if (idle != which) {
                return false;
            }
            idle = null;
            connections.idleNoMore(which);
            disconnect(which.connection());
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Frames of the WAL, through a descriptor of its own: the WAL carries no locks, so closing it harms nobody. */
    public Optional<WalFile> openWal() throws IOException {
        return WalFile.open(posix, wal());
    }
}
