package io.loomstream.engine.sync;

import io.loomstream.engine.sqlite.DatabaseFiles;
import io.loomstream.engine.sqlite.WalHold;
import io.loomstream.engine.sqlite.WalIndex;
import io.loomstream.engine.sqlite.WalIndex.Valid;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a held WAL from growing without end, and the hold from standing in an application's way.
 *
 * <p>The application's own checkpoints do the work wherever they do; here the writer is let reset the WAL when all of it is
 * copied and in the database file. Only where nobody checkpoints do we, and never with RESTART or TRUNCATE.
 *
 * <p>Used by one task at a time, under its database's lock.
 */
final class WalMaintenance {
    private static final Logger log = LoggerFactory.getLogger(WalMaintenance.class);

    private static final Duration FREEZE_LOOK = Duration.ofMillis(20);
    private static final int FREEZE_LOOKS = 10;
    private static final Duration FOLLOW = Duration.ofMillis(60);
    private static final Duration FOLLOW_LOOK = Duration.ofMillis(1);
    /** After a try that no writer answered. */
    private static final Duration BETWEEN_RESTARTS = Duration.ofSeconds(5);

    private static final int SHORT_TAIL_FRAMES = 100;
    private static final int TAKE_BACK_ATTEMPTS = 1000;
    private static final int TAIL_ROUNDS = 8;
    private static final Duration WRITE_LOCK_PATIENCE = Duration.ofMillis(100);
    private static final int QUIET_LOOKS_BEFORE_REST = 2;

    private final DatabaseOptions options;
    private final DatabaseFiles files;
    private final SyncServices services;
    private final Duration checkpointInterval;
    private boolean restartTried;
    private long restartTriedAt;
    private int framesAtRestart;
    private boolean behind;
    private long behindSince;
    private int quietLooks;
    private @Nullable WalIndex hoppedAt;

    WalMaintenance(DatabaseOptions options, DatabaseFiles files, SyncServices services) {
        this.options = options;
        this.files = files;
        this.services = services;
        this.checkpointInterval = options.checkpointInterval();
    }

    /** Whether to keep the hold. */
    enum Result {
        KEEP,
        /** Nobody has the database open and everything is sealed: time for the last close. */
        REST,
        /** Nobody has the database open, and its wal-index does not know all of the WAL: SQLite has to recover it. */
        RENEW
    }

    /** To be called after each look under the hold. */
    Result afterLook(WalCapture capture, boolean copied) throws IOException, InterruptedException {
        WalHold hold = capture.hold();
        if (yieldToCheckpoint(capture)) {
            return Result.KEEP;
        }
        if (!(hold.readIndex() instanceof Valid(WalIndex index))) {
            return Result.KEEP;
        }
        if (hold.limitsBackfill() && !index.equals(hoppedAt)) {
            hoppedAt = index;
            hold.hop(capture::sealedBy);
        }
        checkpointIfNobodyDoes(index);
        if (index.lastFrame() > options.truncatePages() && options.truncatePages() > 0 && !capture.sealedBy(index)) {
            stopWritersAndRestart(capture);
        } else {
            restartIfLarge(capture, index);
        }
        return hold.released() ? Result.KEEP : restIfAlone(capture, copied);
    }

    /**
     * An application's RESTART or TRUNCATE with a busy timeout keeps the write and the checkpoint lock while it waits for
     * our slot. Nobody can commit then: copy the rest, step aside.
     */
    private boolean yieldToCheckpoint(WalCapture capture) throws IOException, InterruptedException {
        WalHold hold = capture.hold();
        if (!hold.checkpointMayWaitForUs()) {
            return false;
        }
        services.time().sleep(FREEZE_LOOK);
        if (!hold.checkpointMayWaitForUs()) {
            return false;
        }
        capture.copyRounds(false);
        if (hold.limitsBackfill()) {
            hold.hop(capture::sealedBy); // it may wait for us already while it backfills
        }
        letRestart(capture);
        return true;
    }

    private void checkpointIfNobodyDoes(WalIndex index) throws InterruptedException {
        long now = services.time().nanoTime();
        if (index.framesToBackfill() == 0) {
            behind = false;
            return;
        }
        if (!behind) {
            // The application's own checkpoint may come right after its commit: give it until the next look.
            behind = true;
            behindSince = now;
            return;
        }
        boolean many = index.framesToBackfill() >= options.minCheckpointPages();
        boolean old = !checkpointInterval.isZero() && now - behindSince > checkpointInterval.toNanos();
        if (many || old) {
            checkpointPassive();
            behind = false;
        }
    }

    private boolean checkpointPassive() throws InterruptedException {
        hoppedAt = null; // it clears the marks of slots nobody reads through
        return services.taker().checkpointPassive(files);
    }

    private void restartIfLarge(WalCapture capture, WalIndex index) throws IOException, InterruptedException {
        long now = services.time().nanoTime();
        boolean due = index.lastFrame() > options.minCheckpointPages()
                && index.lastFrame() != framesAtRestart
                && (!restartTried || now - restartTriedAt >= BETWEEN_RESTARTS.toNanos());
        if (!due) {
            return;
        }
        if (!letRestartWhenSealed(capture)) {
            return;
        }
        int frames = capture.hold().readIndex() instanceof Valid(WalIndex released) ? released.lastFrame() : 0;
        restartTried = !awaitRestart(capture);
        restartTriedAt = now;
        // A writer that came at once may come again as soon as the WAL is large: each of its commits above the size at
        // which the application checkpoints pays for a checkpoint until the WAL restarts.
        framesAtRestart = restartTried ? frames : 0;
    }

