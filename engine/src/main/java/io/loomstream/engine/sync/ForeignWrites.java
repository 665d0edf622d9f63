package io.loomstream.engine.sync;

import io.loomstream.engine.sqlite.WalIndex;
import io.loomstream.engine.wal.WalSalts;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Finds out, under a hold, whether somebody wrote to the database file past SQLite: a backup copied over it in place, say.
 *
 * <p>In WAL mode only a checkpoint writes to the database file, and it says so in the wal-index before ({@code
 * nBackfillAttempted}) and after ({@code nBackfill}). So a file that changed while both stayed, no checkpoint running, was
 * changed by somebody else. A checkpoint that is killed, or that redoes one after a recovery of the wal-index, looks the
 * same: then a copy is made that was not needed.
 *
 * <p>Used by one task at a time.
 */
final class ForeignWrites {
    private @Nullable Mark mark;

    /** The file, and what the wal-index said before the file was looked at, while no checkpoint was running. */
    private record Mark(FileFingerprint database, WalSalts salts, int backfilled, int attempted) {
        boolean sameCheckpoints(WalIndex index) {
            return salts.equals(index.salts())
                    && backfilled == index.backfilled()
                    && attempted == index.backfillAttempted();
        }
    }

    /** Asks whether a checkpoint is running. */
    @FunctionalInterface
    interface CheckpointRunning {
        boolean ask() throws IOException;
    }

    /** Asks for the database file's fingerprint of now. */
    @FunctionalInterface
    interface Look {
        FileFingerprint now() throws IOException;
    }

    /**
     * Whether the database file was written to past SQLite since the last {@link #note}.
     *
     * @param database taken before {@code index} was read
     * @param running asked only where it matters
     */
    boolean seen(FileFingerprint database, WalIndex index, CheckpointRunning running) throws IOException {
        Mark last = mark;
        return last != null && last.sameCheckpoints(index) && !last.database().looksLike(database) && !running.ask();
    }

    /**
     * Takes note of how the file is.
     *
     * @param database taken before {@code index} was read; another one is taken where it may be older than that
     */
    void note(FileFingerprint database, WalIndex index, CheckpointRunning running, Look look) throws IOException {
        Mark last = mark;
        if (last != null && last.sameCheckpoints(index) && last.database().looksLike(database)) {
            return;
        }
        // In this order: a checkpoint that begins after the question shows in the index of the next look.
        mark = running.ask()
                ? null
                : new Mark(look.now(), index.salts(), index.backfilled(), index.backfillAttempted());
    }
}
