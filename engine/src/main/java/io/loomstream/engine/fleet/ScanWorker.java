package io.loomstream.engine.fleet;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.fleet.ScanListener.Refusal;
import io.loomstream.engine.posix.DirectoryReader;
import io.loomstream.engine.posix.StatBuffer;
import java.time.Instant;

/**
 * One thread's part in a pass: visits directories. A directory is stated before it is listed, and listed before its files
 * are stated, so whatever happens after a stat shows in the next pass.
 */
final class ScanWorker {
    private static final int YIELD_EVERY = 256;
    private static final long NANOS_PER_SECOND = 1_000_000_000L;

    private final PathTable table;
    private final FileView view;
    private final Time time;
    private final ScanEvents events;
    private final PassWork work;
    private final DatabaseLook look;
    private final Twins twins;
    private final Newcomers newcomers;
    private final Examiner examiner;

    private final StatBuffer stat = new StatBuffer();
    private final DirectoryPath path = new DirectoryPath();
    private final byte[] name = new byte[DirectoryPath.NAME_BYTES_MAX];
    private final Listing listing = new Listing();
    private final Ids unfamiliar = new Ids();
    private final Ids rowIds = new Ids();

    private long directoriesStated;
    private long directoriesListed;
    private long cpuNanos;

    ScanWorker(PathTable table, Selection selection, FileView view, Time time, ScanEvents events, PassWork work) {
        this.table = table;
        this.view = view;
        this.time = time;
        this.events = events;
        this.work = work;
        this.look = new DatabaseLook(view);
        this.twins = new Twins(table, view);
        this.newcomers = new Newcomers(table, selection, view, look, twins, events, work);
        this.examiner = new Examiner(table, look, twins, events);
    }

    PassReport.Work done() {
        return new PassReport.Work(directoriesStated, directoriesListed, look.filesStated());
    }

    long cpuNanos() {
        return cpuNanos;
    }

    /** Visits directories until none is left. */
    @SuppressWarnings("ThreadPriorityCheck") // system calls never let go of a virtual thread's carrier; this does
    void run() throws InterruptedException {
        int visits = 0;
        for (int directory; (directory = work.take()) != PathTable.NONE; ) {
            if (++visits % YIELD_EVERY == 0) {
                Thread.yield();
                if (Thread.interrupted()) {
                    throw new InterruptedException();
                }
            }
            measured(directory);
        }
    }

    private void measured(int directory) {
        long wall = time.nanoTime();
        long cpu = view.threadCpuNanos();
        try {
            visit(directory);
        } finally {
            view.close();
            // A wait for the table's lock may end on another carrier thread: then the difference means nothing.
            long used = cpu < 0 ? 0 : view.threadCpuNanos() - cpu;
            cpuNanos += Math.clamp(used, 0, Math.max(0, time.nanoTime() - wall));
        }
    }

    private void visit(int directory) {
        if (!path.load(table, directory)) {
            return;
        }
        long nowNanos = nowNanos();
        directoriesStated++;
        int errno = path.stat(view, stat);
        if (errno == DirectoryReader.ENOENT) {
            vanished(directory);
            return;
        }
        if (errno != 0 || !stat.isDirectory()) {
            events.unreadable(path.copy(), errno == 0 ? "it is no directory" : Errno.text(errno));
            return;
        }
        long digest = FileDigest.of(stat);
        boolean racy = FileDigest.isRacy(stat, nowNanos);
        boolean changed;
        try (PathTable.Locked locked = table.lock()) {
            changed = racy || locked.directories().isChanged(directory, digest);
        }
        if (changed && !twins.isServed(directory, stat)) {
            events.refused(path.copy(), Refusal.SAME_DIRECTORY, PathTable.NONE);
        } else if (changed || work.sweepsDirectory(directory)) {
            list(directory, changed, nowNanos, digest, racy);
        } else {
            lookAtKnownSideFiles(directory, nowNanos);
        }
    }

    private long nowNanos() {
        Instant now = time.now();
        return now.getEpochSecond() * NANOS_PER_SECOND + now.getNano();
    }

    private void vanished(int directory) {
        try (PathTable.Locked locked = table.lock()) {
            Rows rows = locked.rows();
            rows.reclaim(directory);
            for (int row = rows.first(directory); row != Rows.NONE; row = rows.next(row)) {
                if (rows.isLive(row) && rows.tier(row) != Tier.GONE) {
                    rows.setMissing(row, true);
                }
            }
            locked.directories().setListed(directory, 0, false);
            if (locked.directories().isRemovable(directory)) {
                locked.directories().remove(directory);
            }
        }
    }

