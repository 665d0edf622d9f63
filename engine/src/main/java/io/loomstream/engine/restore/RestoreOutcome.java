package io.loomstream.engine.restore;

import io.loomstream.engine.replica.ReplicaFile;
import java.nio.file.Path;
import java.util.List;

/** What became of a restore. Failures are exceptions, and leave the output as it was. */
public sealed interface RestoreOutcome {
    /**
     * The database is in place, durable and verified.
     *
     * @param plan what was restored, with the point reached and the hole, if any, that ended a target in time
     * @param sizeBytes the length of the database
     * @param passedOver damaged or vanished files, in whose place others served
     * @param setAside an old database that SQLite could not read, and its side files, kept under these names
     */
    record Restored(RestorePlan plan, long sizeBytes, List<ReplicaFile> passedOver, List<Path> setAside)
            implements RestoreOutcome {
        public Restored {
            passedOver = List.copyOf(passedOver);
            setAside = List.copyOf(setAside);
        }
    }

    /**
     * The database is in place, made from what Litestream v0.3 left.
     *
     * @param plan what was restored
     * @param sizeBytes the length of the database
     * @param setAside as in {@link Restored}
     */
    record RestoredOldFormat(OldFormatPlan plan, long sizeBytes, List<Path> setAside) implements RestoreOutcome {
        public RestoredOldFormat {
            setAside = List.copyOf(setAside);
        }
    }

    /** {@link RestoreRequest.Existing#KEEP} and something has the name. */
    record AlreadyThere(Path output) implements RestoreOutcome {}

    /** The replica does not hold the target. */
    record NotAvailable(PlanOutcome.NotAvailable why) implements RestoreOutcome {}

    /** The newest point cannot be reached without a hole. */
    record Broken(PlanOutcome.Broken why) implements RestoreOutcome {}
}
