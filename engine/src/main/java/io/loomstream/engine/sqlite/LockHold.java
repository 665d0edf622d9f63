package io.loomstream.engine.sqlite;

import io.loomstream.engine.posix.FileStat;
import io.loomstream.engine.posix.Posix;
import io.loomstream.engine.sqlite.WalIndex.Reading;
import io.loomstream.engine.sqlite.WalIndex.Valid;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A hold made of open-file-description locks, without a connection: two descriptors and no native memory.
 *
 * <ul>
 *   <li>SHARED on the database file: the last application to close cannot delete the WAL, the journal mode cannot change.
 *   <li>DMS on the {@code -shm}: a new connection does not truncate the wal-index under us.
 *   <li>A read slot whose mark is unused: nobody can reset the WAL, yet nobody's backfill is limited.
 *   <li>For moments, read slot 0 (the freeze): nobody can backfill, so after the slot is let go at most one reset can
 *       follow, and it drops only frames that are in the database file already.
 * </ul>
 *
 * <p>All are shared locks; nothing is written.
 */
final class LockHold implements WalHold {
    private static final int[] SLOTS = {4, 3, 2};
    private static final int NO_SLOT = -1;
    private static final int FREEZE_SLOT = 0;

    private static final Logger log = LoggerFactory.getLogger(LockHold.class);

    private final DatabaseFiles files;
    private final Posix posix;
    private final int databaseFd;
    private final int shmFd;
    private final FileStat databaseHeld;
    private final FileStat shmHeld;
    private @Nullable FileStat walHeld;
    private int slot = NO_SLOT;
    private boolean frozen;
    private boolean released;

    private LockHold(DatabaseFiles files, int databaseFd, int shmFd) throws IOException {
        this.files = files;
        this.posix = files.posix();
        this.databaseFd = databaseFd;
        this.shmFd = shmFd;
        this.databaseHeld = posix.stat(databaseFd);
        this.shmHeld = posix.stat(shmFd);
        this.walHeld = files.statWal().orElse(null);
    }

    /**
     * Takes the locks. A connection of ours must be inside a read transaction meanwhile: it has rebuilt a stale wal-index,
     * which our DMS lock would make every later opener trust.
     *
     * @return empty when somebody holds a lock that excludes one of ours; nothing is kept then
     * @throws IOException also when the file system knows no such locks
     */
    static Optional<LockHold> take(DatabaseFiles files) throws IOException {
        int databaseFd = files.openDescriptor(files.database());
        int shmFd;
        try {
            shmFd = files.openDescriptor(files.shm());
        } catch (IOException e) {
            files.closeDescriptor(databaseFd);
            throw e;
        }
        LockHold hold = null;
        boolean complete = false;
        try {
            hold = new LockHold(files, databaseFd, shmFd);
            complete = hold.posix.tryLockShared(databaseFd, LockBytes.SHARED_FIRST, LockBytes.SHARED_LENGTH)
                    && hold.posix.tryLockShared(shmFd, LockBytes.DEAD_MAN_SWITCH, 1)
                    && hold.takeSlot();
            return complete ? Optional.of(hold) : Optional.empty();
        } finally {
            if (!complete) {
                files.closeDescriptor(shmFd);
                files.closeDescriptor(databaseFd);
            }
        }
    }

    /**
     * The descriptor may be read-only, which allows shared locks only. So: lock first, then look for another's. Of two that
     * do so at once at least one sees the other, and both may give way.
     */
    @Override
    public Claim claim() throws IOException {
        boolean alone = posix.tryLockShared(databaseFd, LockBytes.REPLICATOR, 1)
                && !posix.heldByOther(databaseFd, LockBytes.REPLICATOR, 1);
        if (!alone) {
            posix.unlock(databaseFd, LockBytes.REPLICATOR, 1);
        }
        return alone ? Claim.OURS : Claim.ANOTHERS;
    }

    @Override
    public boolean intact() throws IOException {
        Optional<FileStat> database = files.statDatabase();
        return database.isPresent() && intact(database.get());
    }

