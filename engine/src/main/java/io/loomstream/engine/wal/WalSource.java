package io.loomstream.engine.wal;

import java.io.IOException;

/** Bytes of a WAL, by position; other processes may append meanwhile. */
@FunctionalInterface
public interface WalSource {
    /** How many bytes were read; fewer than asked only at the end of the file, 0 at or behind it. */
    int read(long positionBytes, byte[] buffer, int offset, int length) throws IOException;
}
