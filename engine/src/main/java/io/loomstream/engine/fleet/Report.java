package io.loomstream.engine.fleet;

import io.loomstream.engine.sync.Outcome;
import java.util.List;

/**
 * How a run ended.
 *
 * @param outcomes of the databases that were served at the end
 * @param unserved databases of fleets that changed and whose turn did not come
 */
public record Report(List<Outcome> outcomes, int unserved) {
    public Report {
        outcomes = List.copyOf(outcomes);
    }

    /** Whether everything that was committed reached its replica. */
    public boolean complete() {
        return unserved == 0 && outcomes.stream().allMatch(outcome -> outcome.problem() == null);
    }
}
