package io.loomstream.engine.sync;

import io.loomstream.engine.posix.FileStat;
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

    /** Takes the fingerprint of a stat that was done at {@code now} or later. */
    public static FileFingerprint of(Optional<FileStat> found, Instant now) {
        if (found.isEmpty()) {
            return ABSENT;
        }
        FileStat stat = found.get();
        long nowNanos = now.getEpochSecond() * 1_000_000_000L + now.getNano();
        return new FileFingerprint(
                stat.device(),
                stat.inode(),
                stat.bornNanos(),
                stat.sizeBytes(),
                stat.modifiedNanos(),
                stat.changedNanos(),
                !RacyTimes.prove(stat.changedNanos(), stat.modifiedNanos(), nowNanos));
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
