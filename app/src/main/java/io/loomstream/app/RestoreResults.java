package io.loomstream.app;

import io.loomstream.engine.replica.OldFormatStore;
import io.loomstream.engine.replica.ReplicaFile;
import io.loomstream.engine.restore.IntegrityCheck;
import io.loomstream.engine.restore.OldFormatPlan;
import io.loomstream.engine.restore.RestorePlan;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;

/** What {@code restore} prints: a plan for a dry run, a result as JSON. */
record RestoreResults(Sources.Source source, Path output, PrintStream out) {
    private static final String OLD_FORMAT = "v0.3";

    void printPlan(RestorePlan plan) {
        head();
        out.println("  txid range: " + plan.files().getFirst().range().min() + " - " + plan.reached());
        out.println();
        out.println("Files to fetch:");
        Table table = new Table("level", "file", "min_txid", "max_txid", "size", "timestamp");
        for (ReplicaFile file : plan.files()) {
            table.row(
                    Integer.toString(file.level().number()),
                    file.range().fileName(),
                    file.range().min().toString(),
                    file.range().max().toString(),
                    Long.toString(file.sizeBytes()),
                    Rfc3339.format(file.createdAt()));
        }
        table.print(out);
    }

    private void head() {
        out.println("Restore plan:");
        out.println("  source: " + source.name());
        out.println("  target: " + output);
        out.println("  replica: " + source.replica().type());
    }

    void printPlan(OldFormatPlan plan) {
        head();
        out.println("  format: " + OLD_FORMAT);
        out.println("  generation: " + plan.snapshot().generation());
        out.println();
        out.println("Files to fetch:");
        Table table = new Table("kind", "index", "offset", "size", "timestamp");
        OldFormatStore.Snapshot snapshot = plan.snapshot();
        table.row(
                "snapshot",
                Long.toString(snapshot.index()),
                "-",
                Long.toString(snapshot.sizeBytes()),
                Rfc3339.format(snapshot.createdAt()));
        for (OldFormatStore.WalSegment segment : plan.segments()) {
            table.row(
                    "wal",
                    Long.toString(segment.index()),
                    Long.toString(segment.offset()),
                    Long.toString(segment.sizeBytes()),
                    Rfc3339.format(segment.createdAt()));
        }
        table.print(out);
    }

    void printPlanJson(RestorePlan plan) throws IOException {
        Json.print(out, json -> {
            json.writeStartObject();
            json.writeStringField("source", source.name());
            json.writeStringField("target_path", output.toString());
            json.writeStringField("replica", source.replica().type());
            json.writeStringField(
                    "min_txid", plan.files().getFirst().range().min().toString());
            json.writeStringField("max_txid", plan.reached().toString());
            json.writeArrayFieldStart("files");
            for (ReplicaFile file : plan.files()) {
                json.writeStartObject();
                json.writeNumberField("level", file.level().number());
                json.writeStringField("name", file.range().fileName());
                json.writeStringField("min_txid", file.range().min().toString());
                json.writeStringField("max_txid", file.range().max().toString());
                json.writeNumberField("size", file.sizeBytes());
                json.writeStringField("timestamp", Rfc3339.format(file.createdAt()));
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    void printPlanJson(OldFormatPlan plan) throws IOException {
        Json.print(out, json -> {
            json.writeStartObject();
            json.writeStringField("source", source.name());
            json.writeStringField("target_path", output.toString());
            json.writeStringField("replica", source.replica().type());
            json.writeStringField("format", OLD_FORMAT);
            json.writeStringField("generation", plan.snapshot().generation());
            json.writeNumberField("snapshot", plan.snapshot().index());
            json.writeNumberField("wal_segments", plan.segments().size());
            json.writeNumberField("size", plan.totalBytes());
            json.writeStringField("timestamp", Rfc3339.format(plan.reachedAt()));
            json.writeEndObject();
        });
    }

    /** The result; {@code txid} is empty for the old format, which has none. */
    void printResultJson(String txid, IntegrityCheck check, Duration took) throws IOException {
        Json.print(out, json -> {
            json.writeStartObject();
            json.writeStringField("db_path", output.toString());
            json.writeStringField("replica", source.replica().type());
            json.writeStringField("txid", txid);
            json.writeNumberField("duration_ms", took.toMillis());
            json.writeStringField("integrity_check", check.name().toLowerCase(Locale.ROOT));
            json.writeEndObject();
        });
    }
}
