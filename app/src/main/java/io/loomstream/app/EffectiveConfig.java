package io.loomstream.app;

import io.loomstream.app.config.DatabaseConfig;
import io.loomstream.app.config.GoDuration;
import io.loomstream.app.config.ReplicaConfig;
import io.loomstream.app.config.ServerConfig;
import io.loomstream.engine.replica.s3.S3Credentials;
import io.loomstream.engine.replica.s3.S3Encryption;
import io.loomstream.engine.replica.s3.S3Settings;
import io.loomstream.engine.sync.DatabaseOptions;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.event.Level;
import org.slf4j.spi.LoggingEventBuilder;

/** Says once, at the start, what the server is going to do, under the names of the keys and without any secret. */
final class EffectiveConfig {
    /** A fleet's databases are mostly alike: of a larger one the rest is for debugging. */
    private static final int DATABASES_AT_INFO_MAX = 20;

    private EffectiveConfig() {}

    static void log(ServerConfig config, Logger log) {
        int count = config.databases().size();
        log.atInfo()
                .addKeyValue("databases", count)
                .addKeyValue("shutdown-sync-timeout", GoDuration.format(config.shutdownSyncTimeout()))
                .addKeyValue("shutdown-sync-interval", GoDuration.format(config.shutdownSyncInterval()))
                .log("configuration");
        for (int i = 0; i < count; i++) {
            Level level = i < DATABASES_AT_INFO_MAX ? Level.INFO : Level.DEBUG;
            if (log.isEnabledForLevel(level)) {
                database(config.databases().get(i), log.atLevel(level));
            }
        }
        if (count > DATABASES_AT_INFO_MAX && !log.isDebugEnabled()) {
            log.info("configuration of {} more databases: see level debug", count - DATABASES_AT_INFO_MAX);
        }
    }

    private static void database(DatabaseConfig database, LoggingEventBuilder event) {
        DatabaseOptions options = database.options();
        event.addKeyValue("db", options.path())
                .addKeyValue("meta-path", options.metaPath())
                .addKeyValue("monitor-interval", GoDuration.format(options.monitorInterval()))
                .addKeyValue("sync-interval", GoDuration.format(options.syncInterval()))
                .addKeyValue("checkpoint-interval", GoDuration.format(options.checkpointInterval()))
                .addKeyValue("busy-timeout", GoDuration.format(options.busyTimeout()))
                .addKeyValue("min-checkpoint-page-count", options.minCheckpointPages())
                .addKeyValue("truncate-page-n", options.truncatePages())
                .addKeyValue("max-sync-wal-bytes", options.syncWalBytesMax())
                .addKeyValue("hold", word(options.hold()))
                .addKeyValue("journal-mode", word(options.journalPolicy()))
                .addKeyValue("replica", database.replica().place());
        if (database.replica() instanceof ReplicaConfig.S3(S3Settings settings)) {
            s3(settings, event);
        }
        event.log("database configuration");
    }

    private static void s3(S3Settings settings, LoggingEventBuilder event) {
        var connection = settings.connection();
        var transfer = settings.transfer();
        event.addKeyValue(
                        "endpoint", connection.endpoint().map(Object::toString).orElse("AWS"))
                .addKeyValue("region", connection.region().orElse("auto"))
                .addKeyValue("force-path-style", connection.pathStyle())
                .addKeyValue("sign-payload", connection.signPayload())
                .addKeyValue("skip-verify", connection.skipVerify())
                .addKeyValue("http-client", connection.httpClient())
                .addKeyValue("require-content-md5", transfer.requireContentMd5())
                .addKeyValue("storage-class", transfer.storageClass().orElse("default"))
                .addKeyValue("part-size", transfer.partSizeBytes())
                .addKeyValue("concurrency", transfer.concurrency())
                .addKeyValue("credentials", shown(settings.credentials()))
                .addKeyValue("encryption", shown(settings.encryption()));
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
