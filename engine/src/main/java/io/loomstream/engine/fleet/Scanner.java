package io.loomstream.engine.fleet;

import io.loomstream.engine.concurrent.TaskScope;
import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.posix.DirectoryReader;
import io.loomstream.engine.posix.Posix;
import io.loomstream.engine.posix.StatBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * Finds a fleet's databases and notices which of them were written, by stats alone: no database is ever opened. In WAL mode a
 * write either changes a {@code -wal} file or makes one, and making one changes the directory's time. So a pass stats every
 * directory; those that changed, or changed so lately that their time proves nothing, are listed and their databases and side
 * files stated; in the others only side files known to exist are. A sweep over everything, spread over a longer time, finds
 * what was changed by other means.
 *
 * <p>Thread-safe; passes wait for each other.
 */
public final class Scanner {
    private static final Duration SPLIT_ABOVE = Duration.ofSeconds(1);
    private static final Duration JOIN_BELOW = Duration.ofMillis(400);

    /** A clock set back by less can only be its steering. */
    private static final Duration CLOCK_STEP = Duration.ofMillis(20);

    private static final int INCIDENT_DIVISOR = 10;

    /** In a small fleet a tenth is one database. */
    private static final int INCIDENT_MIN = 10;

    private final PathTable table;
    private final Selection selection;
    private final Supplier<FileView> views;
    private final Time time;
    private final ScanListener listener;
    private final Duration sweepInterval;
    private final ReentrantLock passLock = new ReentrantLock();

    // All guarded by passLock.
    private final List<FileView> openViews = new ArrayList<>();
    private long passes;
    private int tasks = 1;
    private Instant lastWall = Instant.MIN;
    private long lastNanos;
    private final Sweep directorySweep = new Sweep();
    private final Sweep rowSweep = new Sweep();

    private volatile boolean vanishedAccepted;

    Scanner(
            PathTable table,
            Selection selection,
            Supplier<FileView> views,
            Time time,
            ScanListener listener,
            Duration sweepInterval) {
        this.table = table;
        this.selection = selection;
        this.views = views;
        this.time = time;
        this.listener = listener;
        this.sweepInterval = sweepInterval;
        try (PathTable.Locked locked = table.lock()) {
            for (String root : selection.roots()) {
                byte[] path = root.equals("/") ? new byte[0] : root.getBytes(StandardCharsets.UTF_8);
                if (locked.directories().find(DirectoryTable.NONE, path, path.length) == DirectoryTable.NONE) {
                    locked.directories().add(DirectoryTable.NONE, path, path.length);
                }
            }
        }
    }

    /**
     * Makes a scanner that fills a table of its own.
     *
     * @param sweepInterval in what time the sweep comes round
     */
    public static Scanner of(
            PathTable table,
            Selection selection,
            Optional<Posix> posix,
            Time time,
            ScanListener listener,
            Duration sweepInterval) {
        return new Scanner(table, selection, () -> FileView.of(posix), time, listener, sweepInterval);
    }

    /**
     * Makes one pass; the first one, and one after the clock was set back, looks at everything.
     *
     * @throws InterruptedException when interrupted; what was seen until then stays
     */
    public PassReport pass() throws InterruptedException {
        return pass(false);
    }

    /** Makes a pass that lists every directory and looks at every settled database. */
    public PassReport fullPass() throws InterruptedException {
        return pass(true);
    }

    private PassReport pass(boolean wanted) throws InterruptedException {
        passLock.lockInterruptibly();
        try {
            long start = time.nanoTime();
            boolean full = wanted || passes == 0 || clockWentBack(start);
            PassWork work = plan(full, start);
            passes++;
            ScanEvents events = new ScanEvents(listener);
            List<ScanWorker> workers = visitAll(work, events);
            int missing = settleMissing(events);
            PassReport.Work done = new PassReport.Work(0, 0, 0);
            long cpu = 0;
            for (ScanWorker worker : workers) {
                done = done.plus(worker.done());
                cpu += worker.cpuNanos();
            }
            long wall = time.nanoTime() - start;
            PassReport report =
                    new PassReport(passes, full, workers.size(), table.size(), done, events.counts(missing), wall, cpu);
            if (wall > SPLIT_ABOVE.toNanos()) {
                tasks = 2;
            } else if (wall < JOIN_BELOW.toNanos()) {
                tasks = 1;
            }
            events.finished(report);
            return report;
        } finally {
            passLock.unlock();
        }
    }

    /** Times that were proof until now can come again when the wall clock is set back. */
    private boolean clockWentBack(long nowNanos) {
        Instant expected = lastWall.plusNanos(nowNanos - lastNanos).minus(CLOCK_STEP);
        return time.now().isBefore(expected);
    }

