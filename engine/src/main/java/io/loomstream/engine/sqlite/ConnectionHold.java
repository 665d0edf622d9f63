package io.loomstream.engine.sqlite;

import io.loomstream.engine.posix.FileStat;
import io.loomstream.engine.posix.Posix;
import io.loomstream.engine.sqlite.SqliteConnections.Access;
import io.loomstream.engine.sqlite.WalIndex.Reading;
import io.loomstream.engine.sqlite.WalIndex.Valid;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A hold made of a read-only connection inside a read transaction, for file systems without open-file-description locks.
 * It costs a connection's memory, and the application's backfill stops at the transaction's mark until the next
 * {@link #hop}.
 *
 * <p>The transaction either sits on a marked slot (no reset at all) or, when it began on a fully backfilled WAL, on slot
 * 0: then nobody can backfill and at most one reset can follow, of frames that are in the database file. Both keep the
 * promise of {@link WalHold}, provided the move from one to the other happens sealed.
 */
final class ConnectionHold implements WalHold {
    private final DatabaseFiles files;
    private final Posix posix;
    private final int databaseFd;
    private final int shmFd;
    private final FileStat databaseHeld;
    private final FileStat shmHeld;
    private final @Nullable FileStat walHeld;
    private SqliteConnection reader;
    private boolean released;

    private ConnectionHold(DatabaseFiles files, SqliteConnection reader, int databaseFd, int shmFd) throws IOException {
        this.files = files;
        this.posix = files.posix();
        this.reader = reader;
        this.databaseFd = databaseFd;
        this.shmFd = shmFd;
        this.databaseHeld = posix.stat(databaseFd);
        this.shmHeld = posix.stat(shmFd);
        this.walHeld = files.statWal().orElse(null);
    }

    /**
     * Makes a hold of a connection that is inside a read transaction.
     *
     * @param reader owned by the hold from here on, also when this throws
     */
    static ConnectionHold of(DatabaseFiles files, SqliteConnection reader) throws IOException {
        int databaseFd = -1;
        int shmFd = -1;
        boolean complete = false;
        try {
            databaseFd = files.openDescriptor(files.database());
            shmFd = files.openDescriptor(files.shm());
            ConnectionHold hold = new ConnectionHold(files, reader, databaseFd, shmFd);
            complete = true;
            return hold;
        } finally {
            if (!complete) {
                if (shmFd >= 0) {
                    files.closeDescriptor(shmFd);
                }
                if (databaseFd >= 0) {
                    files.closeDescriptor(databaseFd);
                }
                files.disconnect(reader);
            }
        }
    }

    @Override
    public Claim claim() {
        return Claim.IMPOSSIBLE;
    }

    @Override
    public boolean intact() throws IOException {
        Optional<FileStat> database = files.statDatabase();
        return database.isPresent() && intact(database.get());
    }

    @Override
    public boolean intact(FileStat database) throws IOException {
        return !released
                && databaseHeld.sameFileAs(database)
                && isAt(shmHeld, files.statShm())
                && (walHeld == null || isAt(walHeld, files.statWal()));
    }

    private static boolean isAt(FileStat held, Optional<FileStat> found) {
        return found.isPresent() && held.sameFileAs(found.get());
    }

    @Override
    public Reading readIndex() throws IOException {
        byte[] bytes = new byte[WalIndex.SIZE_BYTES];
        return WalIndex.parse(bytes, posix.read(shmFd, 0, bytes, 0, bytes.length));
    }

    @Override
    public int readDatabase(long position, byte[] buffer, int offset, int length) throws IOException {
        return posix.read(databaseFd, position, buffer, offset, length);
    }

    @Override
    public long databaseSizeBytes() throws IOException {
        return posix.stat(databaseFd).sizeBytes();
    }

    @Override
    public Optional<WalFile> openWal() throws IOException {
        Optional<WalFile> wal = files.openWal();
        if (wal.isPresent() && walHeld != null && !walHeld.sameFileAs(wal.get().stat())) {
            wal.get().close();
            return Optional.empty();
        }
        return wal;
    }

    @Override
    public boolean checkpointRunning() throws IOException {
        return posix.heldByOtherProcess(shmFd, LockBytes.CHECKPOINT, 1);
    }

    @Override
    public boolean checkpointMayWaitForUs() throws IOException {
        return checkpointRunning() && posix.heldByOtherProcess(shmFd, LockBytes.WRITE, 1);
    }

    @Override
    public boolean applicationAttached() throws IOException {
        return posix.heldByOtherProcess(databaseFd, LockBytes.SHARED_FIRST, LockBytes.SHARED_LENGTH);
    }

    /**
     * Moves on to slot 0, where the next writer resets the WAL by itself.
     *
     * @return always false: there is nothing to take back
     */
    @Override
    public boolean letRestart(SealCheck stillSealed) throws IOException, InterruptedException {
        hop(stillSealed);
        return false;
    }

    @Override
    public boolean endRestart() {
        return !released;
    }

    @Override
    public boolean limitsBackfill() {
        return true;
    }

    /**
     * Begins a second read transaction before the first one ends. Both held, a fully backfilled WAL means that the second
     * may be on slot 0 and a reset may follow as soon as the first is gone: only if everything is copied.
     */
    @Override
    public void hop(SealCheck stillSealed) throws IOException, InterruptedException {
        SqliteConnection next = null;
        boolean moved = false;
        try {
            next = files.connect(Access.READ_ONLY);
            next.beginRead();
            moved = readIndex() instanceof Valid(WalIndex index)
                    && (!index.fullyBackfilled() || stillSealed.sealed(index));
        } catch (SqliteException e) {
            if (!e.busy()) {
                throw new IOException(e.getMessage(), e);
            }
        } finally {
            if (moved && next != null) {
                SqliteConnection old = reader;
                reader = next;
                files.disconnect(old);
            } else if (next != null) {
                files.disconnect(next);
            }
        }
    }

    @Override
    public boolean released() {
        return released;
    }

    @Override
    public void release() {
        if (!released) {
            released = true;
            files.closeDescriptor(shmFd);
            files.closeDescriptor(databaseFd);
            files.disconnect(reader);
        }
    }
}
