package io.loomstream.admin.metrics;

import io.loomstream.engine.fleet.FleetControl;
import io.loomstream.engine.fleet.FoundDatabase;
import io.loomstream.engine.replica.s3.S3Endpoints;
import io.loomstream.engine.sync.DatabaseStatus;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/**
 * Litestream's families for databases that the configuration names, with its names, labels and help texts. Where Litestream
 * has a counter without {@code _total} in its name, the type is untyped: the library knows no such counter. Thread-safe.
 */
final class CompatibleMetrics implements MultiCollector {
    private final FleetControl control;
    private final Supplier<Optional<S3Endpoints>> s3;

    CompatibleMetrics(FleetControl control, Supplier<Optional<S3Endpoints>> s3) {
        this.control = control;
        this.s3 = s3;
    }

    @Override
    public MetricSnapshots collect() {
        List<FoundDatabase> databases = control.named();
        Families families = new Families();
        families.gauge(
                "litestream_db_size", "The current size of the real DB", each(databases, CompatibleMetrics::size));
        families.gauge(
                "litestream_disk_full",
                "Whether replication is paused because the local disk is full",
                each(databases, database -> diskFull(database) ? 1 : 0));
        families.gauge(
                "litestream_txid",
                "The current transaction ID",
                each(databases, database -> status(database).local().value()));
        families.gauge(
                "litestream_wal_size",
                "The current size of the real WAL",
                each(databases, database -> status(database).wal().endBytes()));
        families.untyped(
                "litestream_total_wal_bytes",
                "Total number of bytes written to shadow WAL",
                each(databases, database -> status(database).wal().copiedBytes()));
        families.untyped(
                "litestream_sync_count",
                "Number of sync operations performed",
                each(databases, database -> status(database).looks().count()));
        families.untyped(
                "litestream_sync_error_count",
                "Number of sync errors that have occurred",
                each(databases, database -> status(database).looks().failures()));
        families.untyped(
                "litestream_sync_seconds",
                "Time spent syncing shadow WAL, in seconds",
                each(databases, database -> status(database).looks().spent().toNanos() / 1e9));
        families.untyped(
                "litestream_compaction_verify_error_count",
                "Number of post-compaction verification failures",
                each(databases, database -> 0));
        s3.get().ifPresent(endpoints -> S3Metrics.collectCompatible(families, endpoints));
        return families.done();
    }

    private static Families.Filler each(List<FoundDatabase> databases, ToDoubleFunction<FoundDatabase> value) {
        return values -> databases.forEach(database ->
                values.add(value.applyAsDouble(database), "db", database.id().path()));
    }

    private static DatabaseStatus status(FoundDatabase database) {
        return database.progress().served().orElseThrow();
    }

    private static double size(FoundDatabase database) {
        try {
            return Files.size(Path.of(database.id().path()));
        } catch (IOException notThere) {
            return 0;
        }
    }

    private static boolean diskFull(FoundDatabase database) {
        return database.progress()
                .problem()
                .filter(text -> text.contains("No space left on device"))
                .isPresent();
    }
}