    private PassWork plan(boolean full, long nowNanos) {
        int directories;
        int rows;
        try (PathTable.Locked locked = table.lock()) {
            directories = locked.directories().limit();
            rows = locked.rows().limit();
        }
        double share = Math.min(1, (double) (nowNanos - lastNanos) / sweepInterval.toNanos());
        lastWall = time.now();
        lastNanos = nowNanos;
        if (full) {
            return new PassWork(directories, PassWork.Window.everything(), PassWork.Window.everything());
        }
        return new PassWork(directories, directorySweep.next(share, directories), rowSweep.next(share, rows));
    }

    /** Where a sweep has got to. Parts of an id are kept, so that a short time sweeps nothing and many add up. */
    private static final class Sweep {
        private int cursor;
        private double due;

        PassWork.Window next(double share, int limit) {
            due = Math.min(limit, due + share * limit);
            int count = (int) due;
            due -= count;
            PassWork.Window window = PassWork.Window.after(cursor, count, limit);
            cursor = window.end();
            return window;
        }
    }

    private List<ScanWorker> visitAll(PassWork work, ScanEvents events) throws InterruptedException {
        while (openViews.size() < tasks) {
            openViews.add(views.get());
        }
        List<ScanWorker> workers = new ArrayList<>();
        for (FileView view : openViews.subList(0, tasks)) {
            workers.add(new ScanWorker(table, selection, view, time, events, work));
        }
        if (workers.size() == 1) {
            workers.getFirst().run();
            return workers;
        }
        try (TaskScope scope = TaskScope.open("scan")) {
            for (ScanWorker worker : workers) {
                scope.fork(() -> {
                    worker.run();
                    return null;
                });
            }
            scope.join();
        }
        return workers;
    }

    /** Decides about the databases whose files were not there; how many stay undecided. */
    private int settleMissing(ScanEvents events) {
        Ids missing = missingRows();
        if (missing.size() == 0) {
            vanishedAccepted = false;
            return 0;
        }
        Ids moved = new Ids();
        Ids vanished = new Ids();
        for (int i = 0; i < missing.size(); i++) {
            int row = missing.get(i);
            if (isStillMissing(row, events)) {
                (hasMoved(row) ? moved : vanished).add(row);
            }
        }
        int known = table.size() - table.count(Tier.GONE) - moved.size();
        boolean many = vanished.size() >= INCIDENT_MIN || (vanished.size() == known && known > 1);
        boolean incident = many && vanished.size() * (long) INCIDENT_DIVISOR > known && !vanishedAccepted;
        bury(moved, events);
        if (incident) {
            events.incident(vanished.size(), known);
            return vanished.size();
        }
        bury(vanished, events);
        vanishedAccepted = false;
        return 0;
    }

    private Ids missingRows() {
        Ids found = new Ids();
        try (PathTable.Locked locked = table.lock()) {
            Rows rows = locked.rows();
            int expected = rows.missing();
            for (int row = 0; found.size() < expected; row++) {
                if (rows.isLive(row) && rows.has(row, Rows.MISSING)) {
                    found.add(row);
                }
            }
        }
        return found;
    }

    private boolean isStillMissing(int row, ScanEvents events) {
        byte[] path = table.pathBytes(row);
        int errno = openViews.getFirst().stat(path, path.length, false, new StatBuffer());
        if (errno == DirectoryReader.ENOENT) {
            return true;
        }
        try (PathTable.Locked locked = table.lock()) {
            locked.rows().setMissing(row, false);
            locked.rows().set(row, Rows.LOOK, true);
        }
        if (errno != 0) {
            events.unknown(row, Errno.text(errno));
        }
        return false;
    }

    /** Whether the very file is known under another path now: a rename, however many at once, is no incident. */
    private boolean hasMoved(int row) {
        try (PathTable.Locked locked = table.lock()) {
            Rows rows = locked.rows();
            for (int other : rows.withIdentity(rows.identity(row), row)) {
                if (!rows.has(other, Rows.MISSING) && rows.tier(other) != Tier.GONE) {
                    return true;
                }
            }
            return false;
        }
    }

    private void bury(Ids gone, ScanEvents events) {
        for (int i = 0; i < gone.size(); i++) {
            int row = gone.get(i);
            try (PathTable.Locked locked = table.lock()) {
                locked.rows().setTier(row, Tier.GONE);
            }
            events.gone(row);
        }
    }

    /** Lets the next pass take what vanished for deleted, however much it is. */
    public void acceptVanished() {
        vanishedAccepted = true;
    }

    /**
     * Passes for ever, a pause between one's end and the next one's start.
     *
     * @param interval from start to start; a pass that takes more than a quarter of it makes the next pause longer
     * @throws InterruptedException when interrupted: the only way it ends
     */
    public void run(Duration interval) throws InterruptedException {
        while (true) {
            time.sleep(pauseAfter(pass(), interval));
        }
    }

    /** How long to pause after a pass: to the next start, but never less than three times as long as it took. */
    static Duration pauseAfter(PassReport report, Duration interval) {
        Duration rest = interval.minusNanos(report.wallNanos());
        Duration threefold = Duration.ofNanos(report.wallNanos()).multipliedBy(3);
        return rest.compareTo(threefold) > 0 ? rest : threefold;
    }
}
