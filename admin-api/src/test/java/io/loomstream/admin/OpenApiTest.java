package io.loomstream.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.javalin.Javalin;
import io.javalin.http.HandlerType;
import io.loomstream.admin.metrics.Metrics;
import io.loomstream.engine.fleet.FleetControl;
import io.loomstream.engine.testing.SmallFleet;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The description for programs, against what the server has. */
@SuppressWarnings("try") // a test that is interrupted while it closes has ended anyway
class OpenApiTest {
    @TempDir
    Path directory;

    @Test
    void itDescribesEveryRouteAndNoOther() throws Exception {
        try (SmallFleet fleet = new SmallFleet(directory)) {
            Set<String> routes = routes(fleet.start().control(10));
            Assets.paths().forEach(path -> routes.remove("GET " + path));
            assertTrue(routes.contains("POST /dbs/{id}/promote"), routes.toString());
            assertEquals(routes, described());
        }
    }

    private static Set<String> routes(FleetControl control) {
        AdminOptions options = AdminOptions.DEFAULTS;
        AdminRoutes all = new AdminRoutes(
                options,
                new Admission(),
                new EventStream(control.events()),
                new RestoreJobs(Optional.empty()),
                new Bodies(Listener.ARRIVAL));
        AdminSources sources = new AdminSources(control, Optional::empty, List.of(), "1");
        Javalin javalin =
                Javalin.create(config -> all.addTo(config, sources, new Metrics(control, true, Optional::empty)));
        TreeSet<String> routes = new TreeSet<>();
        javalin.unsafe.internalRouter.allHttpHandlers().forEach(route -> {
            if (!route.endpoint.method.equals(HandlerType.BEFORE)) {
                routes.add(route.endpoint.method + " " + route.endpoint.path);
            }
        });
        return routes;
    }

    /** Fields below "paths", and the fields below those. */
    private static Set<String> described() throws IOException {
        TreeSet<String> described = new TreeSet<>();
        try (var in = Assets.class.getResourceAsStream("web/openapi.json");
                JsonParser json = new JsonFactory().createParser(in)) {
            while (!"paths".equals(json.currentName()) || json.currentToken() != JsonToken.START_OBJECT) {
                json.nextToken();
            }
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String path = json.currentName();
                json.nextToken();
                while (json.nextToken() == JsonToken.FIELD_NAME) {
                    described.add(json.currentName().toUpperCase(Locale.ROOT) + " " + path);
                    json.nextToken();
                    json.skipChildren();
                }
            }
        }
        return described;
    }
}
