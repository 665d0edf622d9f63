package io.loomstream.admin;

import io.javalin.config.JavalinConfig;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executors;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.SecureRequestCustomizer;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/** Sets Jetty up lean: one thread accepts, one selects, requests run on virtual threads. */
final class Listener {
    private static final int THREADS = 6;
    private static final int CONNECTIONS_MAX = 1_024;
    private static final int HEADER_BYTES_MAX = 16 * 1_024;
    /** So long a connection may be silent, or not read what it asked for. */
    static final Duration IDLE = Duration.ofSeconds(30);
    /** So long a request's headers may be on their way, and so long its body. */
    static final Duration ARRIVAL = Duration.ofSeconds(15);

    private static final long STOP_MILLIS = 2_000;

    private Listener() {}

    /**
     * Where to listen.
     *
     * @param host empty for all addresses
     * @param port 0 for any free one
     * @param patience with clients
     */
    record Place(String host, int port, Optional<AdminOptions.Tls> tls, Patience patience) {
        Place(String host, int port, Optional<AdminOptions.Tls> tls) {
            this(host, port, tls, new Patience(IDLE, ARRIVAL, CONNECTIONS_MAX));
        }

        @Override
        public String toString() {
            return (host.isEmpty() ? "*" : host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
        }
    }

    /**
     * How slow clients may be.
     *
     * @param idle how long a connection may be silent, or not read what it asked for
     * @param arrival how long a request's headers may take from their first byte, whatever comes in between
     * @param connections at most so many at once
     */
    record Patience(Duration idle, Duration arrival, int connections) {}

    /** @throws IOException when the files of TLS are not what they should be */
    static void configure(JavalinConfig config, Place place) throws IOException {
        Optional<SslContextFactory.Server> tls =
                place.tls().isPresent() ? Optional.of(Tls.of(place.tls().get())) : Optional.empty();
        QueuedThreadPool threads = new QueuedThreadPool(THREADS, 1);
        threads.setName("admin");
        threads.setReservedThreads(0);
        threads.setVirtualThreadsExecutor(Executors.newVirtualThreadPerTaskExecutor());
        config.jetty.threadPool = threads;
        config.jetty.modifyServer(server -> {
            server.setStopTimeout(STOP_MILLIS);
            server.setErrorHandler(new Refusals());
            server.addBean(new NetworkConnectionLimit(place.patience().connections(), server));
        });
        config.jetty.addConnector((server, unused) -> {
            HttpConfiguration http = new HttpConfiguration();
            http.setSendServerVersion(false);
            http.setSendDateHeader(false);
            http.setRequestHeaderSize(HEADER_BYTES_MAX);
            tls.ifPresent(factory -> http.addCustomizer(new SecureRequestCustomizer(false)));
            HttpConnectionFactory plain = new HttpConnectionFactory(http);
            ServerConnector connector = tls.isPresent()
                    ? new ServerConnector(
                            server, null, null, null, 1, 1, new SslConnectionFactory(tls.get(), "http/1.1"), plain)
                    : new ServerConnector(server, null, null, null, 1, 1, plain);
            connector.setHost(place.host().isEmpty() ? null : place.host());
            connector.setPort(place.port());
            connector.setIdleTimeout(place.patience().idle().toMillis());
            connector.addBean(
                    new Dawdlers(connector.getScheduler(), place.patience().arrival()));
            connector.setAcceptQueueSize(128);
            return connector;
        });
    }

    /** What does not even reach the routes: a malformed request, too long a header. */
    private static final class Refusals extends ErrorHandler {
        @Override
        public boolean handle(Request request, Response response, Callback callback) {
            int status = response.getStatus();
            response.getHeaders().put(HttpHeader.CONTENT_TYPE, Problem.CONTENT_TYPE);
            response.getHeaders().put("X-Content-Type-Options", "nosniff");
            Content.Sink.write(
                    response,
                    true,
                    Problem.body(status, status < 500 ? "the request is not one that is served here" : "it failed"),
                    callback);
            return true;
        }
    }
}
