package io.loomstream.engine.restore;

import io.loomstream.engine.replica.ReplicaFile;

/** Hears how a restore goes on, on the restoring thread; what it throws ends the restore. */
public interface RestoreProgress {
    /** Hears nothing. */
    RestoreProgress NONE = new RestoreProgress() {};

    /** A plan is about to be carried out; again when another one has to take its place. */
    default void planned(RestorePlan plan) {}

    /** All pages of one file are applied and its checksum is right. */
    default void applied(ReplicaFile file) {}

    /** So many bytes of pages were written since the plan began; pages that several files hold count each time. */
    default void written(long totalBytes) {}

    /** A plan of the old format is about to be carried out. */
    default void planned(OldFormatPlan plan) {}

    /** So many bytes of the plan's files have been read; follows each {@link #written} of an LTX plan. */
    default void read(long totalBytes) {}

    /** The plan was carried out, or could not be; another one may follow. */
    default void ended() {}
}
