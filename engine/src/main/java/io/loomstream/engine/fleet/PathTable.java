package io.loomstream.engine.fleet;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Every database of a fleet as a row of primitive arrays, about 70 bytes, without an object per database: directory, name as
 * the bytes it has, digest of its fingerprint, tier. A row is an int, valid until {@link #remove}; its number may come back
 * for another database after a later listing of its directory.
 *
 * <p>Thread-safe: one lock around every method, held for well under a microsecond, except where an array grows or many rows
 * are copied (milliseconds with a million). So tier and fingerprint of a row change together.
 */
public final class PathTable {
    public static final int NONE = -1;

    private final ReentrantLock lock = new ReentrantLock();

    // Both guarded by lock.
    private final DirectoryTable directories = new DirectoryTable();
    private final Rows rows = new Rows(directories);

    /** How many databases, the GONE ones included. */
    public int size() {
        lock.lock();
        try {
            return rows.size();
        } finally {
            lock.unlock();
        }
    }

    public int count(Tier tier) {
        lock.lock();
        try {
            return rows.count(tier);
        } finally {
            lock.unlock();
        }
    }

    /** Every row's number is below this. */
    public int limit() {
        lock.lock();
        try {
            return rows.limit();
        } finally {
            lock.unlock();
        }
    }

    /** A row's tier; empty when there is no such row. */
    public Optional<Tier> tier(int row) {
        lock.lock();
        try {
            return rows.isLive(row) ? Optional.of(rows.tier(row)) : Optional.empty();
        } finally {
            lock.unlock();
        }
    }

    /** The digest of the row's fingerprint, or {@link DatabaseStamp#UNPROVEN}; to keep when the row is COLD_CLEAN. */
    public long digest(int row) {
        lock.lock();
        try {
            return rows.digest(rows.requireLive(row));
        } finally {
            lock.unlock();
        }
    }

    /** When the database's content last changed, as far as was seen: seconds since the epoch. */
    public long writtenSeconds(int row) {
        lock.lock();
        try {
            return Integer.toUnsignedLong(rows.writtenSeconds(rows.requireLive(row)));
        } finally {
            lock.unlock();
        }
    }

    /** Which pattern of the {@link Selection} the database was found by. */
    public int pattern(int row) {
        lock.lock();
        try {
            return rows.pattern(rows.requireLive(row));
        } finally {
            lock.unlock();
        }
    }

    /** The absolute path, byte for byte. */
    public byte[] pathBytes(int row) {
        lock.lock();
        try {
            int directory = rows.directory(rows.requireLive(row));
            int prefix = directories.pathLength(directory);
            byte[] path = new byte[prefix + 1 + rows.nameLength(row)];
            directories.path(directory, path);
            path[prefix] = '/';
            rows.copyName(row, path, prefix + 1);
            return path;
        } finally {
            lock.unlock();
        }
    }

    /** The absolute path as text, whatever of it can be said as such; empty when there is no such row. */
    Optional<String> name(int row) {
        lock.lock();
        try {
            return rows.isLive(row)
                    ? Optional.of(new String(pathBytes(row), StandardCharsets.UTF_8))
                    : Optional.empty();
        } finally {
            lock.unlock();
        }
    }

    /** The absolute path; empty when it is not valid UTF-8: then Java cannot name the file, and nothing may try. */
    public Optional<Path> path(int row) {
        byte[] bytes = pathBytes(row);
        String text = new String(bytes, StandardCharsets.UTF_8);
        boolean exact = Arrays.equals(text.getBytes(StandardCharsets.UTF_8), bytes);
        return exact ? Optional.of(Path.of(text)) : Optional.empty();
    }

    /**
     * A database that is there.
     *
     * @param path empty when it is not valid UTF-8
     * @param pattern as {@link #pattern}
     */
    record Place(Optional<Path> path, int pattern) {}

    /** Where a row's database is; empty when there is no such row, the database is gone, or the file is none. */
    Optional<Place> place(int row) {
        lock.lock();
        try {
            boolean there = rows.isLive(row) && rows.tier(row) != Tier.GONE && rows.tier(row) != Tier.IGNORED;
            return there ? Optional.of(new Place(path(row), rows.pattern(row))) : Optional.empty();
        } finally {
            lock.unlock();
        }
    }

    /** The row of an absolute path, as it was found (links in it are not resolved), or NONE. */
    public int find(byte[] path) {
        lock.lock();
        try {
            for (int i = 0; i < directories.roots().size(); i++) {
                int row = findBelow(directories.roots().get(i), path);
                if (row != NONE) {
                    return row;
                }
            }
            return NONE;
        } finally {
            lock.unlock();
        }
    }

    private int findBelow(int root, byte[] path) {
        int at = directories.pathLength(root);
        byte[] prefix = new byte[at];
        directories.path(root, prefix);
        if (path.length <= at || path[at] != '/' || !Arrays.equals(path, 0, at, prefix, 0, at)) {
            return NONE;
        }
        int id = root;
        while (id != NONE) {
            int from = at + 1;
            at = from;
            while (at < path.length && path[at] != '/') {
                at++;
            }
            byte[] segment = Arrays.copyOfRange(path, from, at);
            if (at == path.length) {
                return rows.find(id, segment, segment.length);
            }
            id = directories.find(id, segment, segment.length);
        }
        return NONE;
    }

    /** The rows in one tier now. */
    public int[] rows(Tier tier) {
        lock.lock();
        try {
            int[] found = new int[rows.count(tier)];
            int size = 0;
            for (int row = 0; size < found.length; row++) {
                if (rows.isLive(row) && rows.tier(row) == tier) {
                    found[size++] = row;
                }
            }
            return found;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Moves a row to another tier. A settled tier takes {@link #settle}.
     *
     * @return false when the row is not in the tier expected any more
     * @throws IllegalArgumentException when no database may go that way
     */
    public boolean transition(int row, Tier from, Tier to) {
        if (to.isSettled()) {
            throw new IllegalArgumentException(to + " takes a stamp that proves it");
        }
        lock.lock();
        try {
            return move(row, from, to);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Moves a row to COLD_CLEAN or IGNORED: from now on the scanner reports any change from this stamp. The stamp must have
     * been taken before the work that it vouches for.
     *
     * @return false when the row is not in the tier expected any more
     * @throws IllegalArgumentException when no database may go that way, or for COLD_CLEAN with a racy stamp, which proves
     *     nothing: wait and take another
     */
    public boolean settle(int row, Tier from, Tier to, DatabaseStamp stamp) {
        if (!to.isSettled()) {
            throw new IllegalArgumentException(to + " is not settled");
        }
        if (to == Tier.COLD_CLEAN && stamp.racy()) {
            throw new IllegalArgumentException("a racy stamp proves nothing");
        }
        lock.lock();
        try {
            if (!move(row, from, to)) {
                return false;
            }
            rows.note(row, stamp);
            rows.setDigest(row, stamp.racy() ? DatabaseStamp.UNPROVEN : stamp.digest());
            // A listing may have seen a side file that is younger than the stamp; its directory does not change again.
            rows.set(row, Rows.LOOK, true);
            return true;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Moves a row from DISCOVERED to COLD_CLEAN when its files looked, at the look that discovered it, as they did when this
     * digest was kept.
     */
    public boolean settleAsKept(int row, long keptDigest) {
        lock.lock();
        try {
            if (keptDigest == DatabaseStamp.UNPROVEN
                    || rows.digest(rows.requireLive(row)) != keptDigest
                    || !move(row, Tier.DISCOVERED, Tier.COLD_CLEAN)) {
                return false;
            }
            rows.set(row, Rows.LOOK, true);
            return true;
        } finally {
            lock.unlock();
        }
    }

    private boolean move(int row, Tier from, Tier to) {
        if (!from.mayBecome(to)) {
            throw new IllegalArgumentException("no database goes from " + from + " to " + to);
        }
        if (!rows.isLive(row) || rows.tier(row) != from) {
            return false;
        }
        rows.setTier(row, to);
        return true;
    }

    /** Whether a row is live and in a tier. */
    public boolean isIn(int row, Tier wanted) {
        lock.lock();
        try {
            return rows.isLive(row) && rows.tier(row) == wanted;
        } finally {
            lock.unlock();
        }
    }

    /** What the catalog keeps of a row: its digest while it is proven clean, nothing once it is gone. */
    Optional<Catalog.Entry> entry(int row) {
        lock.lock();
        try {
            if (!rows.isLive(row)) {
                return Optional.empty();
            }
            return switch (rows.tier(row)) {
                case COLD_CLEAN -> Optional.of(new Catalog.Entry(pathBytes(row), rows.digest(row)));
                case GONE -> Optional.of(new Catalog.Entry(pathBytes(row), DatabaseStamp.UNPROVEN));
                default -> Optional.empty();
            };
        } finally {
            lock.unlock();
        }
    }

    /** Forgets a database; false when it is not GONE any more. */
    public boolean remove(int row) {
        lock.lock();
        try {
            if (!rows.isLive(row) || rows.tier(row) != Tier.GONE) {
                return false;
            }
            rows.remove(row);
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Bytes of all arrays, their room to grow included. */
    public long memoryBytes() {
        lock.lock();
        try {
            return directories.bytes() + rows.bytes();
        } finally {
            lock.unlock();
        }
    }

    /** The table for a caller that does several things under one lock; hold it for moments only. */
    Locked lock() {
        lock.lock();
        return locked;
    }

    private final Locked locked = new Locked();

    /** The parts, for as long as the lock is held. */
    final class Locked implements AutoCloseable {
        Rows rows() {
            return rows;
        }

        DirectoryTable directories() {
            return directories;
        }

        @Override
        public void close() {
            lock.unlock();
        }
    }
}
