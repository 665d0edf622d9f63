package io.loomstream.app.config;

import io.loomstream.engine.fleet.FleetOptions;
import io.loomstream.engine.fleet.ReplicaTemplate;
import io.loomstream.engine.fleet.Selection;
import io.loomstream.engine.sync.DatabaseOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads the sections whose databases are found: {@code dir} entries of {@code dbs}, and {@code multi-db}. */
final class FleetReader {
    static final String MULTI_DB = "multi-db";

    private static final String TEMPLATE = "replica-template";
    private static final String PATTERNS = "patterns";
    private static final String META_PATH = "meta-path";
    private static final String META_DIR = "meta-dir";

    private static final Duration DEFAULT_CONNECTION_IDLE_TIMEOUT = Duration.ofSeconds(5);
    private static final int DEFAULT_CONNECTIONS_MAX = 1000;

    /** Options of databases whose path is not known yet. */
    private static final Path ANY = Path.of("/any");

    private final Environment environment;
    private final Problems problems;
    private final ReplicaReader replicas;

    FleetReader(Environment environment, Problems problems, ReplicaReader replicas) {
        this.environment = environment;
        this.problems = problems;
        this.replicas = replicas;
    }

    /** A {@code dir} entry, in Litestream's order of complaints. */
    FleetConfig directory(String position, Fields unnamed, Node.Mapping mapping, Fields top, Duration syncInterval)
            throws ConfigException {
        Path directory = unnamed.parsed("dir", environment::path).orElseThrow();
        String name = "dbs[" + directory + "]";
        Fields fields = new Fields(mapping, name + ".", problems);
        fields.check(KnownKeys.DATABASE);
        String pattern = fields.text("pattern")
                .orElseThrow(
                        () -> problems.error(fields.line(), position + ": 'pattern' is required when using 'dir'"));
        boolean watch = fields.bool("watch", false);
        if (fields.text(META_PATH).isPresent() && fields.text(META_DIR).isPresent()) {
            throw problems.error(
                    fields.lineOf(META_DIR), position + ": cannot specify both 'meta-path' and 'meta-dir'");
        }
        boolean recursive = fields.bool("recursive", false);
        Selection selection = fields.parsed(
                        "pattern", text -> Selection.ofDirectory(directory.toString(), text, recursive))
                .orElseThrow(() -> new IllegalStateException(pattern));
        ReplicaReader.Replica replica = replicas.readBase(fields, name, top, syncInterval);
        DatabaseOptions options = ConfigReader.options(fields, ANY, DatabaseOptions.defaultMetaPath(ANY))
                .withSyncInterval(replica.syncInterval());
        Duration interval = ConfigReader.positive(
                fields, "monitor-interval", "monitor interval of a directory", Duration.ofSeconds(1));
        return new FleetConfig(
                name,
                selection,
                new FleetNaming.ByDirectory(
                        directory,
                        replica.config(),
                        fields.parsed(META_PATH, environment::path),
                        fields.parsed(META_DIR, environment::path)),
                options,
                new FleetPace(
                        interval,
                        FleetOptions.DEFAULT_FULL_SCAN_INTERVAL,
                        FleetOptions.DEFAULT_HOT_DURATION,
                        FleetOptions.DEFAULT_HOT_MAX,
                        FleetOptions.DEFAULT_RECENTLY_WRITTEN),
                watch,
                replicas.places());
    }

    /** Keys of a {@code path} entry that only mean something beside {@code dir}. */
    static void refuseKeysOfDirectories(Fields fields, String position, Problems problems) throws ConfigException {
        if (fields.bool("watch", false)) {
            throw problems.error(fields.lineOf("watch"), position + ": 'watch' can only be enabled with a directory");
        }
        if (fields.text(META_DIR).isPresent()) {
            throw problems.error(fields.lineOf(META_DIR), position + ": 'meta-dir' can only be used with a directory");
        }
        for (String key : List.of("pattern", "recursive")) {
            if (fields.gives(key)) {
                fields.warn(key, "does nothing without 'dir'");
            }
        }
    }

    /** The section {@code multi-db}; empty when there is none or it is not enabled. */
    Optional<MultiDbConfig> multiDb(Fields top, Duration syncInterval) throws ConfigException {
        Optional<Fields> section = top.mapping(MULTI_DB);
        Optional<Path> stateDirectory = top.parsed("state-dir", environment::path);
        Optional<String> instance = top.parsed("instance", FleetReader::instance);
        if (section.isEmpty()) {
            return Optional.empty();
        }
        Fields fields = section.get();
        fields.check(KnownKeys.MULTI_DB);
        if (!fields.bool("enabled", true)) {
            return Optional.empty();
        }
        return Optional.of(new MultiDbConfig(
                fleet(fields, top, syncInterval),
                ConfigReader.positive(
                        fields, "connection-idle-timeout", "connection idle timeout", DEFAULT_CONNECTION_IDLE_TIMEOUT),
                count(fields, "max-connections", DEFAULT_CONNECTIONS_MAX),
                permits(fields),
                stateDirectory,
                instance));
    }

