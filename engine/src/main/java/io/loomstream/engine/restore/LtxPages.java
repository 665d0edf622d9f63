package io.loomstream.engine.restore;

import io.loomstream.engine.ltx.TxidRange;
import java.io.IOException;
import java.io.InputStream;

/**
 * What a restore needs of one LTX file being decoded. Each method may throw
 * {@link io.loomstream.engine.error.CorruptDataException}; nothing that was read counts before {@link #finish} returned.
 */
interface LtxPages extends AutoCloseable {
    /** Starts decoding: reads and validates the header. */
    @FunctionalInterface
    interface Opener {
        /**
         * Takes a stream over.
         *
         * @param source what errors call it
         */
        LtxPages open(InputStream stream, String source) throws IOException;
    }

    TxidRange range();

    int pageSizeBytes();

    /** The database's length in pages once this file is applied. */
    long commitPages();

    /**
     * Decodes the next page into a buffer.
     *
     * @return its number, ascending from call to call; 0 after the last one
     */
    long nextPage(byte[] buffer, int offset) throws IOException, InterruptedException;

    /** Reads to the end and verifies the file's checksum. */
    void finish() throws IOException, InterruptedException;

    @Override
    void close() throws IOException;
}
