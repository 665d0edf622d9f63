package io.loomstream.engine.fleet;

import java.util.Optional;

/**
 * Which databases somebody wants to see.
 *
 * @param tier roughly where they are
 * @param state exactly which tier
 * @param project the project's name
 * @param database the database's name in its project
 * @param text part of the path, upper and lower case being the same
 * @param sort in which order
 */
public record DatabaseQuery(
        Optional<TierFilter> tier,
        Optional<Tier> state,
        Optional<String> project,
        Optional<String> database,
        Optional<String> text,
        Sort sort) {
    /** Everything, in the order of the table. */
    public static final DatabaseQuery ALL = new DatabaseQuery(
            Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), Sort.TABLE);

    /** The order of a list. */
    public enum Sort {
        /** As they were found; the cheapest. A page looks at as many rows as it takes to fill it. */
        TABLE,
        /** By path, byte by byte; every page looks at all rows. */
        PATH,
        /** The last written first; every page looks at all rows. */
        LAST_WRITE
    }

    /** Only those in one kind of tier. */
    public DatabaseQuery in(TierFilter wanted) {
        return new DatabaseQuery(Optional.of(wanted), state, project, database, text, sort);
    }

    /** In another order. */
    public DatabaseQuery by(Sort order) {
        return new DatabaseQuery(tier, state, project, database, text, order);
    }

    boolean accepts(Tier candidate) {
        return (tier.isEmpty() || tier.get().accepts(candidate)) && (state.isEmpty() || state.get() == candidate);
    }
}
