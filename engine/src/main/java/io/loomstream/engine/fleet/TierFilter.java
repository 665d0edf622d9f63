package io.loomstream.engine.fleet;

/** Tiers as people speak of them. */
public enum TierFilter {
    HOT,
    /** Clean or dirty. */
    COLD,
    SEEDING,
    FAILED,
    DISCOVERED,
    IGNORED,
    GONE;

    /** The one that a tier belongs to. */
    public static TierFilter of(Tier tier) {
        return switch (tier) {
            case HOT -> HOT;
            case COLD_CLEAN, COLD_DIRTY -> COLD;
            case SEEDING -> SEEDING;
            case FAILED -> FAILED;
            case DISCOVERED -> DISCOVERED;
            case IGNORED -> IGNORED;
            case GONE -> GONE;
        };
    }

    boolean accepts(Tier tier) {
        return of(tier) == this;
    }
}
