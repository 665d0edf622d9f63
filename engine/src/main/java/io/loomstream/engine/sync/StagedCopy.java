package io.loomstream.engine.sync;

import java.nio.file.Path;

/**
 * A complete L0 file that has not got its name yet, and the cursor that goes with it. Nothing has moved until both are
 * applied.
 *
 * @param bytes length of the file
 * @param pages how many it holds
 */
record StagedCopy(Path file, Cursor next, long bytes, int pages) {}
