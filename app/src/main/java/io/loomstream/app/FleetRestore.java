package io.loomstream.app;

import io.loomstream.app.config.DatabaseConfig;
import io.loomstream.app.config.LoadedConfig;
import io.loomstream.app.config.MultiDbConfig;
import io.loomstream.app.config.ReplicaConfig;
import io.loomstream.app.config.ReplicaUrl;
import io.loomstream.app.config.ServerConfig;
import io.loomstream.app.config.UrlMask;
import io.loomstream.engine.fleet.PathMap;
import io.loomstream.engine.fleet.StoredFleet;
import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.ReplicaTree;
import io.loomstream.engine.replica.RootStore;
import io.loomstream.engine.restore.IntegrityCheck;
import io.loomstream.engine.restore.ManyRestores;
import io.loomstream.engine.restore.ManyRestores.Job;
import io.loomstream.engine.restore.ManyRestores.Taker;
import io.loomstream.engine.restore.RestoreLog;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Restores a whole fleet: to the paths the databases had, by the path map, or below a directory, by the replicas' paths.
 *
 * <p>What was restored is kept in a log until all is: a run that was broken off is gone on with. Once everything is restored
 * the log goes, so that what the next run meets is somebody's database, and stays.
 */
final class FleetRestore {
    private static final String LOG = ".loomstream-restore.jsonl";
    private static final List<String> OTHERS =
            List.of("o", "txid", "timestamp", "if-db-not-exists", "if-replica-exists", "dry-run", "json", "f");

    private final Sources sources;
    private final Flags.Parsed words;
    private final FleetProgress progress;
    private final PrintStream out;
    private final PrintStream err;

    FleetRestore(Sources sources, Flags.Parsed words, PrintStream out, PrintStream err) {
        this.sources = sources;
        this.words = words;
        this.out = out;
        this.err = err;
        this.progress = new FleetProgress(err, ProgressBar.wanted(), System::nanoTime);
    }

    /** Whether the words of a restore mean many databases. */
    static boolean wanted(Flags.Parsed words) {
        return words.value("pattern").isPresent()
                || words.value("output-dir").isPresent()
                || (words.on("hot-first") && words.arguments().isEmpty());
    }

    int run(int parallel, IntegrityCheck check) throws UsageException, IOException, InterruptedException {
        Sources.none(words.arguments());
        for (String other : OTHERS) {
            if (words.value(other).isPresent()) {
                throw new UsageException("-" + other + " is for one database, not for a whole fleet");
            }
        }
        Optional<String> text = words.value("pattern");
        Optional<ReplicaPattern> pattern =
                text.isPresent() ? Optional.of(ReplicaPattern.parse(text.get())) : Optional.empty();
        Thread main = Thread.currentThread();
        TerminationSignals.handle(signal -> main.interrupt());
        if (words.value("output-dir").isPresent()) {
            return below(sources.path(words.value("output-dir").get()), pattern, parallel, check);
        }
        return toOwnPaths(pattern, parallel, check);
    }

