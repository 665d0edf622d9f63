package io.loomstream.engine.sync;

/** What came of leaving a database alone. */
public sealed interface Departure {
    /**
     * Everything that was ever committed is copied, and both files look as they did before the last of it was: any change
     * from here on shows.
     */
    record Clean(FileFingerprint database, FileFingerprint wal) implements Departure {}

    /** It is left, and something may have been committed meanwhile. */
    record Dirty() implements Departure {}

    /** Something is still to be copied or uploaded, or about to be committed: not left. */
    record NotYet() implements Departure {}
}
