package io.loomstream.app;

import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.restore.ManyRestores;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

/**
 * Says how far the restore of many databases is: a bar that is written over itself on a terminal, else a line every ten
 * seconds. Each failure has a line of its own at once. Thread-safe.
 */
final class FleetProgress implements ManyRestores.Listener {
    private static final long REDRAW_NANOS = Duration.ofMillis(200).toNanos();
    private static final long LINE_NANOS = Duration.ofSeconds(10).toNanos();
    private static final int CELLS = 24;
    private static final String ERASE_LINE = "\r\033[K";
    private static final double MEGABYTE = 1e6;

    private final PrintStream err;
    private final boolean terminal;
    private final LongSupplier nanoTime;
    private final long beganNanos;
    private final ReentrantLock lock = new ReentrantLock();
    // All guarded by lock.
    private long saidNanos;
    private boolean drawn;
    private long expected;
    private long restored;
    private long complete;
    private long failed;
    private long restoredBytes;

    FleetProgress(PrintStream err, boolean terminal, LongSupplier nanoTime) {
        this.err = err;
        this.terminal = terminal;
        this.nanoTime = nanoTime;
        this.beganNanos = nanoTime.getAsLong();
        this.saidNanos = beganNanos;
    }

    /** How many databases there will be, where that is known beforehand. */
    void expect(long databases) {
        lock.lock();
        try {
            expected = databases;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void restored(ManyRestores.Job job, Txid reached, long bytes) {
        counted(() -> {
            restored++;
            restoredBytes += bytes;
        });
    }

    @Override
    public void alreadyComplete(ManyRestores.Job job) {
        counted(() -> complete++);
    }

    @Override
    public void failed(ManyRestores.Job job, String why) {
        failed(job.name(), why);
    }

    /** One that could not even be begun. */
    void failed(String name, String why) {
        counted(() -> {
            failed++;
            erase();
            err.println("FAILED " + name + ": " + why);
        });
    }

    private void counted(Runnable change) {
        lock.lock();
        try {
            change.run();
            long now = nanoTime.getAsLong();
            if (now - saidNanos >= (terminal ? REDRAW_NANOS : LINE_NANOS)) {
                saidNanos = now;
                say(now);
            }
        } finally {
            lock.unlock();
        }
    }

    private void say(long now) {
        String text = counts() + rate(now);
        if (!terminal) {
            err.println("restoring: " + text);
            return;
        }
        int full = expected == 0 ? 0 : (int) Math.min(CELLS, CELLS * done() / expected);
        String bar = expected == 0 ? "" : "[" + "#".repeat(full) + ".".repeat(CELLS - full) + "] ";
        err.print(ERASE_LINE + "restoring " + bar + text);
        err.flush();
        drawn = true;
    }

    private String counts() {
        return done() + (expected == 0 ? "" : " of " + expected) + " databases, " + failed + " failed";
    }

    private String rate(long now) {
        double seconds = (now - beganNanos) / 1e9;
        double megabytes = restoredBytes / MEGABYTE;
        return String.format(Locale.ROOT, ", %.1f MB, %.1f MB/s", megabytes, seconds > 0 ? megabytes / seconds : 0);
    }

    private long done() {
        return restored + complete + failed;
    }

    private void erase() {
        if (drawn) {
            drawn = false;
            err.print(ERASE_LINE);
        }
    }

    /** Takes the bar away. */
    void end() {
        lock.lock();
        try {
            erase();
            err.flush();
        } finally {
            lock.unlock();
        }
    }

    /** What it all came to. */
    String summary() {
        lock.lock();
        try {
            double seconds = (nanoTime.getAsLong() - beganNanos) / 1e9;
            return String.format(
                    Locale.ROOT,
                    "restored %d databases, %.1f MB, in %.1f s; %d were complete already; %d failed",
                    restored,
                    restoredBytes / MEGABYTE,
                    seconds,
                    complete,
                    failed);
        } finally {
            lock.unlock();
        }
    }

    /** Databases that were looked at, whatever became of them. */
    long total() {
        lock.lock();
        try {
            return done();
        } finally {
            lock.unlock();
        }
    }

    long failures() {
        lock.lock();
        try {
            return failed;
        } finally {
            lock.unlock();
        }
    }
}
