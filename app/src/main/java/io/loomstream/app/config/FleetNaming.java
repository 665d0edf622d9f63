package io.loomstream.app.config;

import io.loomstream.engine.fleet.ReplicaTemplate;
import io.loomstream.engine.fleet.TenantNames;
import io.loomstream.engine.replica.RootStore;
import io.loomstream.engine.sync.DatabaseOptions;
import java.nio.file.Path;
import java.util.Optional;

/** How the databases of a fleet are called on the replica, and where their local state is. */
public sealed interface FleetNaming {
    /** The root of all replicas of the fleet. */
    ReplicaConfig base();

    /** Changes with where databases are replicated to. */
    String target();

    /**
     * Where a database is replicated to.
     *
     * @param path absolute and normal
     * @param root the directory that the path's pattern begins with
     * @throws IllegalArgumentException with the reason when its name allows no replica path
     */
    ReplicaConfig replica(String path, String root);

    Path metaPath(Path database);

    /** {@code multi-db}: by the template; local state is beside the database. */
    record ByTemplate(ReplicaConfig written, ReplicaTemplate template) implements FleetNaming {
        @Override
        public ReplicaConfig base() {
            return written.at(
                    template.root().isEmpty() && written instanceof ReplicaConfig.Directory ? "/" : template.root());
        }

        @Override
        public String target() {
            return ReplicaPlaces.text(written);
        }

        @Override
        public ReplicaConfig replica(String path, String root) {
            String expanded = template.expand(TenantNames.of(path, root));
            String below = expanded.substring(template.root().length());
            if (below.startsWith(RootStore.DIRECTORY + "/", below.startsWith("/") ? 1 : 0)
                    || below.endsWith("/" + RootStore.DIRECTORY)) {
                throw new IllegalArgumentException("its replica path \"" + expanded + "\" is reserved: "
                        + RootStore.DIRECTORY + " holds the server's own files");
            }
            return written.at(expanded);
        }

        @Override
        public Path metaPath(Path database) {
            return DatabaseOptions.defaultMetaPath(database);
        }
    }

    /**
     * A {@code dir} entry: by the path below the directory, as in Litestream.
     *
     * @param metaPath {@code meta-path}: local state is in {@code DIR/.NAME-litestream} below it
     * @param metaDir {@code meta-dir}: local state is in {@code DIR/NAME-litestream} below it
     */
    record ByDirectory(Path directory, ReplicaConfig base, Optional<Path> metaPath, Optional<Path> metaDir)
            implements FleetNaming {
        @Override
        public String target() {
            return ReplicaPlaces.text(base);
        }

        @Override
        public ReplicaConfig replica(String path, String root) {
            return base.below(directory.relativize(Path.of(path)).toString());
        }

        @Override
        public Path metaPath(Path database) {
            Path relative = directory.relativize(database);
            if (metaDir.isPresent()) {
                return metaDir.get().resolve(relative + "-litestream");
            }
            if (metaPath.isPresent()) {
                return DatabaseOptions.defaultMetaPath(metaPath.get().resolve(relative));
            }
            return DatabaseOptions.defaultMetaPath(database);
        }
    }
}
