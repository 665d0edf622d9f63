package io.loomstream.engine.wal;

/**
 * A place between two frames of a WAL.
 *
 * @param frame number of the frame before it; 0 for the place behind the header
 * @param checksum stored in that frame, or in the header
 */
public record WalPosition(int frame, FrameChecksum checksum) {}
