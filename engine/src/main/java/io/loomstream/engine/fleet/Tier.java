package io.loomstream.engine.fleet;

import java.util.EnumSet;
import java.util.Set;

/** What a fleet does about a database now. */
public enum Tier {
    /** Found, nothing known yet. */
    DISCOVERED,
    /** Its first full copy is being made. */
    SEEDING,
    /** Proven: everything is on the replica as long as the files' fingerprint stays the same. */
    COLD_CLEAN,
    /** Known or possible unsynced change, waiting for its turn. */
    COLD_DIRTY,
    /** Held and looked at every second. */
    HOT,
    /** The last attempt failed; unsynced until proven otherwise, tried again with growing pauses. */
    FAILED,
    /** Not a database that can be replicated; looked at again when its files change. */
    IGNORED,
    /** The file does not exist any more; the replica is kept. */
    GONE;

    /** Whether the stored fingerprint says when to look again: only here does the scanner compare it. */
    public boolean isSettled() {
        return this == COLD_CLEAN || this == IGNORED;
    }

    /** Whether a database may go from this tier to another. No failure leads to COLD_CLEAN. */
    public boolean mayBecome(Tier next) {
        return successors().contains(next);
    }

    private Set<Tier> successors() {
        return switch (this) {
            case DISCOVERED -> EnumSet.of(SEEDING, COLD_DIRTY, COLD_CLEAN, HOT, FAILED, IGNORED, GONE);
            case SEEDING -> EnumSet.of(COLD_CLEAN, COLD_DIRTY, HOT, FAILED, IGNORED, GONE);
            case COLD_CLEAN -> EnumSet.of(COLD_DIRTY, HOT, FAILED, GONE);
            case COLD_DIRTY -> EnumSet.of(COLD_CLEAN, HOT, SEEDING, FAILED, IGNORED, GONE);
            case HOT -> EnumSet.of(COLD_CLEAN, COLD_DIRTY, FAILED, IGNORED, GONE);
            case FAILED -> EnumSet.of(COLD_DIRTY, HOT, SEEDING, IGNORED, GONE);
            case IGNORED -> EnumSet.of(DISCOVERED, GONE);
            case GONE -> EnumSet.of(DISCOVERED);
        };
    }
}
