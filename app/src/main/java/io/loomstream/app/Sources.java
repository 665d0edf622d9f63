package io.loomstream.app;

import io.loomstream.app.config.ConfigException;
import io.loomstream.app.config.ConfigFile;
import io.loomstream.app.config.DatabaseConfig;
import io.loomstream.app.config.Environment;
import io.loomstream.app.config.LoadedConfig;
import io.loomstream.app.config.ReplicaConfig;
import io.loomstream.app.config.ReplicaUrl;
import io.loomstream.app.config.ServerConfig;
import io.loomstream.app.config.UrlMask;
import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileOldFormatStore;
import io.loomstream.engine.replica.OldFormatStore;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.ReplicaTree;
import io.loomstream.engine.replica.RootStore;
import io.loomstream.engine.replica.s3.S3Endpoints;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** From what a command line or a configuration names to the replicas it means. Close it after the last use of them. */
final class Sources implements AutoCloseable {
    private final Environment environment = Environment.ofProcess();
    private final ReplicaClients clients = new ReplicaClients();

    /**
     * A replica, named by a URL or by the database whose it is.
     *
     * @param name as the user gave it, secrets masked
     * @param database the path of the database; empty for a URL
     * @param oldFormat where Litestream v0.3 may have left something, if such a replica can hold it
     */
    record Source(String name, Optional<Path> database, ReplicaClient replica, Optional<OldFormatStore> oldFormat) {}

    /** Adds the flags that say which configuration. */
    static Flags withConfig(Flags flags) {
        return flags.value(
                        "config",
                        "PATH",
                        "The configuration file; default: $LOOMSTREAM_CONFIG, $LITESTREAM_CONFIG,"
                                + " /etc/loomstream.yml, /etc/litestream.yml.")
                .onOff("no-expand-env", "Leave $NAME in the configuration as it is.")
                .onOff("strict", "Take a warning about the configuration for an error.");
    }

    /** Reads the configuration that the flags name. */
    LoadedConfig config(Flags.Parsed words) throws ConfigException {
        return ConfigFile.load(
                words.value("config"),
                new ConfigFile.Rules(!words.on("no-expand-env"), words.on("strict")),
                environment);
    }

    /** The replica that a command's one argument means; warnings about the configuration go to {@code err}. */
    Source source(Flags.Parsed words, String usage, PrintStream err) throws UsageException, IOException {
        if (words.arguments().isEmpty() || words.arguments().getFirst().isEmpty()) {
            throw new UsageException("database path or replica URL required", usage);
        }
        if (words.arguments().size() > 1) {
            throw new UsageException("too many arguments");
        }
        String name = words.arguments().getFirst();
        if (ReplicaUrl.isUrl(name)) {
            if (words.value("config").isPresent()) {
                throw new UsageException("cannot specify a replica URL and the -config flag");
            }
            ReplicaUrl url = url(name);
            url.warnings().forEach(warning -> err.println("Warning: " + warning));
            return new Source(
                    UrlMask.mask(name),
                    Optional.empty(),
                    client(url.replica(), FileAccess.PRIVATE),
                    oldFormat(url.replica()));
        }
        LoadedConfig loaded = config(words);
        loaded.warnings().forEach(warning -> err.println("Warning: " + warning));
        Path path = path(name);
        return source(database(loaded.config(), path));
    }

    private static DatabaseConfig database(ServerConfig config, Path path) throws ConfigException {
        try {
            return config.database(path)
                    .orElseThrow(() -> new ConfigException("database not found in config: " + path));
        } catch (IllegalArgumentException notReplicated) {
            throw new ConfigException(path + " is not replicated: " + notReplicated.getMessage());
        }
    }

    /** Lets {@code multi-db} say how the process uses S3; before the first client. */
    void configure(ServerConfig config) {
        config.multiDb().ifPresent(clients::configure);
    }

    /** The S3 side of this process; empty before the first S3 replica. */
    Optional<S3Endpoints> s3() {
        return clients.endpoints();
    }

    /** The replica of a configured database. */
    Source source(DatabaseConfig database) throws IOException {
        Path path = database.options().path();
        return new Source(
                path.toString(),
                Optional.of(path),
                client(database.replica(), access(path)),
                oldFormat(database.replica()));
    }

    ReplicaClient client(ReplicaConfig replica, FileAccess access) {
        return clients.client(replica, access);
    }

    /** The server's own files below the root of a fleet's replicas. */
    RootStore root(ReplicaConfig base) {
        return clients.root(base);
    }

    /** All replicas below a place. */
    ReplicaTree tree(ReplicaConfig place) {
        return clients.tree(place);
    }

    Path path(String text) throws UsageException {
        try {
            return environment.path(text);
        } catch (IllegalArgumentException e) {
            throw new UsageException(text + ": " + e.getMessage());
        }
    }

    /** The replica that a URL names. */
    ReplicaUrl url(String url) throws ConfigException {
        return ReplicaUrl.parse(url, environment);
    }

    private static Optional<OldFormatStore> oldFormat(ReplicaConfig replica) {
        return switch (replica) {
            case ReplicaConfig.Directory(Path directory) -> Optional.of(new FileOldFormatStore(directory));
            case ReplicaConfig.S3 s3 -> Optional.empty();
        };
    }

    /** Who may read a database may read its replica; one that does not exist yet is its maker's only. */
    static FileAccess access(Path database) throws IOException {
        return Files.exists(database) ? FileAccess.like(database) : FileAccess.PRIVATE;
    }

    @Override
    public void close() {
        clients.close();
    }

    /** What can go wrong with a list of arguments that has to be empty. */
    static void none(List<String> arguments) throws UsageException {
        if (!arguments.isEmpty()) {
            throw new UsageException("too many arguments");
        }
    }
}