    @Override
    public boolean intact(FileStat database) throws IOException {
        if (released || slot == NO_SLOT || frozen) {
            return false; // between letting the WAL restart and taking it back
        }
        if (!databaseHeld.sameFileAs(database) || !isAt(shmHeld, files.statShm())) {
            return false;
        }
        Optional<FileStat> wal = files.statWal();
        if (walHeld == null) {
            // No WAL existed when the hold was taken. Nobody can delete one while we hold SHARED, so this is the first.
            walHeld = wal.orElse(null);
            return true;
        }
        return isAt(walHeld, wal);
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
        return posix.heldByOther(shmFd, LockBytes.CHECKPOINT, 1);
    }

    @Override
    public boolean checkpointMayWaitForUs() throws IOException {
        return checkpointRunning() && posix.heldByOther(shmFd, LockBytes.WRITE, 1);
    }

    @Override
    public boolean applicationAttached() throws IOException {
        return posix.heldByOther(databaseFd, LockBytes.SHARED_FIRST, LockBytes.SHARED_LENGTH);
    }

    @Override
    public boolean letRestart(SealCheck stillSealed) throws IOException {
        if (!posix.tryLockShared(shmFd, LockBytes.read(FREEZE_SLOT), 1)) {
            return false; // somebody is backfilling at this moment
        }
        frozen = true;
        if (readIndex() instanceof Valid(WalIndex index) && stillSealed.sealed(index)) {
            posix.unlock(shmFd, LockBytes.read(slot), 1);
            slot = NO_SLOT;
            return true;
        }
        thaw();
        return false;
    }

    @Override
    public boolean endRestart() throws IOException {
        if (slot == NO_SLOT && !takeSlot()) {
            return false; // still frozen; the caller tries again or releases
        }
        thaw();
        return true;
    }

    @Override
    public boolean released() {
        return released;
    }

    @Override
    public void release() {
        if (!released) {
            released = true;
            // Unlocked by hand: a connection of ours may keep the descriptors open for a while yet.
            try {
                posix.unlock(shmFd, LockBytes.WRITE, LockBytes.DEAD_MAN_SWITCH + 1 - LockBytes.WRITE);
                posix.unlock(databaseFd, LockBytes.SHARED_FIRST, LockBytes.SHARED_LENGTH + 1); // and REPLICATOR
            } catch (IOException e) {
                log.atWarn().addKeyValue("db", files.database()).setCause(e).log("could not release locks");
            }
            files.closeDescriptor(shmFd);
            files.closeDescriptor(databaseFd);
        }
    }

    private void thaw() throws IOException {
        posix.unlock(shmFd, LockBytes.read(FREEZE_SLOT), 1);
        frozen = false;
    }

    /**
     * Locks a slot nobody reads through. The mark is looked at under the lock: changing it needs the slot exclusively. Where
     * all marks are in use (each was left by some reader, until a checkpoint clears it) a slot is shared all the same;
     * backfill then stops at its mark for as long as we are on it, see {@link #limitsBackfill}.
     */
    private boolean takeSlot() throws IOException {
        for (int candidate : SLOTS) {
            if (!posix.tryLockShared(shmFd, LockBytes.read(candidate), 1)) {
                continue;
            }
            if (mark(candidate) == WalIndex.READ_MARK_UNUSED) {
                slot = candidate;
                return true;
            }
            posix.unlock(shmFd, LockBytes.read(candidate), 1);
        }
        for (int candidate : SLOTS) {
            if (posix.tryLockShared(shmFd, LockBytes.read(candidate), 1)) {
                slot = candidate;
                return true;
            }
        }
        return false;
    }

    @Override
    public boolean limitsBackfill() throws IOException {
        return slot != NO_SLOT && mark(slot) != WalIndex.READ_MARK_UNUSED;
    }

    @Override
    public void hop(SealCheck stillSealed) throws IOException {
        int old = slot;
        for (int candidate : SLOTS) {
            if (candidate == old || !posix.tryLockShared(shmFd, LockBytes.read(candidate), 1)) {
                continue;
            }
            if (mark(candidate) == WalIndex.READ_MARK_UNUSED) {
                slot = candidate;
                posix.unlock(shmFd, LockBytes.read(old), 1);
                return;
            }
            posix.unlock(shmFd, LockBytes.read(candidate), 1);
        }
    }

    private int mark(int candidate) throws IOException {
        byte[] bytes = new byte[WalIndex.SIZE_BYTES];
        if (posix.read(shmFd, 0, bytes, 0, bytes.length) < bytes.length) {
            throw new IOException(files.shm() + ": shorter than a wal-index header");
        }
        return WalIndex.readMark(bytes, candidate);
    }
}
