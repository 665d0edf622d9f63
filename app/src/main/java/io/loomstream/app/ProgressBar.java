package io.loomstream.app;

import io.loomstream.engine.restore.OldFormatPlan;
import io.loomstream.engine.restore.RestorePlan;
import io.loomstream.engine.restore.RestoreProgress;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import java.util.function.LongSupplier;

/**
 * One line on a terminal that says how far a restore is: share and rate of the bytes read from the replica. Written over
 * itself a few times a second, and removed at the end. One thread.
 */
final class ProgressBar implements RestoreProgress {
    private static final long REDRAW_NANOS = Duration.ofMillis(200).toNanos();
    private static final int CELLS = 24;
    private static final String ERASE_LINE = "\r\033[K";
    private static final double MEGABYTE = 1e6;

    private final PrintStream terminal;
    private final LongSupplier nanoTime;
    private long beganNanos;
    private long drawnNanos;
    private long totalBytes;
    private boolean drawn;

    ProgressBar(PrintStream terminal, LongSupplier nanoTime) {
        this.terminal = terminal;
        this.nanoTime = nanoTime;
    }

    /** Whether the error stream is a terminal: the launcher says so, since Java 21 cannot tell. */
    static boolean wanted() {
        return Boolean.getBoolean("loomstream.terminal");
    }

    @Override
    public void planned(RestorePlan plan) {
        begin(plan.totalBytes());
    }

    @Override
    public void planned(OldFormatPlan plan) {
        begin(0); // what is read is not counted there
    }

    private void begin(long bytes) {
        totalBytes = bytes;
        beganNanos = nanoTime.getAsLong();
        drawnNanos = beganNanos;
    }

    @Override
    public void written(long bytes) {
        if (totalBytes == 0 && due()) {
            draw(String.format(Locale.ROOT, "%.0f MB, %.0f MB/s", bytes / MEGABYTE, rate(bytes)));
        }
    }

    @Override
    public void read(long bytes) {
        if (totalBytes == 0 || !due()) {
            return;
        }
        double share = Math.min(1.0, (double) bytes / totalBytes);
        int full = (int) (share * CELLS);
        draw(String.format(
                Locale.ROOT,
                "[%s%s] %3.0f%%  %.0f of %.0f MB, %.0f MB/s",
                "#".repeat(full),
                ".".repeat(CELLS - full),
                100 * share,
                bytes / MEGABYTE,
                totalBytes / MEGABYTE,
                rate(bytes)));
    }

    private boolean due() {
        long now = nanoTime.getAsLong();
        if (now - drawnNanos < REDRAW_NANOS) {
            return false;
        }
        drawnNanos = now;
        return true;
    }

    private double rate(long bytes) {
        double seconds = (nanoTime.getAsLong() - beganNanos) / 1e9;
        return seconds > 0 ? bytes / MEGABYTE / seconds : 0;
    }

    private void draw(String line) {
        terminal.print(ERASE_LINE + "restoring " + line);
        terminal.flush();
        drawn = true;
    }

    @Override
    public void ended() {
        if (drawn) {
            drawn = false;
            terminal.print(ERASE_LINE);
            terminal.flush();
        }
    }
}
