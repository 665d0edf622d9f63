package io.loomstream.engine.fleet;

import io.loomstream.engine.posix.StatBuffer;
import io.loomstream.engine.sync.FileFingerprint;
import org.jspecify.annotations.Nullable;

/**
 * A database's fingerprint in few bytes: what its file, its {@code -wal} and its {@code -journal} looked like at one moment,
 * digested. Two stamps with one digest are the same files, unchanged, unless the first was racy.
 *
 * @param digest of all three files, never {@link #UNPROVEN}; for the catalog to keep
 * @param sides of the two side files alone, never 0: tells cheaply that neither moved
 * @param identity of the file itself (device, inode, birth), never 0: tells a replaced file from a written one
 * @param racy something changed so shortly before the look that another change could hide in the same clock tick
 * @param writtenSeconds the youngest time of a change of content, seconds since the epoch
 */
public record DatabaseStamp(
        long digest, int sides, int identity, boolean wal, boolean journal, boolean racy, int writtenSeconds) {
    /** The digest of a database about which nothing is proven. No stamp has it. */
    public static final long UNPROVEN = 0;

    private static final long NANOS_PER_SECOND = 1_000_000_000L;

    /**
     * Digests what three stats found, the second and third null where there is no such file.
     *
     * @param nowNanos the clock before the first of the stats, nanoseconds since the epoch
     */
    static DatabaseStamp of(StatBuffer file, @Nullable StatBuffer wal, @Nullable StatBuffer journal, long nowNanos) {
        long walDigest = wal == null ? FileDigest.ABSENT : FileDigest.ofContent(wal);
        long journalDigest = journal == null ? FileDigest.ABSENT : FileDigest.of(journal);
        long written = Math.max(
                file.modifiedNanos(),
                Math.max(wal == null ? 0 : wal.modifiedNanos(), journal == null ? 0 : journal.modifiedNanos()));
        return new DatabaseStamp(
                FileDigest.combine(FileDigest.of(file), walDigest, journalDigest),
                FileDigest.sides(walDigest, journalDigest),
                FileDigest.identity(file.device(), file.inode(), file.bornNanos()),
                wal != null,
                journal != null,
                FileDigest.isRacy(file, nowNanos)
                        || (wal != null && FileDigest.isContentRacy(wal, nowNanos))
                        || (journal != null && FileDigest.isRacy(journal, nowNanos)),
                (int) (written / NANOS_PER_SECOND));
    }

    /**
     * The stamp of fingerprints taken elsewhere: equal to the scanner's when they describe the same.
     *
     * @param wal of its content only
     */
    public static DatabaseStamp of(FileFingerprint file, FileFingerprint wal, FileFingerprint journal) {
        if (file.isAbsent()) {
            throw new IllegalArgumentException("a file that does not exist has no stamp");
        }
        long walDigest = FileDigest.of(wal);
        long journalDigest = FileDigest.of(journal);
        long written = Math.max(file.modifiedNanos(), Math.max(wal.modifiedNanos(), journal.modifiedNanos()));
        return new DatabaseStamp(
                FileDigest.combine(FileDigest.of(file), walDigest, journalDigest),
                FileDigest.sides(walDigest, journalDigest),
                FileDigest.identity(file.device(), file.inode(), file.bornNanos()),
                !wal.isAbsent(),
                !journal.isAbsent(),
                file.racy() || wal.racy() || journal.racy(),
                (int) (written / NANOS_PER_SECOND));
    }
}
