package io.loomstream.admin;

import com.fasterxml.jackson.core.JsonGenerator;
import io.javalin.http.Context;
import io.loomstream.engine.concurrent.Gate;
import io.loomstream.engine.error.EngineException;
import io.loomstream.engine.fleet.FleetControl;
import io.loomstream.engine.fleet.FleetEvent;
import io.loomstream.engine.fleet.FleetHealth;
import io.loomstream.engine.fleet.FoundDatabase;
import io.loomstream.engine.fleet.PassReport;
import io.loomstream.engine.fleet.ScanState;
import io.loomstream.engine.fleet.Tier;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The routes about the fleet as a whole. */
final class FleetRoutes {
    private static final Duration SCAN_PATIENCE = Duration.ofSeconds(60);

    private final FleetControl control;
    private final AdminSources sources;

    FleetRoutes(AdminSources sources) {
        this.control = sources.control();
        this.sources = sources;
    }

    void tiers(Context context) {
        FleetControl.Tiers tiers = control.tiers();
        Answers.json(context, json -> {
            json.writeStartObject();
            json.writeNumberField("named", tiers.named());
            json.writeObjectFieldStart("databases");
            for (Tier tier : Tier.values()) {
                json.writeNumberField(JsonText.word(tier), tiers.databases().getOrDefault(tier, 0));
            }
            json.writeEndObject();
            json.writeObjectFieldStart("transitions");
            for (Tier tier : Tier.values()) {
                json.writeNumberField(JsonText.word(tier), tiers.movedInto().getOrDefault(tier, 0L));
            }
            json.writeEndObject();
            json.writeNumberField("hotLimit", tiers.hotMax());
            json.writeNumberField("waiting", tiers.waiting());
            json.writeNumberField("heldBack", tiers.heldBack());
            json.writeEndObject();
        });
    }

