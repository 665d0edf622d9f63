package io.loomstream.app.config;

import io.loomstream.engine.fleet.Selection;
import io.loomstream.engine.sync.DatabaseOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Databases that are found: a {@code dir} entry of {@code dbs}, or {@code multi-db}. Immutable, thread-safe.
 *
 * @param name as messages call it
 * @param options of each database, but for its paths
 * @param watch whether databases that come later are served too
 */
public record FleetConfig(
        String name,
        Selection selection,
        FleetNaming naming,
        DatabaseOptions options,
        FleetPace pace,
        boolean watch,
        ReplicaPlaces named) {
    /** A database of this fleet by its path, whether the file exists or not. */
    public Optional<DatabaseConfig> database(Path path) {
        OptionalInt pattern = selection.select(path.toString());
        return pattern.isPresent() ? Optional.of(database(path, pattern.getAsInt())) : Optional.empty();
    }

    /**
     * A database of this fleet.
     *
     * @param pattern number of the pattern that selects it
     * @throws IllegalArgumentException with the reason when it cannot be replicated
     */
    public DatabaseConfig database(Path path, int pattern) {
        ReplicaConfig replica = replica(path.toString(), pattern);
        Optional<String> collision = named.collision(replica);
        if (collision.isPresent()) {
            throw new IllegalArgumentException("its replica path " + replica.place() + " " + collision.get());
        }
        return new DatabaseConfig(options.at(path, naming.metaPath(path)), replica);
    }

    /** Where a database is replicated to. */
    ReplicaConfig replica(String path, int pattern) {
        return naming.replica(path, selection.patterns().get(pattern).root());
    }

    /** Where a database is replicated to, as a text that no other place has. */
    public String place(String path, int pattern) {
        return ReplicaPlaces.text(replica(path, pattern));
    }

    /** Whether the scanner of this fleet finds a file under this path: not through a link, where it follows none. */
    public boolean reaches(Path path) {
        if (selection.select(path.toString()).isEmpty()) {
            return false;
        }
        if (selection.followsLinks()) {
            return true;
        }
        Path root = Path.of(selection.patterns().getFirst().root());
        try {
            return !Files.exists(path)
                    || path.toRealPath().equals(root.toRealPath().resolve(root.relativize(path)));
        } catch (IOException goneMeanwhile) {
            return true;
        }
    }
}
