package io.loomstream.app;

import io.loomstream.app.config.DatabaseConfig;
import io.loomstream.app.config.FleetConfig;
import io.loomstream.app.config.FleetNaming;
import io.loomstream.app.config.GoDuration;
import io.loomstream.app.config.MultiDbConfig;
import io.loomstream.app.config.ReplicaConfig;
import io.loomstream.app.config.ServerConfig;
import io.loomstream.engine.replica.s3.S3Credentials;
import io.loomstream.engine.replica.s3.S3Encryption;
import io.loomstream.engine.replica.s3.S3Settings;
import io.loomstream.engine.sync.DatabaseOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.event.Level;
import org.slf4j.spi.LoggingEventBuilder;

/** Says once, at the start, what the server is going to do, under the names of the keys and without any secret. */
final class EffectiveConfig {
    /** A fleet's databases are mostly alike: of a larger one the rest is for debugging. */
    private static final int DATABASES_AT_INFO_MAX = 20;

    private EffectiveConfig() {}

    /**
     * Logs it.
     *
     * @param stateDirectory of {@code multi-db}, where that is enabled
     */
    static void log(ServerConfig config, Path stateDirectory, Logger log) {
        int count = config.databases().size();
        log.atInfo()
                .addKeyValue("databases", count)
                .addKeyValue("shutdown-sync-timeout", GoDuration.format(config.shutdownSyncTimeout()))
                .addKeyValue("shutdown-sync-interval", GoDuration.format(config.shutdownSyncInterval()))
                .log("configuration");
        for (int i = 0; i < count; i++) {
            Level level = i < DATABASES_AT_INFO_MAX ? Level.INFO : Level.DEBUG;
            if (log.isEnabledForLevel(level)) {
                with(log.atLevel(level), values(config.databases().get(i))).log("database configuration");
            }
        }
        if (count > DATABASES_AT_INFO_MAX && !log.isDebugEnabled()) {
            log.info("configuration of {} more databases: see level debug", count - DATABASES_AT_INFO_MAX);
        }
        for (FleetConfig fleet : config.fleets()) {
            with(log.atInfo(), values(fleet)).log("fleet configuration");
        }
        if (config.multiDb().isPresent()) {
            with(log.atInfo(), values(config.multiDb().get()))
                    .addKeyValue("state-dir", stateDirectory)
                    .log("multi-db configuration");
        }
    }

    /** The same, in sections, for whoever asks while the server runs. */
    static List<Map<String, Object>> sections(ServerConfig config, Path stateDirectory) {
        List<Map<String, Object>> sections = new ArrayList<>();
        config.databases().stream()
                .limit(DATABASES_AT_INFO_MAX)
                .map(EffectiveConfig::values)
                .forEach(sections::add);
        config.fleets().stream().map(EffectiveConfig::values).forEach(sections::add);
        config.multiDb().ifPresent(multiDb -> {
            Map<String, Object> values = values(multiDb);
            values.put("state-dir", stateDirectory);
            sections.add(values);
        });
        return sections;
    }

    private static LoggingEventBuilder with(LoggingEventBuilder event, Map<String, Object> values) {
        LoggingEventBuilder filled = event;
        for (var entry : values.entrySet()) {
            filled = filled.addKeyValue(entry.getKey(), entry.getValue());
        }
        return filled;
    }

    private static Map<String, Object> values(DatabaseConfig database) {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("db", database.options().path());
        values.put("meta-path", database.options().metaPath());
        options(database.options(), values);
        replica(database.replica(), values);
        return values;
    }

    private static Map<String, Object> values(FleetConfig fleet) {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("section", fleet.name());
        values.put("patterns", fleet.selection().patterns());
        values.put("watch", fleet.watch());
        values.put("scan-interval", GoDuration.format(fleet.pace().scanInterval()));
        values.put("full-scan-interval", GoDuration.format(fleet.pace().fullScanInterval()));
        values.put("hot-duration", GoDuration.format(fleet.pace().hotDuration()));
        values.put("max-hot-databases", fleet.pace().hotMax());
        options(fleet.options(), values);
        switch (fleet.naming()) {
            case FleetNaming.ByTemplate(var written, var template) -> replica(written, values);
            case FleetNaming.ByDirectory byDirectory -> {
                byDirectory.metaPath().ifPresent(path -> values.put("meta-path", path));
                byDirectory.metaDir().ifPresent(path -> values.put("meta-dir", path));
                replica(byDirectory.base(), values);
            }
        }
        return values;
    }

    private static Map<String, Object> values(MultiDbConfig multiDb) {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("connection-idle-timeout", GoDuration.format(multiDb.connectionIdleTimeout()));
        values.put("max-connections", multiDb.maxConnections());
        values.put("permits.monitor", multiDb.permits().monitor());
        values.put("permits.snapshot", multiDb.permits().snapshot());
        values.put("permits.s3", multiDb.permits().s3());
        values.put(
                "hot-promotion.recent-modify-threshold",
                GoDuration.format(multiDb.fleet().pace().recentlyWritten()));
        values.put("instance", multiDb.instance().orElseGet(HostName::get));
        return values;
    }

    private static void options(DatabaseOptions options, Map<String, Object> values) {
        values.put("monitor-interval", GoDuration.format(options.monitorInterval()));
        values.put("sync-interval", GoDuration.format(options.syncInterval()));
        values.put("checkpoint-interval", GoDuration.format(options.checkpointInterval()));
        values.put("busy-timeout", GoDuration.format(options.busyTimeout()));
        values.put("min-checkpoint-page-count", options.minCheckpointPages());
        values.put("truncate-page-n", options.truncatePages());
        values.put("max-sync-wal-bytes", options.syncWalBytesMax());
        values.put("max-wal-bytes", options.walBytesMax());
        values.put("max-local-bytes", options.localBytesMax());
        values.put("hold", word(options.hold()));
        values.put("journal-mode", word(options.journalPolicy()));
    }

    private static void replica(ReplicaConfig replica, Map<String, Object> values) {
        values.put("replica", replica.place());
        if (replica instanceof ReplicaConfig.S3(S3Settings settings)) {
            s3(settings, values);
        }
    }

    private static void s3(S3Settings settings, Map<String, Object> values) {
        var connection = settings.connection();
        var transfer = settings.transfer();
        values.put("endpoint", connection.endpoint().map(Object::toString).orElse("AWS"));
        values.put("region", connection.region().orElse("auto"));
        values.put("force-path-style", connection.pathStyle());
        values.put("sign-payload", connection.signPayload());
        values.put("skip-verify", connection.skipVerify());
        values.put("http-client", connection.httpClient());
        values.put("require-content-md5", transfer.requireContentMd5());
        values.put("storage-class", transfer.storageClass().orElse("default"));
        values.put("part-size", transfer.partSizeBytes());
        values.put("concurrency", transfer.concurrency());
        values.put("credentials", shown(settings.credentials()));
        values.put("encryption", shown(settings.encryption()));
    }

    private static String shown(S3Credentials credentials) {
        return switch (credentials) {
            case S3Credentials.ProviderChain chain -> "AWS provider chain";
            case S3Credentials.Keys keys -> keys.toString();
        };
    }

    private static String shown(S3Encryption encryption) {
        return switch (encryption) {
            case S3Encryption.StoreDefault bucket -> "default";
            case S3Encryption.Kms kms -> "SSE-KMS " + kms.keyId();
            case S3Encryption.CustomerKey key -> "SSE-C " + key.keyBase64();
        };
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