    private void lookAtKnownSideFiles(int directory, long nowNanos) {
        rowIds.clear();
        try (PathTable.Locked locked = table.lock()) {
            Rows rows = locked.rows();
            for (int row = rows.first(directory); row != Rows.NONE; row = rows.next(row)) {
                if (rows.isLive(row)
                        && rows.tier(row).isSettled()
                        && (rows.has(row, Rows.WAL | Rows.JOURNAL | Rows.LOOK) || work.sweepsRow(row))) {
                    rowIds.add(row);
                }
            }
        }
        if (rowIds.size() == 0) {
            return;
        }
        int errno = path.open(view);
        if (errno != 0) {
            events.unreadable(path.copy(), Errno.text(errno));
            return;
        }
        for (int i = 0; i < rowIds.size(); i++) {
            boolean swept = work.sweepsRow(rowIds.get(i));
            examiner.examine(rowIds.get(i), !swept, !swept, nowNanos);
        }
    }

    private void list(int directory, boolean changed, long nowNanos, long digest, boolean racy) {
        int errno = path.open(view);
        if (errno == 0) {
            errno = readListing();
        }
        if (errno != 0) {
            // Half a listing says nothing about what is not in it.
            events.unreadable(path.copy(), Errno.text(errno));
            return;
        }
        begin(directory);
        unfamiliar.clear();
        for (int entry = 0; entry < listing.size(); entry++) {
            if (!recognize(directory, entry)) {
                unfamiliar.add(entry);
            }
        }
        for (int i = 0; i < unfamiliar.size(); i++) {
            int entry = unfamiliar.get(i);
            newcomers.meet(directory, path, name, listing.name(entry, name), listing.type(entry), nowNanos);
        }
        lookAtAll(directory, changed, nowNanos);
        boolean again = newcomers.takeTroubled() || racy;
        try (PathTable.Locked locked = table.lock()) {
            locked.directories().setListed(directory, digest, again);
        }
    }

    private int readListing() {
        directoriesListed++;
        listing.clear();
        int got;
        while ((got = view.next()) == 1) {
            listing.add(view.name(), view.nameLength(), view.type());
        }
        return -got;
    }

    private void begin(int directory) {
        try (PathTable.Locked locked = table.lock()) {
            Rows rows = locked.rows();
            rows.reclaim(directory);
            for (int row = rows.first(directory); row != Rows.NONE; row = rows.next(row)) {
                rows.set(row, Rows.SEEN | Rows.WAL | Rows.JOURNAL, false);
            }
        }
    }

    /** Ticks off an entry that belongs to what is known: a database, a side file, a directory. */
    private boolean recognize(int directory, int entry) {
        int length = listing.name(entry, name);
        boolean plain = listing.type(entry) == DirectoryReader.TYPE_REGULAR;
        boolean wal = Selection.endsWith(name, length, Selection.WAL);
        boolean journal = Selection.endsWith(name, length, Selection.JOURNAL);
        try (PathTable.Locked locked = table.lock()) {
            Rows rows = locked.rows();
            if (wal || journal) {
                int suffix = wal ? Selection.WAL.length : Selection.JOURNAL.length;
                int row = rows.find(directory, name, length - suffix);
                if (row != Rows.NONE) {
                    rows.set(row, wal ? Rows.WAL : Rows.JOURNAL, true);
                }
                return plain;
            }
            int row = rows.find(directory, name, length);
            if (row != Rows.NONE && rows.tier(row) != Tier.GONE) {
                rows.set(row, Rows.SEEN, true);
                rows.setMissing(row, false);
                return plain;
            }
            return row == Rows.NONE && locked.directories().find(directory, name, length) != DirectoryTable.NONE;
        }
    }

    private void lookAtAll(int directory, boolean changed, long nowNanos) {
        rowIds.clear();
        try (PathTable.Locked locked = table.lock()) {
            Rows rows = locked.rows();
            for (int row = rows.first(directory); row != Rows.NONE; row = rows.next(row)) {
                if (rows.isLive(row)
                        && rows.tier(row) != Tier.GONE
                        && (rows.tier(row).isSettled() || !rows.has(row, Rows.SEEN))) {
                    rowIds.add(row);
                }
            }
        }
        for (int i = 0; i < rowIds.size(); i++) {
            int row = rowIds.get(i);
            examiner.examine(row, !changed && !work.sweepsRow(row), true, nowNanos);
        }
    }
}