    void hotList(Context context) {
        int limit = new Query(context, Set.of("limit")).number("limit", Integer.MAX_VALUE, 1, Integer.MAX_VALUE);
        List<FoundDatabase> hot = control.hotList(limit);
        Answers.json(context, json -> {
            json.writeStartObject();
            json.writeArrayFieldStart("items");
            for (FoundDatabase database : hot) {
                FleetJson.row(json, database);
            }
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    void persistHotList(Context context) {
        Optional<Integer> written;
        try {
            written = control.persistHotLists();
        } catch (EngineException e) {
            throw new Problem(502, "the hot list cannot be written: " + e.getMessage());
        }
        int count = written.orElseThrow(() -> new Problem(409, "this configuration keeps no hot list"));
        Answers.json(context, json -> {
            json.writeStartObject();
            json.writeNumberField("written", count);
            json.writeEndObject();
        });
    }

    void gates(Context context) {
        List<Gate> gates = new ArrayList<>(control.gates());
        sources.s3().get().ifPresent(endpoints -> gates.add(endpoints.gate()));
        Answers.json(context, json -> {
            json.writeStartObject();
            json.writeArrayFieldStart("items");
            for (Gate gate : gates) {
                json.writeStartObject();
                json.writeStringField("name", gate.name());
                json.writeNumberField("permits", gate.permits());
                json.writeNumberField("inUse", gate.inUse());
                json.writeNumberField("waiting", gate.waiting());
                json.writeNumberField("acquisitions", gate.acquisitions());
                json.writeNumberField("waitedSeconds", gate.waitedNanos() / 1e9);
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    /** What happened before somebody began to listen. */
    void recentEvents(Context context) {
        List<FleetEvent> recent = control.events().recent();
        Answers.json(context, json -> {
            json.writeStartObject();
            json.writeArrayFieldStart("items");
            for (FleetEvent event : recent) {
                json.writeStartObject();
                json.writeStringField("kind", FleetJson.kind(event));
                FleetJson.fields(json, event);
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    void stats(Context context) {
        FleetControl.Scans scans = control.scans();
        Runtime runtime = Runtime.getRuntime();
        Answers.json(context, json -> {
            json.writeStartObject();
            json.writeStringField("version", sources.version());
            json.writeStringField("started", control.started().toString());
            json.writeNumberField(
                    "uptimeSeconds",
                    Math.max(
                            0,
                            Duration.between(control.started(), Instant.now()).toSeconds()));
            json.writeNumberField("heapBytes", runtime.totalMemory() - runtime.freeMemory());
            json.writeNumberField("pathTableBytes", control.tableBytes());
            json.writeNumberField("connectionsOpen", control.connectionsOpen());
            json.writeObjectFieldStart("queues");
            json.writeNumberField("looks", control.queues().looks());
            json.writeNumberField("uploads", control.queues().uploads());
            json.writeEndObject();
            json.writeObjectFieldStart("replicated");
            var lags = control.counters().lagSeconds();
            json.writeNumberField("copies", lags.count());
            json.writeNumberField("lagSeconds", lags.sumSeconds());
            json.writeNumberField(
                    "resyncs",
                    control.counters().differenceCopies() + control.counters().completeCopies());
            json.writeEndObject();
            json.writeObjectFieldStart("scans");
            json.writeNumberField("count", scans.count());
            json.writeNumberField("cpuSeconds", scans.cpuSeconds());
            json.writeArrayFieldStart("last");
            for (PassReport report : scans.last()) {
                FleetJson.report(json, report);
            }
            json.writeEndArray();
            json.writeEndObject();
            s3(json);
            json.writeEndObject();
        });
    }

    private void s3(JsonGenerator json) throws IOException {
        var endpoints = sources.s3().get();
        if (endpoints.isEmpty()) {
            json.writeNullField("s3");
            return;
        }
        json.writeObjectFieldStart("s3");
        json.writeObjectFieldStart("requests");
        for (var operation : endpoints.get().counters().operations().entrySet()) {
            json.writeNumberField(
                    JsonText.word(operation.getKey()), operation.getValue().requests());
        }
        json.writeEndObject();
        json.writeArrayFieldStart("endpoints");
        for (var state : endpoints.get().states()) {
            json.writeStartObject();
            json.writeStringField("endpoint", state.endpoint());
            json.writeStringField("breaker", JsonText.word(state.breaker()));
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    void config(Context context) {
        Answers.json(context, json -> {
            json.writeStartObject();
            json.writeArrayFieldStart("sections");
            for (Map<String, Object> section : sources.configuration()) {
                json.writeStartObject();
                for (var entry : section.entrySet()) {
                    switch (entry.getValue()) {
                        case Boolean yes -> json.writeBooleanField(entry.getKey(), yes);
                        case Integer number -> json.writeNumberField(entry.getKey(), number);
                        case Long number -> json.writeNumberField(entry.getKey(), number);
                        default ->
                            json.writeStringField(
                                    entry.getKey(), entry.getValue().toString());
                    }
                }
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    // ---- scans

    void scan(Context context) throws InterruptedException {
        Query query = new Query(context, Set.of("wait", "acceptVanished"));
        boolean wait = query.yes("wait");
        if (query.yes("acceptVanished")) {
            control.acceptVanished();
        }
        long number =
                control.scan().orElseThrow(() -> new Problem(409, "no section of the configuration finds databases"));
        answer(context, state(number, wait ? SCAN_PATIENCE : Duration.ZERO));
    }

    void scanState(Context context) throws InterruptedException {
        long number;
        try {
            number = Long.parseLong(context.pathParam("id"));
        } catch (NumberFormatException e) {
            throw unknownScan();
        }
        answer(context, state(number, Duration.ZERO));
    }

    private ScanState state(long number, Duration patience) throws InterruptedException {
        return control.scan(number, patience).orElseThrow(FleetRoutes::unknownScan);
    }

    private static Problem unknownScan() {
        return new Problem(404, "there is no scan of this number, or not any more");
    }

    private static void answer(Context context, ScanState state) {
        if (state instanceof ScanState.GivenUp) {
            throw new Problem(503, "the scan ended early");
        }
        if (state instanceof ScanState.Running) {
            context.status(202).header("Location", "/scan/" + state.id());
        }
        Answers.json(context, json -> {
            json.writeStartObject();
            json.writeNumberField("id", state.id());
            json.writeStringField("state", state instanceof ScanState.Ended ? "ended" : "running");
            if (state instanceof ScanState.Ended ended) {
                json.writeArrayFieldStart("reports");
                for (PassReport report : ended.reports()) {
                    FleetJson.report(json, report);
                }
                json.writeEndArray();
            }
            json.writeEndObject();
        });
    }

    // ---- health

    void health(Context context) {
        FleetHealth health = control.health();
        context.status(health.broken() ? 503 : 200);
        health(context, health, health.broken() ? "broken" : "ok");
    }

    void ready(Context context) {
        FleetHealth health = control.health();
        context.status(health.ready() ? 200 : 503);
        health(context, health, health.ready() ? "ready" : "starting");
    }

    private static void health(Context context, FleetHealth health, String word) {
        Answers.json(context, json -> {
            json.writeStartObject();
            json.writeStringField("status", word);
            json.writeNumberField("unprovenSeconds", FleetJson.seconds(health.unproven()));
            FleetJson.nullable(json, "worst", health.worst().map(id -> id.text()));
            json.writeEndObject();
        });
    }
}
