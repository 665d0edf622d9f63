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
        /** A level lacks transactions that another level or a snapshot holds. */
        COVERED_HOLE(false),
        /** Two files of a level hold the same transactions: harmless, but nobody should make them. */
        OVERLAP(false),
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
