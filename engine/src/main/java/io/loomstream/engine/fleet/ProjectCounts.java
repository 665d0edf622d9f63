package io.loomstream.engine.fleet;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * How many databases of each project are in which tier, at about one moment.
 *
 * @param groups one entry for each project and database that has any
 */
public record ProjectCounts(List<Count> groups) {
    public ProjectCounts {
        groups = List.copyOf(groups);
    }

    /** What is counted together; both names are "other" past the limit on projects. */
    public record Group(String project, String database) {}

    /**
     * One group's figures.
     *
     * @param tiers tiers without databases are left out
     * @param lagMax the longest that anything has waited for its replica among the served databases
     */
    public record Count(Group group, Map<Tier, Integer> tiers, Duration lagMax) {
        public Count {
            tiers = Map.copyOf(tiers);
        }
    }
}
