package io.loomstream.engine.verify;

import io.loomstream.engine.replica.ReplicaFile;
import java.util.Optional;

/**
 * Something that a verification found.
 *
 * @param file the file it is about, when it is about one
 */
public record Finding(Kind kind, Optional<ReplicaFile> file, String message) {
    /** What it is, and with that whether it is a problem. */
    public enum Kind {
        /** The replica holds no LTX file: an empty one, or a wrong path. */
        EMPTY(true),
        /** Transactions that no file brings, so the newest state cannot be restored. */
        HOLE(true),
        /** A file that is too short to be one. */
        TRUNCATED(true),
        /** Wrong bytes: checksum, order of pages, header. */
        CORRUPT(true),
        /** A file that is not what its name says. */
        MISNAMED(true),
        /** A file vanished or could not be read to its end. */
        UNREADABLE(true),
        /** The trial restore failed, or SQLite's integrity check of what came out. */
        NOT_RESTORABLE(true),
        /** A file of level 1 or above is missing amid others: nobody deletes those; states that it led to are lost. */
        GAP(true),
        /** Two files of a level hold the same transactions: a restore gets around it, but two servers may be at work. */
        OVERLAP(true),
        /** L0 lacks transactions that another level holds, or a level those that a complete copy replaced. */
        COVERED_HOLE(false),
        /** The store's time of a file is not its header's: a restore to a timestamp would be off. */
        TIME(false);

        private final boolean problem;

        Kind(boolean problem) {
            this.problem = problem;
        }

        /** Whether it makes the verification fail. */
        public boolean problem() {
            return problem;
        }
    }

    static Finding of(Kind kind, String message) {
        return new Finding(kind, Optional.empty(), message);
    }

    static Finding of(Kind kind, ReplicaFile file, String message) {
        return new Finding(kind, Optional.of(file), message);
    }
}
