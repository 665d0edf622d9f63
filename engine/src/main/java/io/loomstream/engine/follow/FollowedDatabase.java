package io.loomstream.engine.follow;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileSteps;
import io.loomstream.engine.sqlite.DatabaseHeader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * A database that others read while we write to it as SQLite itself would: in rollback-journal mode, under its locks,
 * the old pages first saved in a journal of its format. A reader sees a step whole or not at all; a kill in the middle
 * is undone by whoever opens the database next, be it a reader.
 *
 * <p>One thread. After an exception the instance must be closed: that is what gives the locks up, and the journal then
 * counts.
 */
final class FollowedDatabase implements AutoCloseable {
    /** How long readers may keep us waiting, with new ones held off, before they get a chance again. */
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private static final long LOCK_BYTE = 0x4000_0000L;
    private static final int MODE_OFFSET = 18;
    private static final byte ROLLBACK_MODE = 1;
    private static final int COUNTER_OFFSET = 24;
    private static final int PAGES_OFFSET = 28;
    private static final int VALID_FOR_OFFSET = 92;

    private final Path path;
    private final FileChannel file;
    private final FileSteps steps;
    private final PagerLocks locks;
    private final FileAccess.Grant grant;

    private FollowedDatabase(Path path, FileChannel file, FileSteps steps, Time time, FileAccess.Grant grant) {
        this.path = path;
        this.file = file;
        this.steps = steps;
        this.locks = new PagerLocks(file, time);
        this.grant = grant;
    }

    /** Opens an existing file for reading and writing. */
    @FunctionalInterface
    interface Opener {
        FileChannel open(Path file) throws IOException;
    }

    /** Undoes what a writer that died left half done, then opens. */
    static FollowedDatabase open(Path path, Opener opener, FileSteps steps, Time time) throws IOException {
        if (RollbackJournal.hot(path)) {
            HotJournal.rollBack(path);
        }
        FileAccess.Grant grant = FileAccess.Grant.of(path);
        return new FollowedDatabase(path, opener.open(path), steps, time, grant);
    }

    /**
     * What page 1 says.
     *
     * @param pages the file's length
     */
    record Shape(int pageSizeBytes, long pages, int changeCounter, boolean walMode) {}

    /** Reads page 1 as any reader would. */
    Shape look() throws IOException, InterruptedException {
        if (!locks.lockShared(PATIENCE)) {
            throw busy();
        }
        try {
            return shape();
        } finally {
            locks.releaseAll();
        }
    }

    private Shape shape() throws IOException {
        byte[] bytes = new byte[DatabaseHeader.SIZE_BYTES];
        int read = Math.max(0, file.read(ByteBuffer.wrap(bytes), 0));
        DatabaseHeader header = DatabaseHeader.parse(bytes, read)
                .orElseThrow(() -> new CorruptDataException(path.toString(), 0, "not an SQLite database"));
        return new Shape(
                header.pageSize(),
                file.size() / header.pageSize(),
                ByteBuffer.wrap(bytes).getInt(COUNTER_OFFSET),
                bytes[MODE_OFFSET] != ROLLBACK_MODE || bytes[MODE_OFFSET + 1] != ROLLBACK_MODE);
    }

    /** What has to be durable before a step's commit, apart from the database. */
    @FunctionalInterface
    interface Intent {
        /** The directory is forced afterwards. */
        void write() throws IOException;
    }

