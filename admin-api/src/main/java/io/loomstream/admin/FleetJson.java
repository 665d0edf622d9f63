package io.loomstream.admin;

import com.fasterxml.jackson.core.JsonGenerator;
import io.loomstream.engine.fleet.DatabaseId;
import io.loomstream.engine.fleet.FleetEvent;
import io.loomstream.engine.fleet.FoundDatabase;
import io.loomstream.engine.fleet.PassReport;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.ReplicaFile;
import io.loomstream.engine.restore.Listing;
import io.loomstream.engine.sync.DatabaseStatus;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;

/** The engine's records as they are shown; see docs/admin-api.md. */
final class FleetJson {
    private FleetJson() {}

    static double seconds(Duration duration) {
        return Math.round(duration.toNanos() / 1e6) / 1e3;
    }

    /** One row of a list, the object's end left open. */
    private static void beginRow(JsonGenerator json, FoundDatabase database) throws IOException {
        json.writeStartObject();
        json.writeStringField("id", database.id().text());
        json.writeStringField("path", database.id().path());
        json.writeStringField("project", database.names().project());
        json.writeStringField("database", database.names().database());
        json.writeStringField("branch", database.names().branch());
        json.writeStringField("tenant", database.names().tenant());
        json.writeStringField("tier", JsonText.word(database.group()));
        json.writeStringField("state", database.tier().map(JsonText::word).orElse("named"));
        if (database.paused()) {
            json.writeBooleanField("paused", true);
        }
        Optional<DatabaseStatus> served = database.progress().served();
        txid(json, "txidLocal", served.map(DatabaseStatus::local));
        txid(json, "txidRemote", served.map(DatabaseStatus::remote));
        json.writeNumberField("lagSeconds", seconds(database.progress().lag()));
        nullable(
                json,
                "lastWrite",
                database.progress()
                        .lastWrite()
                        .map(at -> at.truncatedTo(ChronoUnit.MILLIS).toString()));
    }

    static void row(JsonGenerator json, FoundDatabase database) throws IOException {
        beginRow(json, database);
        json.writeEndObject();
    }

    /** All that is known of one database, and what its replica holds if that was asked for. */
    static void details(
            JsonGenerator json, FoundDatabase database, Optional<Duration> maintenanceDue, Optional<Listing> points)
            throws IOException {
        beginRow(json, database);
        if (maintenanceDue.isPresent()) {
            json.writeNumberField("maintenanceDueSeconds", seconds(maintenanceDue.get()));
        } else {
            json.writeNullField("maintenanceDueSeconds");
        }
        nullable(json, "problem", database.progress().problem());
        Optional<DatabaseStatus> served = database.progress().served();
        if (served.isPresent()) {
            DatabaseStatus status = served.get();
            json.writeObjectFieldStart("served");
            json.writeNumberField("looks", status.looks().count());
            json.writeNumberField("failedLooks", status.looks().failures());
            json.writeNumberField("lookSeconds", seconds(status.looks().spent()));
            json.writeNumberField("secondsSinceProven", seconds(status.looks().sinceProven()));
            json.writeNumberField("walBytes", status.wal().endBytes());
            json.writeNumberField("walBytesCopied", status.wal().copiedBytes());
            nullable(json, "lastVerdict", status.last().verdict());
            nullable(json, "lastError", status.last().error());
            nullable(
                    json,
                    "lastErrorAt",
                    status.last()
                            .errorAt()
                            .map(at -> at.truncatedTo(ChronoUnit.MILLIS).toString()));
            json.writeEndObject();
        } else {
            json.writeNullField("served");
        }
        if (points.isPresent()) {
            restorePoints(json, points.get());
        }
        json.writeEndObject();
    }

