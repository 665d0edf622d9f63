package io.loomstream.engine.sync;

import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.sqlite.DatabaseFiles;
import io.loomstream.engine.sqlite.WalFile;
import io.loomstream.engine.sqlite.WalHold;
import io.loomstream.engine.sqlite.WalIndex;
import io.loomstream.engine.sqlite.WalIndex.Valid;
import io.loomstream.engine.wal.WalHeader;
import io.loomstream.engine.wal.WalSalts;
import java.io.File;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The size of a WAL above which letting go of it is the lesser evil: a full volume would stop the application itself. Without
 * the hold its next writer resets the WAL; what is missed then is found by comparing pages when the hold is taken again, once
 * the WAL was reset, or after a pause that grows.
 *
 * <p>It is the last resort, for a WAL that cannot be copied, or whose writer never leaves a moment between two commits. A WAL
 * that a reader of the application needs is not let go: that would free nothing.
 *
 * <p>Used by one task at a time, under its database's lock.
 */
final class WalLimit {
    static final Duration PAUSE_SHORTEST = Duration.ofSeconds(10);
    static final Duration PAUSE_LONGEST = Duration.ofMinutes(5);

    /** Below that much of the volume free, the WAL may have this part of the limit only. */
    private static final int FREE_PERCENT_LEAST = 5;

    private static final int PART_WHEN_SCARCE = 16;

    private static final int FRAME_HEADER_BYTES = 24;
    private static final Duration BETWEEN_WARNINGS = Duration.ofMinutes(5);

    private static final Logger log = LoggerFactory.getLogger(WalLimit.class);

    private final DatabaseOptions options;
    private final DatabaseFiles files;
    private final SyncServices services;
    /** The WAL that was let go of last; kept when the hold is taken again. */
    private @Nullable WalIndex letGoOf;

    private boolean letGo;
    private boolean copyFails;
    private boolean waitsForReplica;
    private long letGoAt;
    private Duration pause = PAUSE_SHORTEST;
    private boolean warned;
    private long warnedAt;

    WalLimit(DatabaseOptions options, DatabaseFiles files, SyncServices services) {
        this.options = options;
        this.files = files;
        this.services = services;
    }

    /** How large a WAL may be, given its limit and what the volume has free; in bytes, 0: any size. */
    static long bytesMax(long walBytesMax, long freeBytes, long volumeBytes) {
        boolean scarce = volumeBytes > 0 && freeBytes < volumeBytes / 100 * FREE_PERCENT_LEAST;
        return scarce ? Math.ceilDiv(walBytesMax, PART_WHEN_SCARCE) : walBytesMax;
    }

    private static long bytes(int frames, WalIndex index) {
        return (long) frames * (index.pageSize() + FRAME_HEADER_BYTES);
    }

    /** The WAL, if it is too large. Its frames count, not the file's length: a reset leaves that as it is. */
    private Optional<WalIndex> tooLarge(WalHold hold) throws IOException {
        long most = options.walBytesMax();
        if (most == 0 || !(hold.readIndex() instanceof Valid(WalIndex index))) {
            return Optional.empty();
        }
        long used = bytes(index.lastFrame(), index);
        if (used <= most / PART_WHEN_SCARCE) {
            pause = PAUSE_SHORTEST;
            letGoOf = null;
            return Optional.empty();
        }
        if (used <= most) {
            File volume = files.database().toFile();
            most = bytesMax(most, volume.getUsableSpace(), volume.getTotalSpace());
        }
        return used > most ? Optional.of(index) : Optional.empty();
    }

    /**
     * Whether to let go of a WAL that is not copied because the replica has not told its position.
     *
     * @return true: the caller releases the hold
     */
    boolean exceeded(WalCapture capture) throws IOException {
        Optional<WalIndex> large = tooLarge(capture.hold());
        large.ifPresent(index -> note(index, false, true));
        return large.isPresent();
    }

