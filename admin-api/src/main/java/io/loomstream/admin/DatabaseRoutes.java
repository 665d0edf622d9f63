package io.loomstream.admin;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.javalin.http.Context;
import io.loomstream.engine.error.EngineException;
import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.fleet.DatabaseId;
import io.loomstream.engine.fleet.DatabasePage;
import io.loomstream.engine.fleet.DatabaseQuery;
import io.loomstream.engine.fleet.FleetControl;
import io.loomstream.engine.fleet.FoundDatabase;
import io.loomstream.engine.fleet.Ordered;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.restore.Listing;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The routes below {@code /dbs}. */
final class DatabaseRoutes {
    /** In place of an id: the parameter {@code path} names the database. */
    private static final String BY_PATH = "by-path";

    private static final String NDJSON = "application/x-ndjson";
    private static final Duration UPKEEP_PATIENCE = Duration.ofSeconds(30);
    private static final int PAGE = 100;
    private static final int PAGE_MAX = 1_000;
    private static final Set<String> FILTERS = Set.of("tier", "state", "project", "database", "q", "sort");
    private static final JsonFactory LINES = JsonFactory.builder().build();

    private static final int ASKING_MAX = 4;
    /** Who reads all lines may take long: a fraction of the places ({@link Admission}) is for them. */
    private static final int READERS_MAX = 8;

    private final FleetControl control;
    private final Semaphore asking = new Semaphore(ASKING_MAX);
    private final Semaphore readers = new Semaphore(READERS_MAX);

    DatabaseRoutes(FleetControl control) {
        this.control = control;
    }

    /** {@code GET /dbs}: a page, or all as lines. */
    void list(Context context) throws IOException {
        if (Optional.ofNullable(context.header("Accept")).orElse("").contains(NDJSON)) {
            lines(context);
            return;
        }
        Set<String> known = new TreeSet<>(FILTERS);
        known.add("limit");
        known.add("cursor");
        Query query = new Query(context, known);
        DatabasePage page = page(query.databases(), query.text("cursor"), query.number("limit", PAGE, 1, PAGE_MAX));
        Answers.json(context, json -> {
            json.writeStartObject();
            json.writeArrayFieldStart("items");
            for (FoundDatabase database : page.items()) {
                FleetJson.row(json, database);
            }
            json.writeEndArray();
            FleetJson.nullable(json, "next", page.next());
            json.writeEndObject();
        });
    }

    private DatabasePage page(DatabaseQuery query, Optional<String> cursor, int limit) {
        try {
            return control.databases(query, cursor, limit);
        } catch (IllegalArgumentException e) {
            throw Problem.badRequest("cursor: not one that this list gave");
        }
    }

    /** Page by page onto the wire: never more than one page in memory. */
    private void lines(Context context) throws IOException {
        DatabaseQuery query = new Query(context, FILTERS).databases();
        if (query.sort() != DatabaseQuery.Sort.TABLE) {
            throw Problem.badRequest("sort: lines come in the order of the table only");
        }
        if (!readers.tryAcquire()) {
            throw Admission.busy(context);
        }
        try {
            write(query, context);
        } finally {
            readers.release();
        }
    }

    private void write(DatabaseQuery query, Context context) throws IOException {
        context.contentType(NDJSON);
        try (JsonGenerator json = LINES.createGenerator(context.outputStream())) {
            json.setRootValueSeparator(null);
            Optional<String> cursor = Optional.empty();
            do {
                DatabasePage page = page(query, cursor, PAGE_MAX);
                for (FoundDatabase database : page.items()) {
                    FleetJson.row(json, database);
                    json.writeRaw('\n');
                }
                cursor = page.next();
            } while (cursor.isPresent());
        }
    }

