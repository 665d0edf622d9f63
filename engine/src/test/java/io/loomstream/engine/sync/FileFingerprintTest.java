package io.loomstream.engine.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.posix.FileStat;
import io.loomstream.engine.posix.Posix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A second change in the same tick of the clock that stamps files leaves every observable value as it was. */
class FileFingerprintTest {
    private static final long MILLI = 1_000_000;
    private static final long SECOND = 1_000 * MILLI;
    /** A moment with nanoseconds, so that it looks like a file system with fine times. */
    private static final long CHANGED = 1_700_000_000L * SECOND + 123_456_789;

    private static FileFingerprint taken(long mtime, long ctime, long now) {
        FileStat stat = new FileStat(1, 2, 4096, mtime, ctime, 3, 0100644, 0, 0);
        return FileFingerprint.of(Optional.of(stat), Instant.ofEpochSecond(now / SECOND, now % SECOND));
    }

    @Test
    void provesNothingBeforeItIsFiftyMillisecondsOld() {
        assertTrue(taken(CHANGED, CHANGED, CHANGED).racy());
        assertTrue(taken(CHANGED, CHANGED, CHANGED + 49 * MILLI).racy());
        assertFalse(taken(CHANGED, CHANGED, CHANGED + 50 * MILLI).racy());
    }

    @Test
    void theYoungerOfMtimeAndCtimeCounts() {
        assertTrue(taken(CHANGED, CHANGED + 100 * MILLI, CHANGED + 120 * MILLI).racy());
        assertTrue(taken(CHANGED + 100 * MILLI, CHANGED, CHANGED + 120 * MILLI).racy());
    }

    @Test
    void provesNothingForTwoSecondsWhereTheFileSystemKeepsNoNanoseconds() {
        long whole = CHANGED / SECOND * SECOND;
        assertTrue(taken(whole, whole, whole + SECOND).racy());
        // The clock that stamps files lags behind ours by up to a tick of its own.
        assertTrue(taken(whole, whole, whole + 2 * SECOND + 50 * MILLI - 1).racy());
        assertFalse(taken(whole, whole, whole + 2 * SECOND + 50 * MILLI).racy());
    }

    @Test
    void aFileFromTheFutureProvesNothingUntilTheClockIsThere() {
        assertTrue(taken(CHANGED, CHANGED, CHANGED - 3600 * SECOND).racy());
    }

    /** Otherwise "touch -d 2099" would keep a database from ever being proven clean. Nobody can set the ctime. */
    @Test
    void aTimeThatAPersonSetIntoTheFutureDoesNotCount() {
        assertFalse(
                taken(CHANGED + 3600 * SECOND, CHANGED, CHANGED + 100 * MILLI).racy());
    }

    @Test
    void aRacyFingerprintProvesNothingEvenAboutItself() {
        FileFingerprint racy = taken(CHANGED, CHANGED, CHANGED);
        assertTrue(racy.looksLike(racy));
        assertFalse(racy.proves(racy));
        FileFingerprint old = taken(CHANGED, CHANGED, CHANGED + SECOND);
        assertTrue(old.proves(racy), "the later look may be as young as it likes");
        assertFalse(old.provingNothing().proves(old));
    }

    @Test
    void everyFieldCounts() {
        FileFingerprint base = new FileFingerprint(1, 2, 3, 4, 5, 6, false);
        assertTrue(base.proves(new FileFingerprint(1, 2, 3, 4, 5, 6, true)));
        for (int field = 0; field < 6; field++) {
            long[] f = {1, 2, 3, 4, 5, 6};
            f[field]++;
            FileFingerprint other = new FileFingerprint(f[0], f[1], f[2], f[3], f[4], f[5], false);
            assertFalse(base.proves(other), "field " + field);
            assertEquals(field > 2, base.sameFile(other), "field " + field);
        }
    }

    @Test
    void absenceIsProvenByAbsenceOnly() {
        FileFingerprint absent = FileFingerprint.of(Optional.empty(), Instant.EPOCH);
        assertTrue(absent.isAbsent());
        assertTrue(absent.proves(FileFingerprint.ABSENT));
        assertFalse(absent.proves(taken(CHANGED, CHANGED, CHANGED)));
        assertFalse(taken(CHANGED, CHANGED, CHANGED + SECOND).proves(absent));
    }

    /** {@code touch -d} and {@code cp -p} put mtime back; nobody can put ctime back. */
    @Test
    void aRealFileWithItsOldSizeAndMtimeIsStillSeenToHaveChanged(@TempDir Path directory) throws IOException {
        Path file = directory.resolve("a");
        Files.writeString(file, "one");
        Posix posix = Posix.load().orElseThrow();
        FileTime mtime = Files.getLastModifiedTime(file);
        FileFingerprint before =
                FileFingerprint.of(posix.stat(file), Instant.now().plusSeconds(10));
        Files.writeString(file, "two");
        Files.setLastModifiedTime(file, mtime);
        FileFingerprint after = FileFingerprint.of(posix.stat(file), Instant.now());
        assertFalse(before.proves(after));
        assertTrue(before.sameFile(after));
    }

    /** Kernels before 6.13 stamp with a tick of 1 to 10 ms, ext3 and NFS with a second, FAT with two. */
    @ParameterizedTest
    @CsvSource({"1000003, 7", "4000037, 11", "10000019, 3", "1000000000, 0", "2000000000, 0"})
    void neverVouchesForAFileThatWasWrittenAgain(long tick, long phase) {
        long seed = Long.getLong("loomstream.seed", System.nanoTime());
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        long now = CHANGED;
        long stamp = 0;
        int version = 0;
        int provenAt = -1;
        int proofs = 0;
        FileFingerprint kept = null;
        for (int i = 0; i < 100_000; i++) {
            now += random.nextInt(4) == 0 ? random.nextLong(5 * SECOND) : random.nextLong(20 * MILLI);
            if (random.nextBoolean()) {
                version++;
                stamp = (now - phase) / tick * tick + phase;
            } else {
                FileFingerprint seen = taken(stamp, stamp, now);
                if (kept != null && kept.proves(seen)) {
                    assertEquals(provenAt, version, "seed " + seed + ", step " + i);
                    proofs++;
                }
                if (random.nextBoolean()) {
                    kept = seen;
                    provenAt = version;
                }
            }
        }
        assertTrue(proofs > 100, "so often it proved something: " + proofs);
    }
}
