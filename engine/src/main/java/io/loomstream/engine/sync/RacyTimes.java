package io.loomstream.engine.sync;

import java.time.Duration;

/** Git's rule for times that prove nothing yet, with the numbers that this kernel's and common file systems' clocks need. */
public final class RacyTimes {
    /** Several ticks of the slowest kernel clock that stamps files (10 ms). */
    static final Duration FINE_MARGIN = Duration.ofMillis(50);

    /** FAT keeps two seconds, ext3 and old NFS one; the kernel's clock lags behind on those too. */
    static final Duration COARSE_MARGIN = Duration.ofSeconds(2).plus(FINE_MARGIN);

    /** A clock that was wrong by more than this is not waited for: a change would have to meet the very tick again. */
    private static final long FUTURE_NANOS = Duration.ofDays(1).toNanos();

    private static final long NANOS_PER_MICRO = 1_000;

    private RacyTimes() {}

    /**
     * Whether a later change could leave the very same times: the file system's clock may still be in the tick that they
     * name. Every write moves the time of the inode's last change, which nobody can set; the time of the content's last
     * change counts too, where file systems keep only that one, but not when a person set it into the future.
     *
     * @param nowNanos the wall clock before the stat, nanoseconds since the epoch
     */
    public static boolean prove(long changedNanos, long modifiedNanos, long nowNanos) {
        boolean changeIsRacy = changedNanos > nowNanos - margin(changedNanos) && changedNanos < nowNanos + FUTURE_NANOS;
        boolean contentIsRacy =
                modifiedNanos > nowNanos - margin(modifiedNanos) && modifiedNanos < nowNanos + margin(modifiedNanos);
        return !changeIsRacy && !contentIsRacy;
    }

    /** A time that is whole microseconds comes, most likely, from a file system that keeps no nanoseconds. */
    private static long margin(long timeNanos) {
        return (timeNanos % NANOS_PER_MICRO == 0 ? COARSE_MARGIN : FINE_MARGIN).toNanos();
    }
}
