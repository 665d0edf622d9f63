package io.loomstream.engine.ltx;

/** The page around byte 2^30, which SQLite keeps for its locks and never uses for data (sqlite.org/fileformat2.html). */
public final class LockPage {
    private static final int PENDING_BYTE = 0x40000000;

    private LockPage() {}

    /** Its number, for a page size in bytes. */
    public static int of(int pageSize) {
        return PENDING_BYTE / pageSize + 1;
    }
}
