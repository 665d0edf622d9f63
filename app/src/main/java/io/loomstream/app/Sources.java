package io.loomstream.app;

import io.loomstream.app.config.ConfigException;
import io.loomstream.app.config.ConfigFile;
import io.loomstream.app.config.DatabaseConfig;
import io.loomstream.app.config.Environment;
import io.loomstream.app.config.FileUrl;
import io.loomstream.app.config.LoadedConfig;
import io.loomstream.app.config.ReplicaConfig;
import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileOldFormatStore;
import io.loomstream.engine.replica.FileReplicaClient;
import io.loomstream.engine.replica.OldFormatStore;
import io.loomstream.engine.replica.ReplicaClient;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** From what a command line or a configuration names to the replicas it means. */
final class Sources {
    private final Environment environment = Environment.ofProcess();

    /**
     * A replica, named by a URL or by the database whose it is.
     *
     * @param name as the user gave it
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

    /** Whether an argument is a replica URL; {@code sqlite://} names a database. */
    static boolean isUrl(String argument) {
        return FileUrl.scheme(argument)
                .filter(scheme -> !scheme.startsWith("sqlite"))
                .isPresent();
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
        if (isUrl(name)) {
            if (words.value("config").isPresent()) {
                throw new UsageException("cannot specify a replica URL and the -config flag");
            }
            ReplicaConfig replica = replica(name);
            return new Source(name, Optional.empty(), client(replica, FileAccess.PRIVATE), oldFormat(replica));
        }
        LoadedConfig loaded = config(words);
        loaded.warnings().forEach(warning -> err.println("Warning: " + warning));
        Path path = path(name);
        DatabaseConfig database = loaded.config()
                .database(path)
                .orElseThrow(() -> new ConfigException("database not found in config: " + path));
        return source(database);
    }

    /** The replica of a configured database. */
    static Source source(DatabaseConfig database) throws IOException {
        Path path = database.options().path();
        return new Source(
                path.toString(),
                Optional.of(path),
                client(database.replica(), access(path)),
                oldFormat(database.replica()));
    }

    Path path(String text) throws UsageException {
        try {
            return environment.path(text);
        } catch (IllegalArgumentException e) {
            throw new UsageException(text + ": " + e.getMessage());
        }
    }

    /** The replica that a URL names. */
    ReplicaConfig replica(String url) throws UsageException {
        String scheme = FileUrl.scheme(url).orElse("");
        if (!scheme.equals("file")) {
            throw new UsageException(
                    "replica URL " + url + ": this version of Loomstream serves file URLs only (file:///path)");
        }
        try {
            return new ReplicaConfig(environment.path(FileUrl.path(url)));
        } catch (IllegalArgumentException e) {
            throw new UsageException("replica URL " + url + ": " + e.getMessage());
        }
    }

    static ReplicaClient client(ReplicaConfig replica, FileAccess access) {
        return new FileReplicaClient(replica.directory(), access);
    }

    private static Optional<OldFormatStore> oldFormat(ReplicaConfig replica) {
        return Optional.of(new FileOldFormatStore(replica.directory()));
    }

    /** Who may read a database may read its replica; one that does not exist yet is its maker's only. */
    static FileAccess access(Path database) throws IOException {
        return Files.exists(database) ? FileAccess.like(database) : FileAccess.PRIVATE;
    }

    /** What can go wrong with a list of arguments that has to be empty. */
    static void none(List<String> arguments) throws UsageException {
        if (!arguments.isEmpty()) {
            throw new UsageException("too many arguments");
        }
    }
}