    /** Sums only: a replica may hold a hundred thousand files. */
    private static void restorePoints(JsonGenerator json, Listing listing) throws IOException {
        json.writeObjectFieldStart("restorePoints");
        NavigableSet<Txid> restorable = listing.restorablePoints();
        json.writeNumberField("count", restorable.size());
        nullable(
                json,
                "oldest",
                restorable.isEmpty()
                        ? Optional.empty()
                        : Optional.of(restorable.first().toString()));
        nullable(
                json,
                "newest",
                restorable.isEmpty()
                        ? Optional.empty()
                        : Optional.of(restorable.last().toString()));
        nullable(json, "oldestTime", listing.oldestTime().map(Instant::toString));
        nullable(json, "newestTime", listing.newestTime().map(Instant::toString));
        json.writeArrayFieldStart("levels");
        for (int number = 0; number <= Level.SNAPSHOT.number(); number++) {
            List<ReplicaFile> files = listing.level(new Level(number));
            if (!files.isEmpty()) {
                json.writeStartObject();
                json.writeNumberField("level", number);
                json.writeNumberField("files", files.size());
                json.writeNumberField(
                        "bytes",
                        files.stream().mapToLong(ReplicaFile::sizeBytes).sum());
                json.writeStringField("minTxid", files.getFirst().range().min().toString());
                json.writeStringField("maxTxid", files.getLast().range().max().toString());
                json.writeEndObject();
            }
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    static void nullable(JsonGenerator json, String name, Optional<String> value) throws IOException {
        if (value.isPresent()) {
            json.writeStringField(name, value.get());
        } else {
            json.writeNullField(name);
        }
    }

    private static void txid(JsonGenerator json, String name, Optional<Txid> txid) throws IOException {
        nullable(json, name, txid.filter(known -> !known.equals(Txid.ZERO)).map(Txid::toString));
    }

    static void report(JsonGenerator json, PassReport report) throws IOException {
        json.writeStartObject();
        json.writeNumberField("pass", report.pass());
        json.writeBooleanField("full", report.full());
        json.writeNumberField("databases", report.databases());
        json.writeNumberField("seconds", report.wallNanos() / 1e9);
        json.writeNumberField("cpuSeconds", report.cpuNanos() / 1e9);
        json.writeNumberField("directoriesStated", report.work().directoriesStated());
        json.writeNumberField("directoriesListed", report.work().directoriesListed());
        json.writeNumberField("filesStated", report.work().filesStated());
        json.writeNumberField("appeared", report.events().appeared());
        json.writeNumberField("written", report.events().written());
        json.writeNumberField("gone", report.events().gone());
        json.writeEndObject();
    }

    /** The name of an event's kind. */
    static String kind(FleetEvent event) {
        return switch (event) {
            case FleetEvent.Moved moved -> "transition";
            case FleetEvent.Failed failed -> "error";
            case FleetEvent.Scanned scanned -> "scan";
            case FleetEvent.Lost lost -> "lost";
        };
    }

    static String event(FleetEvent event) {
        return JsonText.of(json -> {
            json.writeStartObject();
            fields(json, event);
            json.writeEndObject();
        });
    }

    /** What an event's object holds beside its kind. */
    static void fields(JsonGenerator json, FleetEvent event) throws IOException {
        json.writeStringField("at", event.at().truncatedTo(ChronoUnit.MILLIS).toString());
        switch (event) {
            case FleetEvent.Moved moved -> {
                json.writeStringField("id", moved.database().text());
                json.writeStringField("path", moved.database().path());
                json.writeStringField("from", JsonText.word(moved.from()));
                json.writeStringField("to", JsonText.word(moved.to()));
                json.writeStringField("why", moved.why());
            }
            case FleetEvent.Failed failed -> {
                nullable(json, "id", failed.database().map(DatabaseId::text));
                nullable(json, "path", failed.database().map(DatabaseId::path));
                json.writeStringField("why", failed.why());
            }
            case FleetEvent.Scanned scanned -> {
                json.writeFieldName("report");
                report(json, scanned.report());
            }
            case FleetEvent.Lost lost -> json.writeNumberField("events", lost.events());
        }
    }
}