    /** The instance is a directory's name below the replicas' root. */
    private static String instance(String text) {
        if (!text.matches("[A-Za-z0-9._-]{1,128}") || text.startsWith(".")) {
            throw new IllegalArgumentException(
                    "must be 1 to 128 letters, digits, \".\", \"_\" and \"-\", the first of them no \".\"");
        }
        return text;
    }

    private FleetConfig fleet(Fields fields, Fields top, Duration syncInterval) throws ConfigException {
        Selection selection = selection(fields);
        Fields template = fields.mapping(TEMPLATE)
                .orElseThrow(() -> problems.error(fields.line(), MULTI_DB + ": must specify '" + TEMPLATE + "'"));
        String name = MULTI_DB + "." + TEMPLATE;
        ReplicaReader.Replica replica = replicas.readTemplate(template, name, top, syncInterval);
        DatabaseOptions options = ConfigReader.options(fields, ANY, DatabaseOptions.defaultMetaPath(ANY))
                .withSyncInterval(replica.syncInterval());
        ConfigReader.positive(fields, "monitor-interval", "monitor interval", Duration.ofSeconds(1));
        return new FleetConfig(
                MULTI_DB,
                selection,
                new FleetNaming.ByTemplate(replica.config(), template(template, replica.config())),
                options,
                pace(fields),
                true,
                replicas.places());
    }

    private static ReplicaTemplate template(Fields fields, ReplicaConfig replica) throws ConfigException {
        String key = fields.gives("url") ? "url" : "path";
        try {
            return ReplicaTemplate.compile(replica.path());
        } catch (IllegalArgumentException e) {
            throw fields.error(key, String.valueOf(e.getMessage()));
        }
    }

    private Selection selection(Fields fields) throws ConfigException {
        List<String> patterns = texts(fields, PATTERNS);
        if (patterns.isEmpty()) {
            throw problems.error(
                    fields.lineOf(PATTERNS),
                    MULTI_DB + "." + PATTERNS + ": must be a list of at least one pattern of absolute paths");
        }
        List<String> excludes = texts(fields, "exclude");
        for (String pattern : patterns) {
            checked(fields, PATTERNS, pattern, () -> Selection.ofPatterns(List.of(pattern), List.of()));
        }
        return checked(fields, "exclude", "", () -> Selection.ofPatterns(patterns, excludes));
    }

    private interface Compilation {
        Selection run();
    }

    private static Selection checked(Fields fields, String key, String got, Compilation how) throws ConfigException {
        try {
            return how.run();
        } catch (IllegalArgumentException e) {
            String message = String.valueOf(e.getMessage());
            throw got.isEmpty() ? fields.error(key, message) : fields.error(key, message, got);
        }
    }

    /** A list of texts, {@code ~/} at the start of each being the home directory; one text alone is a list of one. */
    private List<String> texts(Fields fields, String key) throws ConfigException {
        Optional<Node> node = fields.node(key);
        if (node.isEmpty()) {
            return List.of();
        }
        List<Node> items = node.get() instanceof Node.Sequence sequence ? sequence.items() : List.of(node.get());
        List<String> texts = new ArrayList<>();
        for (Node item : items) {
            if (!(item instanceof Node.Scalar scalar)
                    || scalar.isNull()
                    || scalar.text().isEmpty()) {
                throw fields.error(key, "must be a list of patterns", item.shown());
            }
            String text = scalar.text();
            texts.add(text.startsWith("~/") ? environment.home() + text.substring(1) : text);
        }
        return texts;
    }

    private FleetPace pace(Fields fields) throws ConfigException {
        Duration recentlyWritten = FleetOptions.DEFAULT_RECENTLY_WRITTEN;
        Optional<Fields> promotion = fields.mapping("hot-promotion");
        if (promotion.isPresent()) {
            promotion.get().check(KnownKeys.HOT_PROMOTION);
            recentlyWritten = promotion.get().duration("recent-modify-threshold", recentlyWritten);
            ConfigReader.notNegative(promotion.get(), "recent-modify-threshold", recentlyWritten);
        }
        Duration hotDuration = fields.duration("hot-duration", FleetOptions.DEFAULT_HOT_DURATION);
        ConfigReader.notNegative(fields, "hot-duration", hotDuration);
        return new FleetPace(
                ConfigReader.positive(fields, "scan-interval", "scan interval", FleetOptions.DEFAULT_SCAN_INTERVAL),
                ConfigReader.positive(
                        fields, "full-scan-interval", "full scan interval", FleetOptions.DEFAULT_FULL_SCAN_INTERVAL),
                hotDuration,
                count(fields, "max-hot-databases", FleetOptions.DEFAULT_HOT_MAX),
                recentlyWritten);
    }

    private static MultiDbConfig.Permits permits(Fields fields) throws ConfigException {
        MultiDbConfig.Permits unset = MultiDbConfig.Permits.DEFAULT;
        Optional<Fields> section = fields.mapping("permits");
        if (section.isEmpty()) {
            return unset;
        }
        section.get().check(KnownKeys.PERMITS);
        return new MultiDbConfig.Permits(
                count(section.get(), "monitor", unset.monitor()),
                count(section.get(), "snapshot", unset.snapshot()),
                count(section.get(), "s3", unset.s3()));
    }

    private static int count(Fields fields, String key, int unset) throws ConfigException {
        return (int) fields.integer(key, unset, 1, Integer.MAX_VALUE);
    }
}
