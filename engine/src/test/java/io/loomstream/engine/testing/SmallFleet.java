package io.loomstream.engine.testing;

import io.loomstream.engine.fleet.FleetOptions;
import io.loomstream.engine.fleet.Replication;
import io.loomstream.engine.fleet.ReplicationOptions;
import io.loomstream.engine.fleet.Selection;
import io.loomstream.engine.fleet.Workload;
import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileReplicaClient;
import io.loomstream.engine.replica.FileRootStore;
import io.loomstream.engine.sync.DatabaseOptions;
import io.loomstream.engine.sync.DatabaseSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A running fleet of real databases with file replicas, in a hurry: its intervals are fractions of a second. */
@SuppressWarnings("try") // a test that is interrupted while it closes has ended anyway
public final class SmallFleet implements AutoCloseable {
    private final Path directory;
    private final Path data;
    private final Path replicas;
    private final AppProcess app;
    private final List<DatabaseSpec> named = new ArrayList<>();
    private Duration hotDuration = Duration.ofMillis(300);
    private int hotMax = 100;
    private Replication running;

    /** Nothing runs yet. */
    public SmallFleet(Path directory) throws IOException {
        this.directory = directory;
        this.data = Files.createDirectories(directory.resolve("data"));
        this.replicas = directory.resolve("replicas");
        this.app = AppProcess.start();
    }

    /** How long a hot database has to be quiet. */
    public SmallFleet withHotDuration(Duration duration) {
        hotDuration = duration;
        return this;
    }

    public SmallFleet withHotMax(int max) {
        hotMax = max;
        return this;
    }

    /** Also replicates a database that the configuration names. */
    public SmallFleet withNamed(Path database) {
        named.add(spec(database, directory.resolve("named-replica")));
        return this;
    }

    /** The directory that the fleet's databases are found in. */
    public Path data() {
        return data;
    }

    public Path replicas() {
        return replicas;
    }

    /** The application that writes. */
    public AppProcess app() {
        return app;
    }

    /** Makes a database with a table {@code t(x)}, not open any more. */
    public Path make(String name) throws IOException {
        return make(data.resolve(name));
    }

    public Path make(Path database) throws IOException {
        Files.createDirectories(database.getParent());
        app.open("make", database)
                .exec("make", "pragma journal_mode=wal")
                .exec("make", "create table t(x)")
                .close("make");
        return database;
    }

    private static DatabaseSpec spec(Path database, Path replica) {
        return new DatabaseSpec(
                DatabaseOptions.defaults(database).withMonitorInterval(Duration.ofMillis(50)),
                new FileReplicaClient(replica, FileAccess.PRIVATE));
    }

    public Replication start() {
        FleetOptions options = new FleetOptions(
                Selection.ofPatterns(List.of(data + "/**/*.db"), List.of()),
                (path, pattern) ->
                        spec(path, replicas.resolve(data.relativize(path).toString())),
                Duration.ofMillis(100),
                Duration.ofSeconds(2),
                hotDuration,
                hotMax,
                Duration.ZERO);
        Workload.State state =
                new Workload.State(directory.resolve("state"), "node-1", Optional.of(new FileRootStore(replicas)));
        running = Replication.start(
                new Workload(named, List.of(new Workload.Section(options, Optional.of(state)))),
                ReplicationOptions.defaults());
        return running;
    }

    @Override
    public void close() throws Exception {
        app.close();
        if (running != null) {
            running.stop(Duration.ZERO, Duration.ofMillis(1));
        }
    }
}
