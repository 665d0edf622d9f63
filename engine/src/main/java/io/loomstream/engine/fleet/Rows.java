package io.loomstream.engine.fleet;

import java.util.Arrays;

/** The columns of the path table, one primitive array each, and its indexes. Not thread-safe: {@link PathTable} guards it. */
@SuppressWarnings("EnumOrdinal") // a byte per row stands for its tier, in memory only
final class Rows {
    static final int NONE = -1;

    /** A side file exists, by the last listing of the directory. */
    static final int WAL = 1;

    static final int JOURNAL = 2;

    /** To be looked at in the next pass whatever its directory says. */
    static final int LOOK = 4;

    /** Its file was not there; not yet decided to be GONE. */
    static final int MISSING = 8;

    /** Its name came in the listing that is being worked on. */
    static final int SEEN = 16;

    /** Not in use, or removed and still linked to its directory. */
    private static final byte FREE = -1;

    private static final byte REMOVED = -2;
    private static final Tier[] TIERS = Tier.values();
    private static final int COLUMN_BYTES = 4 + 4 + 8 + 4 + 4 + 4 + 4 + 2 + 1 + 1;

    private final DirectoryTable directories;
    private NameArena names = new NameArena();
    private final IntIndex byName = new IntIndex(this::nameHash);
    private final IntIndex byIdentity = new IntIndex(row -> this.identity[row]);
    private int[] directory = new int[0];
    private int[] name = new int[0];
    private long[] digest = new long[0];
    private int[] sides = new int[0];
    private int[] identity = new int[0];
    private int[] written = new int[0];
    private int[] next = new int[0];
    private short[] pattern = new short[0];
    private byte[] tier = new byte[0];
    private byte[] flags = new byte[0];
    private final int[] counts = new int[TIERS.length];
    private int limit;
    private int missing;
    private int firstFree = NONE;

    Rows(DirectoryTable directories) {
        this.directories = directories;
    }

    int limit() {
        return limit;
    }

    int size() {
        int sum = 0;
        for (int count : counts) {
            sum += count;
        }
        return sum;
    }

    int count(Tier wanted) {
        return counts[wanted.ordinal()];
    }

    /** How many have the flag MISSING. */
    int missing() {
        return missing;
    }

    boolean isLive(int row) {
        return row >= 0 && row < limit && tier[row] >= 0;
    }

    int requireLive(int row) {
        if (!isLive(row)) {
            throw new IllegalArgumentException("row " + row + " is not in the table");
        }
        return row;
    }

    Tier tier(int row) {
        return TIERS[tier[requireLive(row)]];
    }

    void setTier(int row, Tier to) {
        counts[tier[row]]--;
        tier[row] = (byte) to.ordinal();
        counts[to.ordinal()]++;
        if (to == Tier.GONE) {
            setMissing(row, false);
        }
    }

    long digest(int row) {
        return digest[row];
    }

    void setDigest(int row, long value) {
        digest[row] = value;
    }

    int sides(int row) {
        return sides[row];
    }

    int writtenSeconds(int row) {
        return written[row];
    }

    int pattern(int row) {
        return pattern[row];
    }

    int directory(int row) {
        return directory[row];
    }

    int nameLength(int row) {
        return names.length(name[row]);
    }

    void copyName(int row, byte[] into, int at) {
        names.copyTo(name[row], into, at);
    }

    boolean has(int row, int flag) {
        return (flags[row] & flag) != 0;
    }

    int flags(int row) {
        return flags[row];
    }

    void set(int row, int flag, boolean value) {
        flags[row] = (byte) (value ? flags[row] | flag : flags[row] & ~flag);
    }

    void setMissing(int row, boolean value) {
        if (has(row, MISSING) != value) {
            set(row, MISSING, value);
            missing += value ? 1 : -1;
        }
    }

    /** Takes over from a stamp what may change at any time: side files, identity, time. Not the digest of all. */
    void note(int row, DatabaseStamp stamp) {
        sides[row] = stamp.sides();
        written[row] = stamp.writtenSeconds();
        set(row, WAL, stamp.wal());
        set(row, JOURNAL, stamp.journal());
        setIdentity(row, stamp.identity());
    }

    /** What {@link #observe} found out. */
    enum Observed {
        /** Not settled: somebody else looks after the row. */
        BUSY,
        UNCHANGED,
        WRITTEN,
        /** Written, and it is another file than before. */
        REPLACED
    }

    /** The first look at a row that was just discovered. */
    void discovered(int row, DatabaseStamp stamp) {
        note(row, stamp);
        digest[row] = stamp.racy() ? DatabaseStamp.UNPROVEN : stamp.digest();
    }

