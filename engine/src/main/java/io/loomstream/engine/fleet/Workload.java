package io.loomstream.engine.fleet;

import io.loomstream.engine.replica.RootStore;
import io.loomstream.engine.sync.DatabaseSpec;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Everything that a server replicates.
 *
 * @param named databases that the configuration names; they are looked at for as long as the server lives
 * @param sections databases that are found
 */
public record Workload(List<DatabaseSpec> named, List<Section> sections) {
    public Workload {
        named = List.copyOf(named);
        sections = List.copyOf(sections);
    }

    /** Named databases only. */
    public static Workload of(List<DatabaseSpec> named) {
        return new Workload(named, List.of());
    }

    /**
     * A fleet.
     *
     * @param state where it keeps what it knows over restarts; empty: every start looks at every database
     */
    public record Section(FleetOptions options, Optional<State> state) {}

    /**
     * What a fleet keeps.
     *
     * @param directory of the catalog and of the lock that keeps a second server of this host out
     * @param instance the server's name, by which a fail-over host takes its place
     * @param root where the hot list is kept; empty: nowhere
     * @param target changes with where the databases are replicated to: what is kept proves nothing about another place
     */
    public record State(Path directory, String instance, Optional<RootStore> root, String target) {
        /** For a target that never changes. */
        public State(Path directory, String instance, Optional<RootStore> root) {
            this(directory, instance, root, "");
        }

        /** The same, without a hot list. */
        State withoutRoot() {
            return new State(directory, instance, Optional.empty(), target);
        }
    }
}
