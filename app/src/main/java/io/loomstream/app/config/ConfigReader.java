package io.loomstream.app.config;

import io.loomstream.engine.sync.DatabaseOptions;
import io.loomstream.engine.sync.HoldMode;
import io.loomstream.engine.sync.JournalPolicy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.event.Level;

/** Turns the text of a configuration into records, by Litestream's rules where both know a key. */
final class ConfigReader {
    static final String SYNC_INTERVAL = "sync-interval";
    /** A WAL of that size is nothing special: many applications checkpoint at 4 MB only. */
    private static final long WAL_BYTES_MAX_LEAST = 1L << 20;

    private final Environment environment;
    private final Problems problems;
    /** What must be each database's own, with the line that took it: two writers in one place destroy each other. */
    private final Map<Path, Integer> databasePaths = new HashMap<>();

    private final Map<Path, Integer> metaPaths = new HashMap<>();
    private final ReplicaReader replicas;
    private final FleetReader fleets;

    private ConfigReader(Environment environment, Problems problems) {
        this.environment = environment;
        this.problems = problems;
        this.replicas = new ReplicaReader(environment, problems);
        this.fleets = new FleetReader(environment, problems, replicas);
    }

    /** Reads a YAML text whose environment variables are expanded already. */
    static ServerConfig read(String text, Environment environment, Problems problems) throws ConfigException {
        Node root = YamlReader.read(text, problems);
        var reader = new ConfigReader(environment, problems);
        if (root == null || root.isNull()) {
            return reader.top(new Node.Mapping(Map.of(), 0));
        }
        if (root instanceof Node.Mapping mapping) {
            return reader.top(mapping);
        }
        throw problems.error(root.line(), "the file must be a mapping of keys to values (got " + root.shown() + ")");
    }

    private ServerConfig top(Node.Mapping root) throws ConfigException {
        var fields = new Fields(root, "", problems);
        fields.check(KnownKeys.TOP);
        Duration shutdownTimeout = fields.duration("shutdown-sync-timeout", ServerConfig.DEFAULT_SHUTDOWN_SYNC_TIMEOUT);
        if (shutdownTimeout.isNegative()) {
            throw fields.error(
                    "shutdown-sync-timeout", "shutdown-sync-timeout must be >= 0", GoDuration.format(shutdownTimeout));
        }
        Duration shutdownInterval = positive(
                fields,
                "shutdown-sync-interval",
                "shutdown sync interval",
                ServerConfig.DEFAULT_SHUTDOWN_SYNC_INTERVAL);
        Duration syncInterval = positive(fields, SYNC_INTERVAL, "sync interval", Duration.ofSeconds(1));
        LoggingConfig logging = logging(fields);
        List<DatabaseConfig> databases = new ArrayList<>();
        List<Directory> directories = new ArrayList<>();
        var list = fields.sequence("dbs");
        if (list.isPresent()) {
            int number = 0;
            for (Node item : list.get().items()) {
                number++;
                entry(item, number, fields, syncInterval, databases, directories);
            }
        }
        Optional<MultiDbConfig> multiDb = fleets.multiDb(fields, syncInterval);
        return new ServerConfig(
                databases,
                inOrder(directories, multiDb, fields),
                multiDb,
                new ServingReader(environment).read(fields, multiDb.isPresent()),
                logging,
                shutdownTimeout,
                shutdownInterval);
    }

    /** A directory with the line of its entry. */
    private record Directory(FleetConfig fleet, int line) {}

    /** Those that are watched come first: what the others did not find at the start is nobody's then. */
    private List<FleetConfig> inOrder(List<Directory> directories, Optional<MultiDbConfig> multiDb, Fields top)
            throws ConfigException {
        List<FleetConfig> ordered = new ArrayList<>();
        for (Directory directory : directories) {
            refuseInsideOfNamed(directory.fleet(), directory.line());
            if (directory.fleet().watch()) {
                ordered.add(directory.fleet());
            }
        }
        if (multiDb.isPresent()) {
            refuseInsideOfNamed(multiDb.get().fleet(), top.lineOf(FleetReader.MULTI_DB));
            ordered.add(multiDb.get().fleet());
        }
        directories.stream()
                .map(Directory::fleet)
                .filter(fleet -> !fleet.watch())
                .forEach(ordered::add);
        return ordered;
    }

    private void refuseInsideOfNamed(FleetConfig fleet, int line) throws ConfigException {
        ReplicaConfig base = fleet.naming().base();
        Optional<String> collision = replicas.places().around(base);
        if (collision.isPresent()) {
            throw problems.error(
                    line,
                    fleet.name() + ": the place of its replicas " + collision.get() + " (got " + base.place() + ")");
        }
    }

    /** A duration above zero; {@code name} is what Litestream's messages call it. */
    static Duration positive(Fields fields, String key, String name, Duration unset) throws ConfigException {
        Duration value = fields.duration(key, unset);
        if (!value.isPositive()) {
            throw fields.error(key, name + " must be greater than 0", GoDuration.format(value));
        }
        return value;
    }

