package io.loomstream.engine.sync;

import java.io.IOException;

/** Reads a file at a position, whoever keeps it open. */
@FunctionalInterface
interface ByteReader {
    /** How many bytes were read; fewer than asked only at the end of the file. */
    int read(long position, byte[] buffer, int offset, int length) throws IOException;
}
