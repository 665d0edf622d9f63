package io.loomstream.app.config;

import io.loomstream.app.config.ReplicaPlaces.Taken;
import java.time.Duration;
import java.util.Set;

/** Reads where the databases of one configuration are replicated to. */
final class ReplicaReader {
    private static final Set<String> UNSERVED_TYPES = Set.of("gs", "abs", "sftp", "webdav", "webdavs", "nats", "oss");

    private final Environment environment;
    private final Problems problems;
    private final ReplicaPlaces places = new ReplicaPlaces();

    ReplicaReader(Environment environment, Problems problems) {
        this.environment = environment;
        this.problems = problems;
    }

    record Replica(ReplicaConfig config, Duration syncInterval) {}

    /**
     * The one replica of a database.
     *
     * @param prefix the database in messages
     * @param top the keys at the top of the file, defaults of those that the replica lacks
     */
    Replica read(Fields database, String prefix, Fields top, Duration inheritedSyncInterval) throws ConfigException {
        return read(database, prefix, top, inheritedSyncInterval, true);
    }

    private Replica read(Fields database, String prefix, Fields top, Duration inheritedSyncInterval, boolean own)
            throws ConfigException {
        var single = database.mapping("replica");
        var list = database.sequence("replicas");
        if (single.isPresent() && list.isPresent()) {
            throw problems.error(
                    database.lineOf("replicas"), prefix + ": cannot specify 'replica' and 'replicas' on a database");
        }
        if (single.isPresent()) {
            return read(single.get(), prefix, ".replica", top, inheritedSyncInterval, own);
        }
        if (list.isEmpty() || list.get().items().isEmpty()) {
            throw problems.error(database.line(), prefix + ": must specify replica for database");
        }
        if (list.get().items().size() > 1) {
            throw problems.error(
                    database.lineOf("replicas"),
                    prefix + ": multiple replicas on a single database are no longer supported");
        }
        if (list.get().items().getFirst() instanceof Node.Mapping only) {
            Fields fields = new Fields(only, prefix + ".replicas[0].", problems);
            return read(fields, prefix, ".replicas[0]", top, inheritedSyncInterval, own);
        }
        throw database.error("replicas", "must be a list of mappings");
    }

    /** A replica that is the root of a fleet's: nobody takes it for a place of its own. */
    Replica readBase(Fields database, String prefix, Fields top, Duration inheritedSyncInterval)
            throws ConfigException {
        return read(database, prefix, top, inheritedSyncInterval, false);
    }

    /** The template of a fleet's replicas. */
    Replica readTemplate(Fields template, String name, Fields top, Duration inheritedSyncInterval)
            throws ConfigException {
        return read(template, name, "", top, inheritedSyncInterval, false);
    }

    /** The places of all databases that the configuration names. */
    ReplicaPlaces places() {
        return places;
    }

    private Replica read(
            Fields fields, String database, String key, Fields top, Duration inheritedSyncInterval, boolean own)
            throws ConfigException {
        String name = database + key;
        String path = fields.text("path").orElse("");
        String url = fields.text("url").orElse("");
        if (FileUrl.scheme(path).isPresent()) {
            throw fields.error(
                    "path", "replica path cannot be a url, please use the 'url' field instead", UrlMask.mask(path));
        }
        String type = FileUrl.scheme(url).orElse(fields.text("type").orElse("file"));
        int typeLine = fields.lineOf(url.isEmpty() ? "type" : "url");
        ReplicaConfig config = switch (type) {
            case "file" -> {
                fields.check(KnownKeys.FILE_REPLICA);
                yield directory(fields, name, path, url);
            }
            case "s3" -> {
                fields.check(KnownKeys.S3_REPLICA);
                yield new ReplicaConfig.S3(new S3Reader(environment, problems).read(fields, top, name));
            }
            default -> throw notServed(type, name, typeLine);
        };
        if (own) {
            String placeKey = !url.isEmpty() ? "url" : !path.isEmpty() ? "path" : "bucket";
            var collision = places.take(config, new Taken(database, fields.lineOf(placeKey)));
            if (collision.isPresent()) {
                throw fields.error(placeKey, collision.get(), config.place());
            }
        }
        Duration syncInterval =
                ConfigReader.positive(fields, ConfigReader.SYNC_INTERVAL, "sync interval", inheritedSyncInterval);
        return new Replica(config, syncInterval);
    }

    private ConfigException notServed(String type, String name, int line) {
        return problems.error(
                line,
                UNSERVED_TYPES.contains(type)
                        ? name + ": this version of Loomstream does not serve replicas of type " + type
                                + " yet, only file and s3"
                        : name + ": unknown replica type in config: \"" + type + "\"");
    }

    private ReplicaConfig directory(Fields fields, String name, String path, String url) throws ConfigException {
        if (!path.isEmpty() && !url.isEmpty()) {
            throw problems.error(fields.lineOf("path"), name + ": cannot specify url & path for file replica");
        }
        if (path.isEmpty() && url.isEmpty()) {
            throw problems.error(fields.line(), name + ": file replica path required");
        }
        return new ReplicaConfig.Directory(
                url.isEmpty()
                        ? fields.parsed("path", environment::path).orElseThrow()
                        : fields.parsed("url", text -> environment.path(FileUrl.path(text)))
                                .orElseThrow());
    }
}
