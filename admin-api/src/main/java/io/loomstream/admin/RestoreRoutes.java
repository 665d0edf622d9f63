package io.loomstream.admin;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.javalin.http.Context;
import io.loomstream.engine.error.EngineException;
import io.loomstream.engine.fleet.DatabaseId;
import io.loomstream.engine.fleet.FleetControl;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.restore.Target;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The routes below {@code /restore}. */
final class RestoreRoutes {
    private static final JsonFactory BODIES = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();
    private static final Set<String> FIELDS = Set.of("database", "output", "txid", "timestamp");

    private final FleetControl control;
    private final RestoreJobs jobs;

    RestoreRoutes(FleetControl control, RestoreJobs jobs) {
        this.control = control;
        this.jobs = jobs;
    }

    /** {@code POST /restore}; the body has arrived, see {@link Bodies}. */
    void begin(Context context) {
        new Query(context, Set.of());
        jobs.directory();
        Map<String, String> body = fields(Bodies.of(context));
        Target target = target(body);
        String named = Optional.ofNullable(body.get("database"))
                .orElseThrow(() -> Problem.badRequest("database: missing; an id or an absolute path"));
        String output =
                Optional.ofNullable(body.get("output")).orElseThrow(() -> Problem.badRequest("output: missing"));
        DatabaseId database = database(named);
        ReplicaClient replica = replica(database);
        RestoreJob job = jobs.begin(database, RestorePlace.of(jobs.directory(), output), target, replica);
        context.status(202).header("Location", "/restore/" + job.id());
        answer(context, job);
    }

    private static DatabaseId database(String named) {
        if (!named.startsWith("/")) {
            return Query.id(named);
        }
        try {
            return DatabaseId.of(named);
        } catch (IllegalArgumentException tooLong) {
            throw unknown();
        }
    }

    private ReplicaClient replica(DatabaseId database) {
        try {
            return control.replica(database).orElseThrow(RestoreRoutes::unknown);
        } catch (IllegalArgumentException | EngineException notReplicated) {
            throw new Problem(409, "the database is not replicated: " + notReplicated.getMessage());
        }
    }

    private static Problem unknown() {
        return new Problem(404, "there is no such database");
    }

    private static Target target(Map<String, String> body) {
        if (body.containsKey("txid") && body.containsKey("timestamp")) {
            throw Problem.badRequest("txid and timestamp exclude each other");
        }
        try {
            if (body.containsKey("txid")) {
                return new Target.AtTxid(Txid.parse(body.get("txid")));
            }
        } catch (IllegalArgumentException e) {
            throw Problem.badRequest("txid: must be 16 hexadecimal digits above zero");
        }
        try {
            return body.containsKey("timestamp")
                    ? new Target.Before(
                            OffsetDateTime.parse(body.get("timestamp")).toInstant())
                    : new Target.Latest();
        } catch (DateTimeException e) {
            throw Problem.badRequest("timestamp: must be a moment such as 2026-01-02T15:04:05Z");
        }
    }

    /** A flat object of texts, which is all that is taken; unknown fields are refused, so that a typo is not ignored. */
    private static Map<String, String> fields(byte[] body) {
        Map<String, String> fields = new HashMap<>();
        try (JsonParser parser = BODIES.createParser(body)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw Problem.badRequest("the body must be a JSON object");
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                if (!FIELDS.contains(name)) {
                    throw Problem.badRequest(
                            "there is no field of this name; known: database, output, txid, timestamp");
                }
                if (parser.nextToken() != JsonToken.VALUE_STRING) {
                    throw Problem.badRequest(name + ": must be a text");
                }
                fields.put(name, parser.getText());
            }
            if (parser.nextToken() != null) {
                throw Problem.badRequest("the body must be one JSON object");
            }
        } catch (JsonProcessingException e) {
            throw Problem.badRequest("the body is no JSON, or has a field twice");
        } catch (IOException fromMemory) {
            throw new IllegalStateException(fromMemory);
        }
        return fields;
    }

    /** {@code GET /restore/{id}}. */
    void state(Context context) {
        new Query(context, Set.of());
        jobs.directory();
        answer(
                context,
                jobs.job(context.pathParam("id"))
                        .orElseThrow(() -> new Problem(404, "there is no restore of this id, or not any more")));
    }

    private static void answer(Context context, RestoreJob job) {
        RestoreJob.State state = job.state();
        Answers.json(context, json -> {
            json.writeStartObject();
            json.writeStringField("id", job.id());
            json.writeStringField(
                    "state",
                    switch (state) {
                        case RestoreJob.State.Running running -> "running";
                        case RestoreJob.State.Restored restored -> "restored";
                        case RestoreJob.State.Failed failed -> "failed";
                    });
            json.writeStringField("database", job.database().text());
            json.writeStringField("path", job.database().path());
            json.writeStringField("output", job.output());
            json.writeStringField(
                    "began", job.began().truncatedTo(ChronoUnit.MILLIS).toString());
            json.writeNumberField("writtenBytes", job.writtenBytes());
            if (state instanceof RestoreJob.State.Restored restored) {
                FleetJson.nullable(json, "txid", restored.txid());
                json.writeNumberField("sizeBytes", restored.sizeBytes());
            }
            if (state instanceof RestoreJob.State.Failed failed) {
                json.writeStringField("error", failed.why());
            }
            json.writeEndObject();
        });
    }
}