    private LoggingConfig logging(Fields top) throws ConfigException {
        var section = top.mapping("logging");
        LoggingConfig unset = LoggingConfig.defaults();
        if (section.isEmpty()) {
            return withLevelOfEnvironment(unset);
        }
        Fields fields = section.get();
        fields.check(KnownKeys.LOGGING);
        Level level = unset.level();
        var word = fields.text("level");
        if (word.isPresent()) {
            var known = LogLevels.parse(word.get());
            if (known.isEmpty()) {
                // Litestream takes any word here and falls back to info; its files must go on working.
                problems.warn(
                        fields.lineOf("level"),
                        "logging.level: must be trace, debug, info, warn or error; info is used (got " + word.get()
                                + ")");
            }
            level = known.orElse(level);
        }
        return withLevelOfEnvironment(new LoggingConfig(
                level,
                fields.choice("type", unset.type(), LoggingConfig.Type.class),
                fields.bool("stderr", unset.stderr()),
                fields.bool("source", unset.source())));
    }

    private LoggingConfig withLevelOfEnvironment(LoggingConfig logging) {
        return LogLevels.parse(environment.variable("LOG_LEVEL"))
                .map(logging::withLevel)
                .orElse(logging);
    }

    private void entry(
            Node item,
            int number,
            Fields top,
            Duration syncInterval,
            List<DatabaseConfig> databases,
            List<Directory> directories)
            throws ConfigException {
        if (!(item instanceof Node.Mapping mapping)) {
            throw problems.error(
                    item.line(), "database config #" + number + ": must be a mapping (got " + item.shown() + ")");
        }
        String position = "database config #" + number;
        var unnamed = new Fields(mapping, position + ": ", problems);
        if (unnamed.text("path").isEmpty() && unnamed.text("dir").isEmpty()) {
            throw problems.error(mapping.line(), position + ": must specify either 'path' or 'dir'");
        }
        if (unnamed.text("path").isPresent() && unnamed.text("dir").isPresent()) {
            throw problems.error(unnamed.lineOf("dir"), position + ": cannot specify both 'path' and 'dir'");
        }
        if (unnamed.text("dir").isPresent()) {
            directories.add(
                    new Directory(fleets.directory(position, unnamed, mapping, top, syncInterval), mapping.line()));
        } else {
            FleetReader.refuseKeysOfDirectories(unnamed, position, problems);
            databases.add(database(unnamed, mapping, top, syncInterval));
        }
    }

    private DatabaseConfig database(Fields unnamed, Node.Mapping mapping, Fields top, Duration syncInterval)
            throws ConfigException {
        Path path = unnamed.parsed("path", environment::path).orElseThrow();
        String prefix = "dbs[" + path + "]";
        var fields = new Fields(mapping, prefix + ".", problems);
        fields.check(KnownKeys.DATABASE);
        unique(databasePaths, path, fields, "path", "the same database is listed");

        Path metaPath = fields.parsed("meta-path", environment::path).orElse(DatabaseOptions.defaultMetaPath(path));
        DatabaseOptions options = options(fields, path, metaPath);
        unique(metaPaths, options.metaPath(), fields, "meta-path", "the meta directory is another database's");
        ReplicaReader.Replica replica = replicas.read(fields, prefix, top, syncInterval);
        return new DatabaseConfig(options.withSyncInterval(replica.syncInterval()), replica.config());
    }

    private void unique(Map<Path, Integer> taken, Path path, Fields fields, String key, String complaint)
            throws ConfigException {
        Integer line = taken.putIfAbsent(path, fields.lineOf(key));
        if (line != null) {
            throw fields.error(key, complaint + " in line " + line + " already", path.toString());
        }
    }

    /** The options that every entry and section may have. */
    static DatabaseOptions options(Fields fields, Path path, Path metaPath) throws ConfigException {
        DatabaseOptions unset = DatabaseOptions.defaults(path);
        Duration checkpointInterval = fields.duration("checkpoint-interval", unset.checkpointInterval());
        notNegative(fields, "checkpoint-interval", checkpointInterval);
        Duration busyTimeout = fields.duration("busy-timeout", unset.busyTimeout());
        notNegative(fields, "busy-timeout", busyTimeout);
        return new DatabaseOptions(
                path,
                metaPath,
                fields.duration("monitor-interval", unset.monitorInterval()),
                unset.syncInterval(),
                checkpointInterval,
                (int) fields.integer("min-checkpoint-page-count", unset.minCheckpointPages(), 1, Integer.MAX_VALUE),
                (int) fields.integer("truncate-page-n", unset.truncatePages(), Integer.MIN_VALUE, Integer.MAX_VALUE),
                busyTimeout,
                fields.integer("max-sync-wal-bytes", unset.syncWalBytesMax(), 0, Long.MAX_VALUE),
                walBytesMax(fields, unset.walBytesMax()),
                fields.parsed("max-local-bytes", ByteSize::parse).orElse(unset.localBytesMax()),
                fields.choice("hold", unset.hold(), HoldMode.class),
                fields.choice("journal-mode", unset.journalPolicy(), JournalPolicy.class));
    }

    private static long walBytesMax(Fields fields, long unset) throws ConfigException {
        long bytes = fields.parsed("max-wal-bytes", ByteSize::parse).orElse(unset);
        if (bytes != 0 && bytes < WAL_BYTES_MAX_LEAST) {
            throw fields.error("max-wal-bytes", "must be 0 (no limit) or at least 1MiB", bytes + " bytes");
        }
        return bytes;
    }

    static void notNegative(Fields fields, String key, Duration value) throws ConfigException {
        if (value.isNegative()) {
            throw fields.error(key, "must be >= 0", GoDuration.format(value));
        }
    }
}
