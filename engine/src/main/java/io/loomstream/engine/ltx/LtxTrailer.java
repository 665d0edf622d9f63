package io.loomstream.engine.ltx;

/**
 * The last 16 bytes of an LTX file.
 *
 * @param postApplyChecksum rolling checksum of the database after the file; 0 in files that track none
 * @param fileChecksum over everything before it, pages uncompressed
 */
public record LtxTrailer(long postApplyChecksum, long fileChecksum) {
    public static final int SIZE_BYTES = 16;
}
