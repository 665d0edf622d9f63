package io.loomstream.engine.sync;

import io.loomstream.engine.posix.FileStat;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * What a file looked like from outside at one moment: enough to know it again unchanged. All zero stands for "no such
 * file".
 *
 * @param racy the last change was so recent when it was looked at that another one could hide in the same clock tick: it
 *     proves nothing
 */
public record FileFingerprint(
        long device, long inode, long bornNanos, long sizeBytes, long modifiedNanos, long changedNanos, boolean racy) {
    public static final FileFingerprint ABSENT = new FileFingerprint(0, 0, 0, 0, 0, 0, false);

    /** Several ticks of the slowest kernel clock that stamps files (10 ms). */
    static final Duration FINE_MARGIN = Duration.ofMillis(50);

    /** FAT keeps two seconds, ext3 and old NFS one. */
    static final Duration COARSE_MARGIN = Duration.ofSeconds(2);

    private static final long NANOS_PER_MICRO = 1_000;

    /** Takes the fingerprint of a stat that was done at {@code now} or later. */
    public static FileFingerprint of(Optional<FileStat> found, Instant now) {
        if (found.isEmpty()) {
            return ABSENT;
        }
        FileStat stat = found.get();
        long newest = Math.max(stat.modifiedNanos(), stat.changedNanos());
        // A time that is whole microseconds comes, most likely, from a file system that keeps no nanoseconds.
        Duration margin = newest % NANOS_PER_MICRO == 0 ? COARSE_MARGIN : FINE_MARGIN;
        long nowNanos = now.getEpochSecond() * 1_000_000_000L + now.getNano();
        return new FileFingerprint(
                stat.device(),
                stat.inode(),
                stat.bornNanos(),
                stat.sizeBytes(),
                stat.modifiedNanos(),
                stat.changedNanos(),
                newest > nowNanos - margin.toNanos());
    }

    /**
     * As {@link #of}, without the ctime. For the WAL: SQLite, run by root, gives the file its owner each time it opens it,
     * which moves the ctime of a file that nobody wrote to. A write moves the mtime.
     */
    public static FileFingerprint ofContent(Optional<FileStat> found, Instant now) {
        return of(found.map(FileStat::withoutChangeTime), now);
    }

    public boolean isAbsent() {
        return equals(ABSENT);
    }

    /** Whether the file, found now as {@code current}, is proven unchanged since this fingerprint was taken. */
    public boolean proves(FileFingerprint current) {
        return !racy && looksLike(current);
    }

    /** The same file, but no proof of its content. */
    FileFingerprint provingNothing() {
        return new FileFingerprint(device, inode, bornNanos, sizeBytes, modifiedNanos, changedNanos, true);
    }

    /** Whether every observed value is the same; a change within the clock's tick could still hide. */
    public boolean looksLike(FileFingerprint other) {
        return sameFile(other)
                && sizeBytes == other.sizeBytes
                && modifiedNanos == other.modifiedNanos
                && changedNanos == other.changedNanos;
    }

    /** Whether both are the same inode of the same device, born at the same moment. */
    public boolean sameFile(FileFingerprint other) {
        return device == other.device && inode == other.inode && bornNanos == other.bornNanos;
    }
}
