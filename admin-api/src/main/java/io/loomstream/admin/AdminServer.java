package io.loomstream.admin;

import io.javalin.Javalin;
import io.javalin.config.JavalinConfig;
import io.javalin.http.Context;
import io.javalin.http.Handler;
import io.javalin.http.HttpResponseException;
import io.loomstream.admin.metrics.Metrics;
import java.io.IOException;
import java.net.BindException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The HTTP server. Started once, stopped once; its requests run on virtual threads. */
public final class AdminServer implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(AdminServer.class);
    private static final long BODY_BYTES_MAX = Bodies.BYTES_MAX;

    private final Listener.Place place;
    private final Admission admission;
    private final Optional<EventStream> events;
    private final List<Runnable> parts;
    private final Javalin server;

    /** @param parts closed with it, before it refuses new requests */
    private AdminServer(
            Listener.Place place,
            Admission admission,
            Optional<EventStream> events,
            List<Runnable> parts,
            Consumer<JavalinConfig> routes)
            throws IOException {
        this.place = place;
        this.admission = admission;
        this.events = events;
        this.parts = parts;
        try {
            this.server = Javalin.create(config -> configure(config, place, routes));
        } catch (BadListener e) {
            throw e.cause;
        }
    }

    /**
     * Starts the whole API.
     *
     * @throws IOException when it cannot listen there, or TLS cannot be set up
     */
    public static AdminServer start(AdminOptions options, AdminSources sources, Metrics metrics) throws IOException {
        Admission admission = new Admission();
        EventStream events = new EventStream(sources.control().events());
        RestoreJobs restores = new RestoreJobs(options.restoreDirectory());
        Bodies bodies = new Bodies(Listener.ARRIVAL);
        AdminRoutes routes = new AdminRoutes(options, admission, events, restores, bodies);
        return new AdminServer(
                        new Listener.Place(options.host(), options.port(), options.tls()),
                        admission,
                        Optional.of(events),
                        List.of(restores::close, bodies::close),
                        config -> routes.addTo(config, sources, metrics))
                .listen();
    }

    /**
     * Starts a server that shows {@code /metrics} to everybody who reaches it, and nothing else: what Litestream's key
     * {@code addr} means.
     *
     * @param host empty for all addresses
     * @throws IOException when it cannot listen there
     */
    public static AdminServer startMetricsOnly(String host, int port, Metrics metrics) throws IOException {
        return start(
                new Listener.Place(host, port, Optional.empty()),
                Map.of("/metrics", context -> AdminRoutes.scrape(context, metrics)));
    }

    /** Starts a server that answers GET requests for some paths, whoever sends them. */
    static AdminServer start(Listener.Place place, Map<String, Handler> handlers) throws IOException {
        Admission admission = new Admission();
        return new AdminServer(
                        place,
                        admission,
                        Optional.empty(),
                        List.of(),
                        config -> handlers.forEach(
                                (path, handler) -> config.routes.get(path, admission.bounded(handler))))
                .listen();
    }

    /** The port that it listens on. */
    public int port() {
        return server.port();
    }

    private AdminServer listen() throws IOException {
        try {
            server.start();
        } catch (RuntimeException e) {
            throw new IOException("cannot listen on " + place + ": " + reason(e), e);
        }
        log.atInfo().addKeyValue("address", place).addKeyValue("port", port()).log("HTTP is served");
        return this;
    }

    private static String reason(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof BindException || cause.getCause() == null) {
                return String.valueOf(cause.getMessage());
            }
        }
        return "unknown";
    }

    /** Lets requests that run end, for a few seconds; new ones are refused. */
    @Override
    public void close() {
        events.ifPresent(EventStream::end);
        parts.forEach(Runnable::run);
        admission.drain();
        server.stop();
    }

    // ---- setting up

    /** Carries a checked exception out of a callback that may not throw it. */
    private static final class BadListener extends RuntimeException {
        private static final long serialVersionUID = 1;
        private final IOException cause;

        private BadListener(IOException cause) {
            super(cause);
            this.cause = cause;
        }
    }

    private static void configure(JavalinConfig config, Listener.Place place, Consumer<JavalinConfig> routes) {
        try {
            Listener.configure(config, place);
        } catch (IOException e) {
            throw new BadListener(e);
        }
        config.startup.showJavalinBanner = false;
        config.startup.showOldJavalinVersionWarning = false;
        config.startup.startupWatcherEnabled = false;
        config.concurrency.useVirtualThreads = true;
        config.http.prefer405over404 = true;
        config.http.generateEtags = false;
        config.http.maxRequestSize = BODY_BYTES_MAX;
        config.router.ignoreTrailingSlashes = false;
        config.routes.before(AdminServer::harden);
        config.routes.exception(
                Problem.class,
                (problem, context) -> Problem.write(context, problem.status(), String.valueOf(problem.getMessage())));
        config.routes.exception(
                HttpResponseException.class,
                (refusal, context) -> Problem.write(context, refusal.getStatus(), sentence(refusal.getStatus())));
        config.routes.exception(Exception.class, AdminServer::failed);
        routes.accept(config);
    }

    private static String sentence(int status) {
        return switch (status) {
            case 404 -> "there is nothing here; see /docs";
            case 405 -> "this method is not served here; see /docs";
            case 413 -> "the body is too large";
            default -> "the request is not one that is served here";
        };
    }

    private static void failed(Exception failure, Context context) {
        if (failure instanceof InterruptedException) {
            Problem.write(context, 503, "the server stops");
            return;
        }
        if (failure instanceof IOException && context.res().isCommitted()) {
            log.debug("a client left", failure);
            return;
        }
        log.atError().setCause(failure).addKeyValue("path", context.path()).log("a request failed");
        Problem.write(context, 500, "the server failed to answer; its log says why");
    }

    private static void harden(Context context) {
        context.header("X-Content-Type-Options", "nosniff")
                .header("X-Frame-Options", "DENY")
                .header("Referrer-Policy", "no-referrer")
                .header("Cross-Origin-Resource-Policy", "same-origin")
                .header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
                .header("Cache-Control", "no-store");
        if (context.req().getContentLengthLong() > BODY_BYTES_MAX) {
            context.header("Connection", "close");
            throw new Problem(413, "the body is larger than " + BODY_BYTES_MAX + " bytes");
        }
    }
}
