package io.loomstream.engine.fleet;

import io.loomstream.engine.posix.DirectoryReader;
import io.loomstream.engine.posix.StatBuffer;

/** Looks at databases of the open directory that are in the table. For one thread at a time. */
final class Examiner {
    private final PathTable table;
    private final DatabaseLook look;
    private final Twins twins;
    private final ScanEvents events;
    private final StatBuffer stat = new StatBuffer();
    private final byte[] name = new byte[DirectoryPath.NAME_BYTES_MAX];

    Examiner(PathTable table, DatabaseLook look, Twins twins, ScanEvents events) {
        this.table = table;
        this.look = look;
        this.twins = twins;
        this.events = events;
    }

    /**
     * Looks at one database.
     *
     * @param sidesSuffice the directory did not change, so known side files that did not move prove that nothing did
     * @param sidesKnown a listing showed which side files there are; else both are looked for
     */
    void examine(int row, boolean sidesSuffice, boolean sidesKnown, long nowNanos) {
        int length;
        int flags;
        int sides;
        try (PathTable.Locked locked = table.lock()) {
            Rows rows = locked.rows();
            if (!rows.isLive(row)) {
                return;
            }
            length = rows.nameLength(row);
            rows.copyName(row, name, 0);
            flags = rows.flags(row);
            sides = rows.sides(row);
        }
        boolean wary = !sidesKnown || (flags & Rows.LOOK) != 0;
        boolean wal = wary || (flags & Rows.WAL) != 0;
        boolean journal = wary || (flags & Rows.JOURNAL) != 0;
        boolean seen = (flags & Rows.SEEN) != 0;
        if (sidesSuffice && seen && !wary && ((!wal && !journal) || look.sides(name, length, wal, journal) == sides)) {
            return;
        }
        int errno = look.statHere(name, length, stat);
        if (errno == DirectoryReader.ENOENT) {
            missing(row);
            return;
        }
        if (errno != 0 || !stat.isRegularFile()) {
            unknown(row, errno == 0 ? "it is no regular file any more" : Errno.text(errno));
            return;
        }
        DatabaseStamp stamp = look.stamp(name, length, stat, wal, journal, nowNanos);
        if (stamp == null) {
            unknown(row, Errno.text(look.errno()));
            return;
        }
        compare(row, stamp);
    }

    private void missing(int row) {
        try (PathTable.Locked locked = table.lock()) {
            if (locked.rows().isLive(row) && locked.rows().tier(row) != Tier.GONE) {
                locked.rows().setMissing(row, true);
            }
        }
    }

    private void unknown(int row, String why) {
        try (PathTable.Locked locked = table.lock()) {
            if (!locked.rows().isLive(row)) {
                return;
            }
            locked.rows().set(row, Rows.LOOK, true);
        }
        events.unknown(row, why);
    }

    private void compare(int row, DatabaseStamp stamp) {
        boolean replaced;
        try (PathTable.Locked locked = table.lock()) {
            replaced = locked.rows().isLive(row) && locked.rows().identity(row) != stamp.identity();
        }
        if (replaced) {
            int owner = twins.otherOwner(stat, row);
            if (owner != PathTable.NONE) {
                unknown(row, "it is the same file as another database now: " + PathText.of(table.pathBytes(owner)));
                return;
            }
        }
        Rows.Observed observed;
        try (PathTable.Locked locked = table.lock()) {
            if (!locked.rows().isLive(row)) {
                return;
            }
            observed = locked.rows().observe(row, stamp);
        }
        switch (observed) {
            case BUSY, UNCHANGED -> {}
            case WRITTEN -> events.written(row, false);
            case REPLACED -> events.written(row, true);
        }
    }
}