    /**
     * A busy writer is sealed only for moments, between the end of its own checkpoint and its next commit: copies commit by
     * commit until such a moment comes. Our checkpoint helps only where the writer makes none; beside one that does it
     * would come too late and in its way.
     */
    private boolean letRestartWhenSealed(WalCapture capture) throws IOException, InterruptedException {
        long until = services.time().nanoTime() + FOLLOW.toNanos();
        boolean checkpointed = false;
        while (!(capture.seal() && capture.hold().letRestart(capture::sealedBy))) {
            if (!(capture.hold().readIndex() instanceof Valid(WalIndex index))) {
                return false;
            }
            if (services.time().nanoTime() > until) {
                if (checkpointed || index.framesToBackfill() == 0 || !checkpointPassive()) {
                    return false;
                }
                checkpointed = true;
                until = services.time().nanoTime() + FOLLOW.toNanos();
            }
            if (capture.copyRounds(false) == DatabaseSync.Look.QUIET) {
                services.time().sleep(FOLLOW_LOOK);
            }
        }
        return true;
    }

    /** Gives the slot up under the freeze, for as long as a writer may take to come, and takes it back. */
    private boolean letRestart(WalCapture capture) throws IOException, InterruptedException {
        return capture.seal() && capture.hold().letRestart(capture::sealedBy) && awaitRestart(capture);
    }

    private boolean awaitRestart(WalCapture capture) throws IOException, InterruptedException {
        WalHold hold = capture.hold();
        boolean restarted = false;
        try {
            for (int look = 0; look < FREEZE_LOOKS && !restarted; look++) {
                services.time().sleep(FREEZE_LOOK);
                restarted = !(hold.readIndex() instanceof Valid(WalIndex index)) || !capture.sealedBy(index);
            }
        } finally {
            // Also when interrupted: without a slot and without a freeze the WAL could be reset unseen.
            if (!takeBack(hold)) {
                log.atWarn().addKeyValue("db", options.path()).log("the hold could not be taken back after a restart");
                capture.letGo();
            }
        }
        return restarted;
    }

    /** A writer that resets the WAL has every slot to itself for an instant: asks again, the freeze still protecting. */
    private static boolean takeBack(WalHold hold) throws IOException, InterruptedException {
        for (int attempt = 0; attempt < TAKE_BACK_ATTEMPTS; attempt++) {
            if (hold.endRestart()) {
                return true;
            }
            Thread.onSpinWait();
        }
        return hold.endRestart();
    }

    /**
     * For a WAL that grew large because its writer never pauses: most of the work is done beside the writer, the rest while
     * it is kept out for some milliseconds.
     */
    private void stopWritersAndRestart(WalCapture capture) throws IOException, InterruptedException {
        long now = services.time().nanoTime();
        if (restartTried && now - restartTriedAt < BETWEEN_RESTARTS.toNanos()) {
            return;
        }
        restartTried = true;
        restartTriedAt = now;
        if (!shortenTail(capture)) {
            return;
        }
        boolean free = false;
        try {
            free = services.taker().underWriteLock(files, WRITE_LOCK_PATIENCE, () -> {
                if (!(capture.hold().readIndex() instanceof Valid(WalIndex index))
                        || index.framesToBackfill() > SHORT_TAIL_FRAMES) {
                    return false;
                }
                capture.copyRounds(false);
                checkpointPassive();
                capture.copyRounds(false);
                return capture.seal() && capture.hold().letRestart(capture::sealedBy);
            });
        } catch (IOException busy) {
            log.atDebug().addKeyValue("db", options.path()).setCause(busy).log("writers could not be stopped");
        }
        if (free) {
            awaitRestart(capture);
        }
    }

    /**
     * Copies and backfills beside the writer until what is left can be done while it waits. Each round's work is what the
     * writer committed during the round before, so a few suffice unless the disk is slower than the writer.
     */
    private boolean shortenTail(WalCapture capture) throws IOException, InterruptedException {
        for (int round = 0; round < TAIL_ROUNDS; round++) {
            capture.copyRounds(false);
            if (!checkpointPassive()) {
                return false;
            }
            if (capture.hold().readIndex() instanceof Valid(WalIndex index)
                    && index.framesToBackfill() <= SHORT_TAIL_FRAMES) {
                return true;
            }
        }
        return false;
    }

    private Result restIfAlone(WalCapture capture, boolean copied) throws IOException, InterruptedException {
        WalHold hold = capture.hold();
        if (!copied) {
            files.drain(); // it would pass for an application's
        }
        if (copied || hold.applicationAttached()) {
            quietLooks = 0;
            return Result.KEEP;
        }
        quietLooks++;
        if (quietLooks < QUIET_LOOKS_BEFORE_REST) {
            return Result.KEEP;
        }
        if (!(hold.readIndex() instanceof Valid(WalIndex index))) {
            return Result.KEEP;
        }
        if (capture.hidesCommits(index)) {
            quietLooks = 0;
            return Result.RENEW;
        }
        if (!index.fullyBackfilled()) {
            checkpointPassive();
            return Result.KEEP; // sealed, and its fingerprint old enough, at the next look
        }
        if (!capture.canRest(index)) {
            return Result.KEEP;
        }
        quietLooks = 0;
        return Result.REST;
    }
}
