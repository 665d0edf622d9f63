package io.loomstream.admin;

import io.javalin.config.JavalinConfig;
import io.javalin.http.Context;
import io.javalin.http.Handler;
import io.javalin.http.HandlerType;
import io.loomstream.admin.metrics.Metrics;
import io.loomstream.engine.fleet.DatabaseId;
import io.loomstream.engine.fleet.FleetControl;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Which address does what, and who may call it. */
final class AdminRoutes {
    private final AdminOptions options;
    private final Guard guard;
    private final Admission admission;
    private final EventStream events;
    private final RestoreJobs restores;
    private final Bodies bodies;

    AdminRoutes(AdminOptions options, Admission admission, EventStream events, RestoreJobs restores, Bodies bodies) {
        this.options = options;
        this.guard = new Guard(options);
        this.admission = admission;
        this.events = events;
        this.restores = restores;
        this.bodies = bodies;
    }

    /** Adds all routes to a server that is being set up. */
    void addTo(JavalinConfig config, AdminSources sources, Metrics metrics) {
        config.routes.before(context -> guard.checkSite(context, Assets.holds(context.path())));
        for (String path : Assets.paths()) {
            add(config, HandlerType.GET, path, admission.bounded(Assets::serve));
        }
        FleetControl control = sources.control();
        FleetRoutes fleet = new FleetRoutes(sources);
        figures(config, "/metrics", context -> scrape(context, metrics));
        figures(config, "/health", fleet::health);
        figures(config, "/ready", fleet::ready);

        DatabaseRoutes databases = new DatabaseRoutes(control);
        get(config, "/dbs", databases::list);
        get(config, "/dbs/{id}", databases::one);
        Map<String, DatabaseRoutes.Order> orders = new TreeMap<>(Map.of(
                "promote", (DatabaseId id) -> control.promote(id),
                "demote", control::demote,
                "sync", control::sync,
                "pause", control::pause,
                "resume", control::resume,
                "retry", control::retry));
        orders.forEach((verb, order) -> post(config, "/dbs/{id}/" + verb, context -> databases.order(context, order)));

        post(config, "/dbs/{id}/snapshot", context -> databases.upkeep(context, control::snapshot));
        post(config, "/dbs/{id}/compact", context -> databases.upkeep(context, control::compact));

        get(config, "/tiers", fleet::tiers);
        get(config, "/hot-list", fleet::hotList);
        post(config, "/hot-list/persist", fleet::persistHotList);
        get(config, "/gates", fleet::gates);
        get(config, "/events/recent", fleet::recentEvents);
        get(config, "/stats", fleet::stats);
        get(config, "/config", fleet::config);
        post(config, "/scan", fleet::scan);
        get(config, "/scan/{id}", fleet::scanState);
        RestoreRoutes restoring = new RestoreRoutes(control, restores);
        Handler begin = admission.bounded(restoring::begin);
        add(config, HandlerType.POST, "/restore", context -> {
            guard.checkToken(context);
            bodies.read(context); // before it takes a place
            begin.handle(context);
        });
        get(config, "/restore/{id}", restoring::state);
        // Not bounded by places, but by the number of watchers: it may last for days.
        add(config, HandlerType.GET, "/events", context -> {
            guard.checkToken(context);
            events.serve(context);
        });
    }

    private void get(JavalinConfig config, String path, Handler handler) {
        add(config, HandlerType.GET, path, withToken(handler));
    }

    private void post(JavalinConfig config, String path, Handler handler) {
        add(config, HandlerType.POST, path, withToken(handler));
    }

    private Handler withToken(Handler handler) {
        Handler bounded = admission.bounded(handler);
        return context -> {
            guard.checkToken(context);
            bounded.handle(context);
        };
    }

    private void figures(JavalinConfig config, String path, Handler handler) {
        add(config, HandlerType.GET, path, options.metricsPublic() ? admission.bounded(handler) : withToken(handler));
    }

    private static void add(JavalinConfig config, HandlerType method, String path, Handler handler) {
        config.routes.addHttpHandler(method, path, handler);
    }

    static void scrape(Context context, Metrics metrics) throws IOException {
        Metrics.Scrape scrape = metrics.recentScrape(
                Optional.ofNullable(context.header("Accept")).orElse(""));
        context.contentType(scrape.contentType()).result(scrape.bytes());
    }
}
