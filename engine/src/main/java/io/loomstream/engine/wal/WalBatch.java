package io.loomstream.engine.wal;

/**
 * Whole transactions of a WAL, verified.
 *
 * @param pages which page is in which frame last; none above {@code commitPages}
 * @param commitPages database size in pages after the last transaction; 0 when there is none
 * @param lastFrame the last transaction's commit frame; the frame the reading began after when there is none
 * @param checksum stored in that frame
 * @param limited the reading ended before the WAL did, because of its size
 */
public record WalBatch(PageMap pages, int commitPages, int lastFrame, FrameChecksum checksum, boolean limited)
        implements WalReader.Outcome {}