    /** The same after a look that failed. */
    boolean exceededWhileFailing(WalHold hold) throws IOException {
        Optional<WalIndex> large = tooLarge(hold);
        large.ifPresent(index -> note(index, true, false));
        return large.isPresent();
    }

    /** The same after a look that copied everything it saw. */
    boolean exceededWhileCopied(WalCapture capture) throws IOException, InterruptedException {
        if (tooLarge(capture.hold()).isEmpty()) {
            return false;
        }
        services.taker().checkpointPassive(files);
        WalIndex before = letGoOf;
        if (!(capture.hold().readIndex() instanceof Valid(WalIndex index))
                || (before != null
                        && before.salts().equals(index.salts())
                        && before.lastFrame() == index.lastFrame())) {
            return false; // nobody writes: it does not grow
        }
        if (!capture.hold().limitsBackfill() && bytes(index.framesToBackfill(), index) > options.walBytesMax() / 2) {
            warnOfReader(index);
            return false;
        }
        capture.seal();
        note(index, false, false);
        return true;
    }

    private void warnOfReader(WalIndex index) {
        long now = services.time().nanoTime();
        if (!warned || now - warnedAt > BETWEEN_WARNINGS.toNanos()) {
            warned = true;
            warnedAt = now;
            log.atWarn()
                    .addKeyValue("db", options.path())
                    .addKeyValue("wal_bytes", bytes(index.lastFrame(), index))
                    .addKeyValue("max-wal-bytes", options.walBytesMax())
                    .log("the WAL is too large, and a reader of the application keeps it from being checkpointed");
        }
    }

    private void note(WalIndex index, boolean failing, boolean waiting) {
        letGo = true;
        letGoOf = index;
        copyFails = failing;
        waitsForReplica = waiting;
        letGoAt = services.time().nanoTime();
        log.atWarn()
                .addKeyValue("db", options.path())
                .addKeyValue("wal_bytes", bytes(index.lastFrame(), index))
                .addKeyValue("max-wal-bytes", options.walBytesMax())
                .addKeyValue("seconds_at_most", pause.toSeconds())
                .log("the WAL is too large: it is let go of until it was reset; what is missed is copied then");
    }

    /** Whether the hold was released because of the WAL's size, and not taken since. */
    boolean letGo() {
        return letGo;
    }

    /**
     * Whether to do without the hold for this look, too. Helps the WAL to be reset: nobody else may checkpoint.
     *
     * @throws TransientStorageException when the last copy failed, so that it is not taken for one that succeeded
     */
    boolean keepsWaiting(boolean positionKnown) throws IOException, InterruptedException {
        boolean reset = wasReset();
        boolean waited = services.time().nanoTime() - letGoAt >= pause.toNanos();
        if (reset || waited || (waitsForReplica && positionKnown)) {
            log.atInfo()
                    .addKeyValue("db", options.path())
                    .addKeyValue("reset", reset)
                    .log("the hold is taken again");
            Duration doubled = pause.multipliedBy(2);
            pause = doubled.compareTo(PAUSE_LONGEST) < 0 ? doubled : PAUSE_LONGEST;
            if (reset) {
                pause = PAUSE_SHORTEST;
            }
            end();
            return false;
        }
        services.taker().checkpointPassive(files);
        if (copyFails) {
            throw new TransientStorageException(options.path()
                    + ": its WAL exceeded max-wal-bytes while it could not be copied, and was let go of; the next try comes"
                    + " when it was reset, or within " + pause.toSeconds() + " s");
        }
        return true;
    }

    private boolean wasReset() throws IOException {
        WalIndex before = letGoOf;
        if (before == null) {
            return true;
        }
        WalSalts salts = before.salts();
        try (WalFile wal = files.openWal().orElse(null)) {
            Optional<WalHeader> header = wal == null ? Optional.empty() : wal.header();
            return header.isEmpty() || !header.get().salts().equals(salts);
        }
    }

    /** The hold is taken, whatever the WAL's size. */
    void end() {
        letGo = false;
        copyFails = false;
        waitsForReplica = false;
    }
}
