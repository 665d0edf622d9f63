package io.loomstream.app;

import io.loomstream.app.config.DatabaseConfig;
import io.loomstream.app.config.FleetConfig;
import io.loomstream.app.config.FleetNaming;
import io.loomstream.app.config.MultiDbConfig;
import io.loomstream.app.config.ServerConfig;
import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.fleet.FleetOptions;
import io.loomstream.engine.fleet.FoundDatabases;
import io.loomstream.engine.fleet.FoundDatabases.Found;
import io.loomstream.engine.fleet.Workload;
import io.loomstream.engine.sync.DatabaseSpec;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;

/** From a configuration to what the engine is to replicate. */
final class Workloads {
    private Workloads() {}

    /**
     * Everything that a configuration means.
     *
     * @param stateDirectory of {@code multi-db}, where it is enabled
     * @throws IOException when a directory that is not watched holds no database
     */
    static Workload of(ServerConfig config, Sources sources, Path stateDirectory, Logger log)
            throws IOException, InterruptedException {
        List<DatabaseSpec> named = new ArrayList<>();
        for (DatabaseConfig database : config.databases()) {
            named.add(spec(database, sources));
        }
        List<Integer> hotMaxima =
                DescriptorLimit.hotMaxima(config.fleets(), named.size(), DescriptorLimit.current(), log);
        List<Workload.Section> sections = new ArrayList<>();
        for (FleetConfig fleet : config.fleets()) {
            if (!fleet.watch()) {
                requireSomeDatabase(fleet);
            }
            sections.add(new Workload.Section(
                    options(fleet, config, sources, hotMaxima.get(sections.size())),
                    config.multiDb()
                            .filter(multiDb -> multiDb.fleet().equals(fleet))
                            .map(multiDb -> state(multiDb, stateDirectory, sources))));
        }
        return new Workload(named, sections);
    }

    private static DatabaseSpec spec(DatabaseConfig database, Sources sources) throws IOException {
        Path path = database.options().path();
        return new DatabaseSpec(database.options(), sources.client(database.replica(), Sources.access(path)));
    }

    private static void requireSomeDatabase(FleetConfig fleet) throws IOException, InterruptedException {
        for (Found found : FoundDatabases.in(fleet.selection())) {
            if (FoundDatabases.isDatabase(found.path())) {
                return;
            }
        }
        throw new IOException(fleet.name() + ": no SQLite databases found in the directory with pattern "
                + fleet.selection().patterns().getFirst() + "; with 'watch: true' it may start empty");
    }

    private static FleetOptions options(FleetConfig fleet, ServerConfig config, Sources sources, int hotMax) {
        var pace = fleet.pace();
        return new FleetOptions(
                fleet.selection(),
                (path, pattern) -> spec(fleet, config, sources, path, pattern),
                pace.scanInterval(),
                pace.fullScanInterval(),
                pace.hotDuration(),
                hotMax,
                pace.recentlyWritten(),
                Optional.of(places(fleet)),
                !fleet.watch());
    }

    /** Called for each database whose turn it is: nothing is kept for the others. */
    private static DatabaseSpec spec(FleetConfig fleet, ServerConfig config, Sources sources, Path path, int pattern) {
        Optional<FleetConfig> before = config.before(fleet, path);
        if (before.isPresent()) {
            throw new IllegalArgumentException(
                    "it is replicated by " + before.get().name());
        }
        try {
            return spec(fleet.database(path, pattern), sources);
        } catch (IOException e) {
            throw new TransientStorageException(path + " cannot be looked at: " + e.getMessage(), e);
        }
    }

    private static FleetOptions.Places places(FleetConfig fleet) {
        return new FleetOptions.Places() {
            @Override
            public String place(String path, int pattern) {
                return fleet.place(path, pattern);
            }

            @Override
            public Path metaPath(String path, int pattern) {
                return fleet.naming().metaPath(Path.of(path));
            }
        };
    }

    private static Workload.State state(MultiDbConfig multiDb, Path directory, Sources sources) {
        FleetNaming naming = multiDb.fleet().naming();
        return new Workload.State(
                directory,
                multiDb.instance().orElseGet(HostName::get),
                Optional.of(sources.root(naming.base())),
                naming.target());
    }

    /** Takes the databases of a configuration one by one, in the order of their paths within each fleet. */
    interface Visitor {
        void database(DatabaseConfig database) throws IOException;

        /** One that is found and cannot be replicated. */
        void refused(Path path, String why);
    }

    /** All databases of a configuration: those it names, whether they exist or not, and what its fleets find now. */
    static void each(ServerConfig config, Visitor visitor) throws IOException, InterruptedException {
        for (DatabaseConfig database : config.databases()) {
            visitor.database(database);
        }
        for (FleetConfig fleet : config.fleets()) {
            for (Found found : FoundDatabases.in(fleet.selection())) {
                Path path = found.path();
                if (config.named(path).isEmpty() && config.before(fleet, path).isEmpty()) {
                    each(fleet, found, visitor);
                }
            }
        }
    }

    private static void each(FleetConfig fleet, Found found, Visitor visitor) throws IOException {
        DatabaseConfig database;
        try {
            database = fleet.database(found.path(), found.pattern());
        } catch (IllegalArgumentException e) {
            visitor.refused(found.path(), String.valueOf(e.getMessage()));
            return;
        }
        visitor.database(database);
    }
}