    private int toOwnPaths(Optional<ReplicaPattern> pattern, int parallel, IntegrityCheck check)
            throws UsageException, IOException, InterruptedException {
        if (pattern.isPresent() && words.value("config").isEmpty()) {
            throw new UsageException(
                    "-output-dir is required, or -config to restore every database to its own path",
                    "loomstream restore -pattern '" + words.value("pattern").orElseThrow() + "' -output-dir DIR");
        }
        LoadedConfig loaded = configured();
        MultiDbConfig multiDb = multiDb(loaded);
        ReplicaConfig base = multiDb.fleet().naming().base();
        requireNoOtherPlace(pattern, base);
        String instance = multiDb.instance().orElseGet(HostName::get);
        RootStore root = sources.root(base);
        StoredFleet fleet = StoredFleet.of(root, instance)
                .orElseThrow(() -> new IOException("there is no path map of instance \"" + instance + "\" below "
                        + root.describe() + "; it holds those of " + root.directories()
                        + ": set 'instance' to the lost host's, or use -output-dir"));
        if (pattern.isEmpty()) {
            progress.expect(fleet.databases());
        }
        Path log = StateDirectory.of(loaded).resolve("restore.jsonl");
        String what = base.place() + "/" + words.value("pattern").orElse("**");
        return run(log, what + " to the paths of instance " + instance, parallel, check, taker -> {
            Set<String> first = new HashSet<>();
            if (words.on("hot-first")) {
                for (PathMap.Entry entry : fleet.hot()) {
                    first.add(entry.path());
                    take(loaded.config(), base, entry, pattern, taker);
                }
            }
            AtomicBoolean interrupted = new AtomicBoolean();
            fleet.forEach(entry -> {
                try {
                    if (!interrupted.get() && !first.contains(entry.path())) {
                        take(loaded.config(), base, entry, pattern, taker);
                    }
                } catch (InterruptedException e) {
                    interrupted.set(true);
                }
            });
            if (interrupted.get()) {
                throw new InterruptedException();
            }
        });
    }

    private void take(
            ServerConfig config, ReplicaConfig base, PathMap.Entry entry, Optional<ReplicaPattern> pattern, Taker taker)
            throws InterruptedException {
        if (pattern.isPresent() && !pattern.get().matches(entry.replica())) {
            return;
        }
        Path path;
        try {
            path = Path.of(entry.path());
            if (!path.isAbsolute() || !path.equals(path.normalize())) {
                throw new IllegalArgumentException("the path map has it, and it is no absolute path");
            }
        } catch (IllegalArgumentException e) {
            progress.failed(entry.path(), String.valueOf(e.getMessage()));
            return;
        }
        Optional<ReplicaClient> replica = replica(config, base, entry, path);
        if (replica.isEmpty()) {
            progress.failed(
                    entry.path(),
                    "its replica, " + entry.replica() + ", is not below " + base.place()
                            + ", and the configuration says nothing of it");
            return;
        }
        taker.take(new Job(entry.path(), replica.get(), path));
    }

    /** As the configuration has it where that is the place that the map names: a path may be written in several ways. */
    private Optional<ReplicaClient> replica(ServerConfig config, ReplicaConfig base, PathMap.Entry entry, Path path) {
        boolean inside = ReplicaTree.problemOf(entry.replica()).isEmpty() && !ReplicaUrl.isUrl(entry.replica());
        Optional<ReplicaClient> below = inside
                ? Optional.of(sources.client(base.below(entry.replica()), FileAccess.PRIVATE))
                : Optional.empty();
        String place = below.map(ReplicaClient::describe).orElse(entry.replica());
        return configured(config, path)
                .map(database -> sources.client(database.replica(), FileAccess.PRIVATE))
                .filter(client -> client.describe().equals(place))
                .or(() -> below);
    }

    private static Optional<DatabaseConfig> configured(ServerConfig config, Path path) {
        try {
            return config.database(path);
        } catch (IllegalArgumentException notReplicatedAnyMore) {
            return Optional.empty();
        }
    }