    /** {@code GET /dbs/{id}}. */
    void one(Context context) {
        DatabaseId id = id(context, Set.of("restorePoints"));
        FoundDatabase found = control.database(id).orElseThrow(DatabaseRoutes::unknown);
        Optional<Listing> points = context.queryParam("restorePoints") != null
                        && new Query(context, Set.of("path", "restorePoints")).yes("restorePoints")
                ? Optional.of(points(context, id))
                : Optional.empty();
        Answers.json(context, json -> FleetJson.details(json, found, control.maintenanceDue(id), points));
    }

    /** What the replica holds: asked for now, by few callers at once, since a store may take its time. */
    private Listing points(Context context, DatabaseId id) {
        if (!asking.tryAcquire()) {
            throw Admission.busy(context);
        }
        try {
            return Listing.of(control.replica(id).orElseThrow(DatabaseRoutes::unknown));
        } catch (IllegalArgumentException notReplicated) {
            throw new Problem(409, "the database is not replicated: " + notReplicated.getMessage());
        } catch (EngineException failure) {
            throw new Problem(502, "the replica cannot be listed: " + failure.getMessage());
        } finally {
            asking.release();
        }
    }

    /** What can be asked to be done with one database. */
    interface Order {
        Optional<Ordered> give(DatabaseId id);
    }

    /** {@code POST /dbs/{id}/...}. */
    void order(Context context, Order order) {
        DatabaseId id = id(context, Set.of());
        Ordered ordered = order.give(id).orElseThrow(DatabaseRoutes::unknown);
        if (ordered instanceof Ordered.Refused refused) {
            throw new Problem(409, refused.text());
        }
        Answers.json(context, json -> {
            json.writeStartObject();
            json.writeStringField("id", id.text());
            json.writeStringField("result", ordered.text());
            json.writeEndObject();
        });
    }

    /** Work on one database's replica. */
    interface Upkeep {
        Optional<CompletableFuture<Txid>> begin(DatabaseId id);
    }

    /** {@code POST /dbs/{id}/snapshot} and {@code compact}: waits for the end, but not for ever; the work goes on. */
    void upkeep(Context context, Upkeep upkeep) throws InterruptedException {
        DatabaseId id = id(context, Set.of());
        CompletableFuture<Txid> work = upkeep.begin(id).orElseThrow(DatabaseRoutes::unknown);
        Optional<Txid> reached = Optional.empty();
        try {
            reached = Optional.of(work.get(UPKEEP_PATIENCE.toNanos(), TimeUnit.NANOSECONDS));
        } catch (TimeoutException busy) {
            context.status(202);
        } catch (ExecutionException failed) {
            throw problem(failed);
        }
        Optional<Txid> txid = reached;
        Answers.json(context, json -> {
            json.writeStartObject();
            json.writeStringField("id", id.text());
            json.writeStringField("result", txid.isPresent() ? "done" : "it goes on");
            FleetJson.nullable(json, "txid", txid.map(Txid::toString));
            json.writeEndObject();
        });
    }

    /** What stands in the way may pass by itself, or not. */
    private static Problem problem(ExecutionException failed) {
        Throwable cause = Objects.requireNonNullElse(failed.getCause(), failed);
        return new Problem(cause instanceof TransientStorageException ? 503 : 409, String.valueOf(cause.getMessage()));
    }

    private static DatabaseId id(Context context, Set<String> parameters) {
        String named = context.pathParam("id");
        Set<String> known = new TreeSet<>(parameters);
        if (named.equals(BY_PATH)) {
            known.add("path");
        }
        Query query = new Query(context, known);
        if (!named.equals(BY_PATH)) {
            return Query.id(named);
        }
        String path = query.text("path")
                .filter(given -> given.startsWith("/"))
                .orElseThrow(() -> Problem.badRequest("path: must be an absolute path"));
        try {
            return DatabaseId.of(path);
        } catch (IllegalArgumentException tooLong) {
            throw unknown();
        }
    }

    private static Problem unknown() {
        return new Problem(404, "there is no such database");
    }
}
