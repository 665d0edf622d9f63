package io.loomstream.admin.metrics;

import io.loomstream.engine.concurrent.DurationHistogram;
import io.loomstream.engine.concurrent.Gate;
import io.loomstream.engine.fleet.FleetControl;
import io.loomstream.engine.fleet.ProjectCounts;
import io.loomstream.engine.fleet.Tier;
import io.loomstream.engine.replica.s3.S3Endpoints;
import io.loomstream.engine.sync.SyncCounters;
import io.loomstream.engine.sync.Verdict;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The {@code loomstream_} families. Labels are tiers, gates, S3 operations, verdicts, endpoints, and projects with their
 * databases, whose number is bounded; there is no series for a tenant. Thread-safe.
 */
final class FleetMetrics implements MultiCollector {
    private final FleetControl control;
    private final Supplier<Optional<S3Endpoints>> s3;

    FleetMetrics(FleetControl control, Supplier<Optional<S3Endpoints>> s3) {
        this.control = control;
        this.s3 = s3;
    }

    @Override
    public MetricSnapshots collect() {
        Families families = new Families();
        tiers(families);
        projects(families);
        scans(families);
        replication(families);
        Map<String, Gate> gates = new LinkedHashMap<>();
        control.gates().forEach(gate -> gates.put(gate.name(), gate));
        s3.get().ifPresent(endpoints -> gates.put(endpoints.gate().name(), endpoints.gate()));
        gates(families, gates);
        s3.get().ifPresent(endpoints -> S3Metrics.collect(families, endpoints));
        return families.done();
    }

    static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    private void tiers(Families families) {
        FleetControl.Tiers tiers = control.tiers();
        families.gauge("loomstream_databases", "Databases by tier", values -> {
            for (Tier tier : Tier.values()) {
                values.add(tiers.databases().getOrDefault(tier, 0), "tier", word(tier));
            }
        });
        families.gauge("loomstream_databases_named", "Databases that the configuration names", tiers.named());
        families.gauge("loomstream_databases_hot_limit", "How many databases may be hot", tiers.hotMax());
        families.gauge("loomstream_databases_waiting", "Databases that wait for their turn", tiers.waiting());
        families.gauge("loomstream_databases_held_back", "Paused databases that changed since", tiers.heldBack());
        families.counter("loomstream_transitions", "Moves of databases into each tier", values -> {
            for (Tier tier : Tier.values()) {
                values.add(tiers.movedInto().getOrDefault(tier, 0L), "to", word(tier));
            }
        });
        families.gauge("loomstream_path_table_bytes", "Memory that the tables of databases take", control.tableBytes());
    }

    private void projects(Families families) {
        List<ProjectCounts.Count> groups = control.projects().groups();
        families.gauge(
                "loomstream_project_databases",
                "Databases of each project by tier; projects above the limit count as other",
                values -> groups.forEach(group -> group.tiers()
                        .forEach((tier, count) ->
                                values.add(count, "project", group.group().project(), "tier", word(tier)))));
        families.gauge(
                "loomstream_project_database_databases",
                "Databases of each database of a project; those above the limit count as other",
                values -> groups.forEach(group -> values.add(
                        group.tiers().values().stream()
                                .mapToInt(Integer::intValue)
                                .sum(),
                        "project",
                        group.group().project(),
                        "database",
                        group.group().database())));
        Map<String, Double> lags = new LinkedHashMap<>();
        groups.forEach(
                group -> lags.merge(group.group().project(), group.lagMax().toNanos() / 1e9, Math::max));
        families.gauge(
                "loomstream_project_lag_max_seconds",
                "The longest that a copy of a served database of the project has waited for the replica",
                values -> lags.forEach((project, seconds) -> values.add(seconds, "project", project)));
    }

    private void scans(Families families) {
        FleetControl.Scans scans = control.scans();
        families.histogram("loomstream_scan_seconds", "How long scans took", sum(scans.seconds()));
        families.counter("loomstream_scan_cpu_seconds", "CPU time that scans took", scans.cpuSeconds());
    }

    private static DurationHistogram.Snapshot sum(List<DurationHistogram.Snapshot> parts) {
        DurationHistogram.Snapshot empty = new DurationHistogram().snapshot();
        long[] counts = empty.counts();
        double seconds = 0;
        for (DurationHistogram.Snapshot part : parts) {
            for (int i = 0; i < counts.length; i++) {
                counts[i] += part.counts()[i];
            }
            seconds += part.sumSeconds();
        }
        return new DurationHistogram.Snapshot(empty.upperSeconds(), counts, seconds);
    }

    private void replication(Families families) {
        SyncCounters counters = control.counters();
        families.histogram(
                "loomstream_replication_lag_seconds",
                "From the look that found a commit to the replica's having it",
                counters.lagSeconds());
        families.histogram(
                "loomstream_sync_seconds", "How long looks took that copied something", counters.syncSeconds());
        families.counter("loomstream_verdicts", "Verdicts on where a copy may go on", values -> {
            values.add(counters.inSync(), "verdict", "in_sync");
            values.add(counters.continued(), "verdict", "continue");
            values.add(counters.full(), "verdict", "full");
            values.add(counters.waits(), "verdict", "wait");
            for (Verdict.Reason reason : Verdict.Reason.values()) {
                values.add(counters.resyncs(reason), "verdict", "resync_" + word(reason));
            }
        });
        families.counter(
                "loomstream_whole_copies",
                "Copies of whole databases",
                values -> values.add(counters.completeCopies(), "kind", "complete")
                        .add(counters.differenceCopies(), "kind", "difference"));
        families.gauge(
                "loomstream_connections_open",
                "Connections to SQLite databases that are open",
                control.connectionsOpen());
        FleetControl.Connections connections = control.connections();
        families.counter(
                "loomstream_connections_opened",
                "SQLite connections that were opened",
                values -> values.add(connections.opened()));
        families.counter(
                "loomstream_connections_reused",
                "Uses of an SQLite connection that was idle",
                values -> values.add(connections.reused()));
        families.counter(
                "loomstream_connections_reaped",
                "SQLite connections closed after connection-idle-timeout",
                values -> values.add(connections.reaped()));
        FleetControl.Queues queues = control.queues();
        families.gauge(
                "loomstream_queue_length",
                "Work that waits for its moment or a permit",
                values -> values.add(queues.looks(), "queue", "looks").add(queues.uploads(), "queue", "uploads"));
    }

    private static void gates(Families families, Map<String, Gate> gates) {
        families.gauge(
                "loomstream_gate_permits",
                "How much work of one kind may run at once",
                values -> gates.forEach((name, gate) -> values.add(gate.permits(), "gate", name)));
        families.gauge(
                "loomstream_gate_in_use",
                "How much work of one kind runs",
                values -> gates.forEach((name, gate) -> values.add(gate.inUse(), "gate", name)));
        families.gauge(
                "loomstream_gate_waiting",
                "How much work of one kind waits for a permit",
                values -> gates.forEach((name, gate) -> values.add(gate.waiting(), "gate", name)));
        Map<String, DurationHistogram.Snapshot> waits = new LinkedHashMap<>();
        gates.forEach((name, gate) -> waits.put(name, gate.waits()));
        families.histogram("loomstream_gate_wait_seconds", "How long permits were waited for", "gate", waits);
    }
}
