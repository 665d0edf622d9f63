package io.loomstream.engine.compaction;

import java.util.concurrent.atomic.LongAdder;

/** What compaction and retention have done since the process began. Thread-safe. */
public final class CompactionCounters {
    final LongAdder compactions = new LongAdder();
    final LongAdder snapshots = new LongAdder();
    final LongAdder deleted = new LongAdder();
    final LongAdder listings = new LongAdder();
    final LongAdder failures = new LongAdder();
    final LongAdder brokenChains = new LongAdder();
    final LongAdder verifyErrors = new LongAdder();
    final LongAdder validationErrors = new LongAdder();

    /** Files written to levels 1 to 8. */
    public long compactions() {
        return compactions.sum();
    }

    /** Files written to level 9. */
    public long snapshots() {
        return snapshots.sum();
    }

    /** Files deleted, or given up where something else deletes. */
    public long deleted() {
        return deleted.sum();
    }

    /** Databases whose replica had to be listed, because it was not known what it holds. */
    public long listings() {
        return listings.sum();
    }

    /** Pieces of work that ended with an error and were put off. */
    public long failures() {
        return failures.sum();
    }

    /** Complete copies that were asked for because a chain of files was broken. */
    public long brokenChains() {
        return brokenChains.sum();
    }

    /** Levels that were not as they should be after a compaction: Litestream's compaction_verify_error_count. */
    public long verifyErrors() {
        return verifyErrors.sum();
    }

    /** Holes and overlaps that the validation found. */
    public long validationErrors() {
        return validationErrors.sum();
    }
}
