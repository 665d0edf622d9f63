package io.loomstream.engine.sync;

import io.loomstream.engine.posix.FileStat;
import java.nio.file.Path;

/**
 * A complete L0 file that has not got its name yet, and the cursor that goes with it. Nothing has moved until both are
 * applied.
 *
 * @param stat the file when it was complete
 * @param pages how many it holds
 */
record StagedCopy(Path file, Cursor next, FileStat stat, int pages) {
    /** Length of the file. */
    long bytes() {
        return stat.sizeBytes();
    }

    /** The same with another cursor. */
    StagedCopy withNext(Cursor cursor) {
        return new StagedCopy(file, cursor, stat, pages);
    }
}
