package io.loomstream.engine.fleet;

import io.loomstream.engine.posix.StatBuffer;
import io.loomstream.engine.sync.FileFingerprint;
import io.loomstream.engine.sync.RacyTimes;

/**
 * Digests of stat results. The catalog keeps them: a change of the arithmetic makes every database unproven once, which is
 * safe, and reads every database once, which is not cheap.
 */
final class FileDigest {
    /** Stands for "no such file". */
    static final long ABSENT = 0x5EED_0F_AB5E_17L;

    private FileDigest() {}

    static long of(StatBuffer stat) {
        return of(
                stat.device(),
                stat.inode(),
                stat.bornNanos(),
                stat.sizeBytes(),
                stat.modifiedNanos(),
                stat.changedNanos());
    }

    /**
     * Without the time of the inode's last change, for a WAL: SQLite, run by root, gives the file its owner each time it
     * opens it, which moves that time of a file that nobody wrote to. A write moves the time of the content's last change.
     */
    static long ofContent(StatBuffer wal) {
        return of(
                wal.device(), wal.inode(), wal.bornNanos(), wal.sizeBytes(), wal.modifiedNanos(), wal.modifiedNanos());
    }

    /** As {@link #isRacy}, for what {@link #ofContent} digests. */
    static boolean isContentRacy(StatBuffer wal, long nowNanos) {
        return !RacyTimes.prove(wal.modifiedNanos(), wal.modifiedNanos(), nowNanos);
    }

    static long of(FileFingerprint file) {
        return file.isAbsent()
                ? ABSENT
                : of(
                        file.device(),
                        file.inode(),
                        file.bornNanos(),
                        file.sizeBytes(),
                        file.modifiedNanos(),
                        file.changedNanos());
    }

    private static long of(long device, long inode, long born, long size, long modified, long changed) {
        return mix(mix(mix(mix(mix(mix(1, device), inode), born), size), modified), changed);
    }

    /** One digest for a database and its side files; never 0. */
    static long combine(long file, long wal, long journal) {
        return notZero(mix(mix(mix(2, file), wal), journal));
    }

    /** One for the side files; never 0. */
    static int sides(long wal, long journal) {
        return fold(mix(mix(3, wal), journal));
    }

    /** Which file it is, whatever its content; never 0. */
    static int identity(long device, long inode, long bornNanos) {
        return fold(mix(mix(mix(4, device), inode), bornNanos));
    }

    static int identity(StatBuffer stat) {
        return identity(stat.device(), stat.inode(), stat.bornNanos());
    }

    /** Whether a later change could leave the very same times. */
    static boolean isRacy(StatBuffer stat, long nowNanos) {
        return !RacyTimes.prove(stat.changedNanos(), stat.modifiedNanos(), nowNanos);
    }

    /** A 64-bit finalizer (SplitMix64's) over the running value and the next one. */
    private static long mix(long state, long value) {
        long z = (state ^ value) * 0x9E3779B97F4A7C15L + value;
        z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        return z ^ z >>> 31;
    }

    private static long notZero(long digest) {
        return digest == 0 ? 1 : digest;
    }

    private static int fold(long digest) {
        int folded = (int) (digest ^ digest >>> 32);
        return folded == 0 ? 1 : folded;
    }
}
