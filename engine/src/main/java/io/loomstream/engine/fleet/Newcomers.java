package io.loomstream.engine.fleet;

import io.loomstream.engine.fleet.ScanListener.Refusal;
import io.loomstream.engine.posix.DirectoryReader;
import io.loomstream.engine.posix.StatBuffer;
import java.util.Arrays;

/** Decides about names that a listing showed for the first time. For one thread at a time. */
final class Newcomers {
    private final PathTable table;
    private final Selection selection;
    private final FileView view;
    private final DatabaseLook look;
    private final Twins twins;
    private final ScanEvents events;
    private final PassWork work;
    private final StatBuffer stat = new StatBuffer();
    private final StatBuffer target = new StatBuffer();
    private boolean troubled;

    Newcomers(
            PathTable table,
            Selection selection,
            FileView view,
            DatabaseLook look,
            Twins twins,
            ScanEvents events,
            PassWork work) {
        this.table = table;
        this.selection = selection;
        this.view = view;
        this.look = look;
        this.twins = twins;
        this.events = events;
        this.work = work;
    }

    /** A name in a directory: bytes, and the whole path behind them. */
    @SuppressWarnings("ArrayRecordComponent") // never compared: only carries four arguments around
    private record Name(int directory, byte[] bytes, int length, byte[] path, int pathLength) {
        byte[] pathCopy() {
            return Arrays.copyOf(path, pathLength);
        }
    }

    /**
     * Enters a directory, adds a database, refuses or passes over anything else.
     *
     * @param type a TYPE constant of {@link DirectoryReader}
     */
    void meet(int directory, DirectoryPath path, byte[] bytes, int length, int type, long nowNanos) {
        Name name = new Name(directory, bytes, length, path.bytes(), path.append(bytes, length));
        boolean mayBeDirectory =
                !Selection.isMetaDirectory(bytes, length) && selection.mayHoldMatches(name.path, name.pathLength);
        int pattern =
                Selection.isSideFile(bytes, length) ? Selection.NONE : selection.patternOf(name.path, name.pathLength);
        boolean mayBeDatabase = pattern != Selection.NONE && type != DirectoryReader.TYPE_DIRECTORY;
        boolean certainFile = type == DirectoryReader.TYPE_REGULAR;
        if (!mayBeDatabase && (!mayBeDirectory || certainFile)) {
            return;
        }
        if (name.pathLength > DirectoryTable.PATH_BYTES_MAX) {
            events.refused(name.pathCopy(), Refusal.PATH_TOO_LONG, PathTable.NONE);
            return;
        }
        if (type == DirectoryReader.TYPE_DIRECTORY) {
            enter(name);
            return;
        }
        int errno = look.statHere(bytes, length, stat);
        if (errno == DirectoryReader.ENOENT) {
            return;
        }
        if (errno != 0) {
            unreadable(name, errno);
        } else if (stat.isDirectory()) {
            if (mayBeDirectory) {
                enter(name);
            }
        } else if (stat.isLink()) {
            meetLink(name, mayBeDirectory, pattern);
        } else if (pattern != Selection.NONE) {
            meetFile(name, pattern, nowNanos);
        }
    }

    private void unreadable(Name name, int errno) {
        troubled = true;
        events.unreadable(name.pathCopy(), Errno.text(errno));
    }

    /** Whether something could not be looked at since this was asked last: its directory must be listed again. */
    boolean takeTroubled() {
        boolean was = troubled;
        troubled = false;
        return was;
    }

    private void meetLink(Name name, boolean mayBeDirectory, int pattern) {
        if (view.stat(name.path, name.pathLength, true, target) == 0 && target.isDirectory()) {
            if (mayBeDirectory && selection.followsLinks()) {
                enter(name);
            }
        } else if (pattern != Selection.NONE) {
            events.refused(name.pathCopy(), Refusal.SYMBOLIC_LINK, PathTable.NONE);
        }
    }

    private void enter(Name name) {
        int child;
        try (PathTable.Locked locked = table.lock()) {
            DirectoryTable directories = locked.directories();
            if (directories.find(name.directory, name.bytes, name.length) != DirectoryTable.NONE) {
                return;
            }
            child = directories.add(name.directory, name.bytes, name.length);
        }
        work.found(child);
    }

    private void meetFile(Name name, int pattern, long nowNanos) {
        if (!stat.isRegularFile()) {
            events.refused(name.pathCopy(), Refusal.NOT_A_FILE, PathTable.NONE);
            return;
        }
        int known;
        try (PathTable.Locked locked = table.lock()) {
            known = locked.rows().find(name.directory, name.bytes, name.length);
        }
        int owner = twins.otherOwner(stat, known); // one that was GONE may come back as it was
        if (owner != PathTable.NONE) {
            events.refused(name.pathCopy(), Refusal.SAME_FILE, owner);
            return;
        }
        DatabaseStamp stamp = look.stamp(name.bytes, name.length, stat, true, true, nowNanos);
        if (stamp == null) {
            unreadable(name, look.errno());
            return;
        }
        int row;
        try (PathTable.Locked locked = table.lock()) {
            Rows rows = locked.rows();
            row = rows.find(name.directory, name.bytes, name.length);
            if (row == Rows.NONE) {
                row = rows.add(name.directory, name.bytes, name.length, pattern);
            } else if (rows.tier(row) == Tier.GONE) {
                rows.setTier(row, Tier.DISCOVERED);
            } else {
                return;
            }
            rows.discovered(row, stamp);
            rows.set(row, Rows.SEEN, true);
        }
        events.appeared(row);
    }
}