    /**
     * Compares a settled row with what its files look like now. A difference ends its proof and its tier in the same step: a
     * new digest is never stored here, so that a row is never clean by a fingerprint younger than its copy.
     */
    Observed observe(int row, DatabaseStamp stamp) {
        if (!tier(row).isSettled()) {
            return Observed.BUSY;
        }
        set(row, LOOK, false);
        // The proof was not racy when it was made. If it is now, the clock went back, and its times can come again.
        if (digest[row] == stamp.digest() && !stamp.racy()) {
            note(row, stamp);
            return Observed.UNCHANGED;
        }
        boolean replaced = identity[row] != stamp.identity();
        note(row, stamp);
        digest[row] = DatabaseStamp.UNPROVEN;
        setTier(row, tier(row) == Tier.IGNORED ? Tier.DISCOVERED : Tier.COLD_DIRTY);
        return replaced ? Observed.REPLACED : Observed.WRITTEN;
    }

    int identity(int row) {
        return identity[row];
    }

    private void setIdentity(int row, int value) {
        if (identity[row] != value) {
            if (identity[row] != 0) {
                byIdentity.remove(row, identity[row]);
            }
            identity[row] = value;
            if (value != 0) {
                byIdentity.add(row, value);
            }
        }
    }

    /** Rows that may be the same file, another than {@code except}. */
    int[] withIdentity(int value, int except) {
        return Ids.matching(byIdentity, value, row -> row != except && identity[row] == value);
    }

    int find(int directoryId, byte[] wanted, int length) {
        int slot = byName.slotOf(NameArena.hash(wanted, 0, length, directoryId));
        for (int row; (row = byName.at(slot)) != NONE; slot = byName.after(slot)) {
            if (directory[row] == directoryId && names.equals(name[row], wanted, length)) {
                return row;
            }
        }
        return NONE;
    }

    int add(int directoryId, byte[] newName, int length, int patternNumber) {
        int row = firstFree;
        if (row == NONE) {
            row = limit++;
            ensureRoom();
        } else {
            firstFree = next[row];
        }
        directory[row] = directoryId;
        name[row] = names.add(newName, length);
        digest[row] = DatabaseStamp.UNPROVEN;
        sides[row] = 0;
        identity[row] = 0;
        written[row] = 0;
        pattern[row] = (short) patternNumber;
        tier[row] = (byte) Tier.DISCOVERED.ordinal();
        flags[row] = 0;
        next[row] = directories.firstRow(directoryId);
        directories.setFirstRow(directoryId, row);
        counts[Tier.DISCOVERED.ordinal()]++;
        byName.add(row, nameHash(row));
        return row;
    }

    private void ensureRoom() {
        if (limit > directory.length) {
            int room = limit + limit / 8 + 64;
            directory = Arrays.copyOf(directory, room);
            name = Arrays.copyOf(name, room);
            digest = Arrays.copyOf(digest, room);
            sides = Arrays.copyOf(sides, room);
            identity = Arrays.copyOf(identity, room);
            written = Arrays.copyOf(written, room);
            next = Arrays.copyOf(next, room);
            pattern = Arrays.copyOf(pattern, room);
            tier = Arrays.copyOf(tier, room);
            flags = Arrays.copyOf(flags, room);
        }
    }

    /** Takes a row out of sight. It stays linked to its directory, its number unused, until {@link #reclaim}. */
    void remove(int row) {
        byName.remove(row, nameHash(row));
        setIdentity(row, 0);
        setMissing(row, false);
        names.forget(name[row]);
        counts[tier[row]]--;
        tier[row] = REMOVED;
    }

    /** Frees the numbers of the rows that were removed from a directory. */
    void reclaim(int directoryId) {
        int kept = NONE;
        int row = directories.firstRow(directoryId);
        while (row != NONE) {
            int following = next[row];
            if (tier[row] == REMOVED) {
                if (kept == NONE) {
                    directories.setFirstRow(directoryId, following);
                } else {
                    next[kept] = following;
                }
                tier[row] = FREE;
                next[row] = firstFree;
                firstFree = row;
            } else {
                kept = row;
            }
            row = following;
        }
        if (names.wantsCompaction()) {
            compactNames();
        }
    }

    private void compactNames() {
        NameArena compact = new NameArena();
        for (int row = 0; row < limit; row++) {
            if (tier[row] >= 0) {
                name[row] = compact.adopt(names, name[row]);
            }
        }
        names = compact;
    }

    /** The first row of a directory, removed ones included; go on with {@link #next}. */
    int first(int directoryId) {
        return directories.firstRow(directoryId);
    }

    int next(int row) {
        return next[row];
    }

    private int nameHash(int row) {
        return names.hash(name[row], directory[row]);
    }

    long bytes() {
        return names.bytes() + byName.bytes() + byIdentity.bytes() + (long) directory.length * COLUMN_BYTES;
    }
}