    /**
     * Applies files in one step; durable when this returns.
     *
     * @param before page 1 as it must be: anything else was written by somebody else
     * @param counter the change counter that the database gets
     * @param nonce for the journal's checksums, random
     */
    void apply(Batch batch, Shape before, int counter, int nonce, Intent intent)
            throws IOException, InterruptedException {
        reserve(before);
        RollbackJournal.write(
                steps, path, grant, file, before.pageSizeBytes(), before.pages(), saved(batch, before), nonce);
        intent.write();
        steps.forceDirectory(directory());
        if (!locks.lockExclusive(PATIENCE)) {
            steps.delete(RollbackJournal.of(path));
            locks.releaseAll();
            throw new TransientStorageException(
                    path + ": a reader has been in a transaction for over " + PATIENCE.toSeconds() + " s");
        }
        if (before.walMode()) {
            removeWal();
        }
        for (StagedFile staged : batch.files()) {
            staged.pages((page, bytes) -> write((page - 1L) * before.pageSizeBytes(), ByteBuffer.wrap(bytes)));
        }
        setLength(batch.commitPages() * before.pageSizeBytes());
        writeHeader(counter, batch.commitPages());
        steps.force(file);
        // The commit.
        steps.delete(RollbackJournal.of(path));
        steps.forceDirectory(directory());
        locks.releaseAll();
    }

    private void reserve(Shape before) throws IOException, InterruptedException {
        if (!locks.lockShared(PATIENCE) || !locks.lockReserved(PATIENCE)) {
            throw busy();
        }
        Shape now = shape();
        if (!now.equals(before)) {
            throw new ConflictException(path + " was changed by somebody else while it was being followed: " + now
                    + " instead of " + before);
        }
        if (RollbackJournal.hot(path)) {
            throw new TransientStorageException(path + ": the journal of another writer that died is there");
        }
        // One that says nothing, as journal_mode=PERSIST leaves it.
        steps.delete(RollbackJournal.of(path));
    }

    /** The pages that the step changes or cuts off, of those there are. */
    private static BitSet saved(Batch batch, Shape before) {
        BitSet pages = (BitSet) batch.pages().clone();
        pages.set(1);
        if (batch.commitPages() < before.pages()) {
            pages.set((int) batch.commitPages() + 1, (int) before.pages() + 1);
            pages.clear((int) (LOCK_BYTE / before.pageSizeBytes()) + 1);
        }
        return pages;
    }

    /** No connection in WAL mode is left, or its lock had kept us out; its files say nothing, unless it wrote. */
    private void removeWal() throws IOException {
        Path wal = path.resolveSibling(path.getFileName() + "-wal");
        if (Files.exists(wal) && Files.size(wal) > 0) {
            throw new ConflictException(
                    wal + " holds transactions of an application: a followed database is read-only");
        }
        steps.delete(wal);
        steps.delete(path.resolveSibling(path.getFileName() + "-shm"));
    }

    private void setLength(long sizeBytes) throws IOException {
        if (file.size() > sizeBytes) {
            file.truncate(sizeBytes);
        } else if (file.size() < sizeBytes) {
            // The lock page at the very end is never written.
            write(sizeBytes - 1, ByteBuffer.allocate(1));
        }
    }

    /** Rollback-journal mode, a new change counter so that readers drop their caches, and a length that counts. */
    private void writeHeader(int counter, long pages) throws IOException {
        ByteBuffer header = ByteBuffer.allocate(DatabaseHeader.SIZE_BYTES);
        while (header.hasRemaining()) {
            if (file.read(header, header.position()) < 0) {
                throw new CorruptDataException(path.toString(), 0, "not an SQLite database");
            }
        }
        patch(header, counter, pages);
        write(0, header.flip());
    }

    /** Makes the first 100 bytes of a database those of a followed one. */
    static void patch(ByteBuffer header, int counter, long pages) {
        header.put(MODE_OFFSET, ROLLBACK_MODE).put(MODE_OFFSET + 1, ROLLBACK_MODE);
        header.putInt(COUNTER_OFFSET, counter).putInt(PAGES_OFFSET, (int) pages);
        // SQLite believes the length above only if this equals the counter.
        header.putInt(VALID_FOR_OFFSET, counter);
    }

    private void write(long position, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            position += file.write(bytes, position);
        }
    }

    private TransientStorageException busy() {
        return new TransientStorageException(path + " is locked by a writer");
    }

    private Path directory() {
        @Nullable Path parent = path.getParent();
        return parent == null ? Path.of("") : parent;
    }

    /** Gives up the locks, whatever happened. */
    @Override
    public void close() throws IOException {
        file.close();
    }
}
