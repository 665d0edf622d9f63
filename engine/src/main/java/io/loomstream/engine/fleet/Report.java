package io.loomstream.engine.fleet;

import io.loomstream.engine.sync.Outcome;
import java.util.List;

/** How a run ended, database by database. */
public record Report(List<Outcome> outcomes) {
    public Report {
        outcomes = List.copyOf(outcomes);
    }

    /** Whether everything that was committed reached its replica. */
    public boolean complete() {
        return outcomes.stream().allMatch(outcome -> outcome.problem() == null);
    }
}
