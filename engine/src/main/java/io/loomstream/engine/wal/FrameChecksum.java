package io.loomstream.engine.wal;

/** SQLite's running checksum over a WAL's header and frames, as the header or a frame stores it. */
public record FrameChecksum(int s1, int s2) {
    public static final FrameChecksum START = new FrameChecksum(0, 0);
}
