package io.loomstream.engine.compaction;

import java.nio.file.Path;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.LongAdder;

/** What compaction and retention have done since the process began. Thread-safe. */
public final class CompactionCounters {
    final LongAdder compactions = new LongAdder();
    final LongAdder snapshots = new LongAdder();
    final LongAdder deleted = new LongAdder();
    final LongAdder listings = new LongAdder();
    final LongAdder failures = new LongAdder();
    final LongAdder brokenChains = new LongAdder();
    private final LongAdder verifyErrors = new LongAdder();
    /** Only databases that have any: it stays small. */
    private final ConcurrentMap<Path, LongAdder> verifyErrorsOf = new ConcurrentHashMap<>();

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

    /** Those of one database. */
    public long verifyErrors(Path database) {
        LongAdder errors = verifyErrorsOf.get(database);
        return errors == null ? 0 : errors.sum();
    }

    void verifyFailed(Path database) {
        verifyErrors.increment();
        verifyErrorsOf.computeIfAbsent(database, key -> new LongAdder()).increment();
    }

    /** Holes and overlaps that the validation found. */
    public long validationErrors() {
        return validationErrors.sum();
    }
}