    private int below(Path directory, Optional<ReplicaPattern> pattern, int parallel, IntegrityCheck check)
            throws UsageException, IOException, InterruptedException {
        boolean byConfig = words.value("config").isPresent();
        if (!byConfig && pattern.isEmpty()) {
            throw new UsageException(
                    "-output-dir needs a -pattern, or a -config with multi-db",
                    "loomstream restore -pattern 's3://bucket/prefix/**' -output-dir " + directory);
        }
        ReplicaConfig place;
        if (byConfig) {
            place = multiDb(configured()).fleet().naming().base();
            requireNoOtherPlace(pattern, place);
        } else {
            if (pattern.orElseThrow().place().isEmpty()) {
                throw new UsageException("-pattern without -config has to be a replica URL");
            }
            ReplicaUrl url = sources.url(pattern.get().place());
            url.warnings().forEach(warning -> err.println("Warning: " + warning));
            place = url.replica();
        }
        Path log = directory.resolve(LOG);
        String what = pattern.isPresent() ? words.value("pattern").orElseThrow() : place.place() + "/**";
        return run(log, UrlMask.mask(what) + " to " + directory, parallel, check, taker -> {
            Set<String> first = new HashSet<>();
            ReplicaTree tree = sources.tree(place);
            if (words.on("hot-first")) {
                for (String hot : hot(place)) {
                    if (first.add(hot)) {
                        take(directory, hot, tree.replica(hot), pattern, taker);
                    }
                }
            }
            tree.forEach(new ReplicaTree.Visitor() {
                @Override
                public void found(String path, ReplicaClient replica) throws InterruptedException {
                    if (!first.contains(path)) {
                        take(directory, path, replica, pattern, taker);
                    }
                }

                @Override
                public void refused(String key, String why) {
                    progress.failed(key, "no file can have its path: " + why);
                }
            });
        });
    }

    /** Replica paths of what was hot on any instance that left its lists here. */
    private List<String> hot(ReplicaConfig place) {
        RootStore root = sources.root(place);
        List<String> hot = root.directories().stream()
                .flatMap(instance -> StoredFleet.of(root, instance).stream())
                .flatMap(fleet -> fleet.hot().stream())
                .map(PathMap.Entry::replica)
                .filter(path -> ReplicaTree.problemOf(path).isEmpty() && !ReplicaUrl.isUrl(path))
                .toList();
        if (hot.isEmpty()) {
            err.println("Warning: " + root.describe() + " says of no database that it was hot");
        }
        return hot;
    }

    private void take(Path directory, String path, ReplicaClient replica, Optional<ReplicaPattern> pattern, Taker taker)
            throws InterruptedException {
        if (pattern.isPresent() && !pattern.get().matches(path)) {
            return;
        }
        Optional<Path> output = ManyRestores.below(directory, path);
        if (output.isEmpty()) {
            progress.failed(path, "no database can have this path below " + directory);
            return;
        }
        taker.take(new Job(path, replica, output.get()));
    }

    private int run(Path file, String what, int parallel, IntegrityCheck check, ManyRestores.Source source)
            throws IOException, InterruptedException {
        try (RestoreLog log = RestoreLog.open(file, what)) {
            try {
                new ManyRestores(parallel, check, words.on("force"), log, progress).run(source);
            } finally {
                progress.end();
            }
            if (progress.failures() == 0 || log.isEmpty()) {
                log.remove();
            }
        }
        out.println(progress.summary());
        if (progress.failures() > 0) {
            err.println("Error: " + progress.failures()
                    + " databases were not restored; the same command tries only these again");
            return ExitCode.FAILURE;
        }
        if (progress.total() == 0) {
            err.println("Error: there is no such replica");
            return ExitCode.FAILURE;
        }
        return ExitCode.SUCCESS;
    }

    private LoadedConfig configured() throws IOException {
        LoadedConfig loaded = sources.config(words);
        loaded.warnings().forEach(warning -> err.println("Warning: " + warning));
        sources.configure(loaded.config());
        return loaded;
    }

    private static MultiDbConfig multiDb(LoadedConfig loaded) throws IOException {
        return loaded.config()
                .multiDb()
                .orElseThrow(() -> new IOException("the configuration has no multi-db: there is no path map, use"
                        + " -pattern URL -output-dir DIR"));
    }

    /** With a configuration, a pattern is about the replica paths below its root, and may be written with it. */
    private static void requireNoOtherPlace(Optional<ReplicaPattern> pattern, ReplicaConfig base)
            throws UsageException {
        if (pattern.isPresent() && !pattern.get().place().isEmpty()) {
            throw new UsageException("with -config, -pattern is about the replica paths below " + base.place()
                    + " and is no URL, such as 'acme/**'");
        }
    }
}
