package io.loomstream.admin;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import io.loomstream.admin.metrics.Metrics;
import io.loomstream.engine.fleet.DatabaseId;
import io.loomstream.engine.fleet.FleetControl;
import io.loomstream.engine.fleet.Tier;
import io.loomstream.engine.testing.SmallFleet;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.awaitility.Awaitility;

/** A server over a small fleet, and a client of it. */
@SuppressWarnings("try") // a test that is interrupted while it closes has ended anyway
final class RunningServer implements AutoCloseable {
    static final AdminOptions ANY_PORT = AdminOptions.DEFAULTS.withPort(0);

    private final FleetControl control;
    private final AdminServer server;
    private final int port;
    private final HttpClient client = HttpClient.newHttpClient();

    RunningServer(SmallFleet fleet, AdminOptions options) throws IOException {
        this(fleet.start().control(100), options);
    }

    private RunningServer(FleetControl control, AdminOptions options) throws IOException {
        this.control = control;
        AdminSources sources = new AdminSources(
                control, Optional::empty, List.of(Map.of("section", "multi-db", "max-hot-databases", 100)), "1.2.3");
        this.server = AdminServer.start(options, sources, new Metrics(control, true, Optional::empty));
        this.port = server.port();
    }

    /** Another server over the same fleet, at the port of this one, which was closed. */
    RunningServer again() throws IOException {
        return new RunningServer(control, ANY_PORT.withPort(port));
    }

    FleetControl control() {
        return control;
    }

    int port() {
        return port;
    }

    void awaitCold(int databases) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .until(() -> control.tiers().databases().get(Tier.COLD_CLEAN) == databases);
    }

    static String id(Path path) {
        return DatabaseId.of(path.toString()).text();
    }

    URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port + path);
    }

    HttpResponse<String> get(String path, String... headers) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(uri(path)).GET(), headers);
    }

    HttpResponse<String> post(String path, String... headers) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(uri(path)).POST(HttpRequest.BodyPublishers.noBody()), headers);
    }

    HttpResponse<String> send(HttpRequest.Builder request, String... headers) throws IOException, InterruptedException {
        if (headers.length > 0) {
            request.headers(headers);
        }
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    /** Asks for all lines and reads the first bytes of the answer only. */
    Socket beginLines() throws IOException {
        Socket socket = new Socket();
        socket.setReceiveBufferSize(4_096);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        socket.setSoTimeout(40_000);
        socket.getOutputStream()
                .write("GET /dbs HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson\r\n\r\n"
                        .getBytes(StandardCharsets.ISO_8859_1));
        byte[] begin = socket.getInputStream().readNBytes("HTTP/1.1 200".length());
        if (!new String(begin, StandardCharsets.ISO_8859_1).equals("HTTP/1.1 200")) {
            socket.close();
            throw new IOException("no lines: " + new String(begin, StandardCharsets.ISO_8859_1));
        }
        return socket;
    }

    /** Bytes as they are, and all that comes back until the server closes the connection. */
    String raw(String request) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(40_000);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            socket.getOutputStream().flush();
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** The first value of a field, as text; "null" for a JSON null. */
    static String field(String json, String name) throws IOException {
        try (JsonParser parser = new JsonFactory().createParser(json)) {
            while (parser.nextToken() != null) {
                if (name.equals(parser.currentName()) && parser.currentToken().isScalarValue()) {
                    return parser.getText();
                }
            }
        }
        throw new AssertionError("no field " + name + " in " + json);
    }

    @Override
    public void close() {
        server.close();
    }
}
