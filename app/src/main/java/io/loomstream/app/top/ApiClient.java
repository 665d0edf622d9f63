package io.loomstream.app.top;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLContext;

/** Asks one server. Thread-safe; its calls block and may be interrupted. */
public final class ApiClient implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final int EVENTS_MAX = 200;
    private static final int HOT_MAX = 200;

    private final URI server;
    private final Optional<String> token;
    private final HttpClient http;
    private final RecentEvents events = new RecentEvents(EVENTS_MAX);

    /**
     * A client.
     *
     * @param server scheme, host and port
     * @param tls whom to trust; empty for the machine's own authorities
     */
    public ApiClient(URI server, Optional<String> token, Optional<SSLContext> tls) {
        this.server = server;
        this.token = token;
        HttpClient.Builder builder = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(PATIENCE);
        tls.ifPresent(builder::sslContext);
        this.http = builder.build();
    }

    /** The server asks for a token, and this one has none or not the right one. */
    public static final class TokenException extends IOException {
        private static final long serialVersionUID = 1;

        private TokenException(String message) {
            super(message);
        }
    }

    /**
     * Everything that a screen shows.
     *
     * @throws IOException with a sentence for people
     */
    public Sample sample() throws IOException, InterruptedException {
        return new Sample(
                System.nanoTime(),
                get("/tiers"),
                get("/stats"),
                get("/gates"),
                get("/dbs?tier=hot&sort=last_write&limit=" + HOT_MAX),
                events.all());
    }

    private JsonTree get(String path) throws IOException, InterruptedException {
        HttpResponse<String> answer;
        try {
            answer = http.send(
                    request(path).timeout(PATIENCE).build(),
                    HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
        } catch (ConnectException e) {
            throw new IOException("no server answers at " + server + ": is it running, and is its address right?", e);
        } catch (HttpTimeoutException e) {
            throw new IOException(
                    "the server at " + server + " did not answer within " + PATIENCE.toSeconds() + " s", e);
        } catch (IOException e) {
            throw new IOException("no admin API answers at " + server + ": " + reason(e), e);
        }
        if (answer.statusCode() == 401) {
            throw new TokenException("the server at " + server
                    + (token.isPresent()
                            ? " does not take this token"
                            : " asks for a token: name its file with -token-file, or the server's -config"));
        }
        JsonTree body = tree(answer);
        if (answer.statusCode() != 200) {
            String detail = body.get("detail").text();
            throw new IOException("the server at " + server + " answers " + answer.statusCode()
                    + (detail.isEmpty() ? "" : ": " + Words.safe(detail)));
        }
        return body;
    }

    private JsonTree tree(HttpResponse<String> answer) throws IOException {
        try {
            return JsonTree.parse(answer.body());
        } catch (IOException e) {
            throw new IOException(
                    "what answers at " + server + " is no admin API (status " + answer.statusCode() + ")", e);
        }
    }

    private static String reason(IOException failure) {
        String message = failure.getMessage();
        return message == null ? failure.getClass().getSimpleName() : message;
    }

    private HttpRequest.Builder request(String path) {
        HttpRequest.Builder request = HttpRequest.newBuilder(server.resolve(path));
        token.ifPresent(shown -> request.header("Authorization", "Bearer " + shown));
        return request;
    }

    // ---- events

    /** Reads what has happened lately, once; a server that does not keep it is no error. */
    public void readRecentEvents() throws IOException, InterruptedException {
        HttpResponse<String> answer = http.send(
                request("/events/recent").timeout(PATIENCE).build(),
                HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
        if (answer.statusCode() != 200) {
            return;
        }
        List<Event> recent = new ArrayList<>();
        for (JsonTree item : tree(answer).get("items").items()) {
            String kind = item.get("kind").text();
            if (Event.isWorthALine(kind)) {
                recent.add(Event.of(kind, item));
            }
        }
        recent.sort(java.util.Comparator.comparing(Event::at));
        events.addAll(recent);
    }

    /**
     * Listens until the server ends the stream.
     *
     * @throws IOException when it breaks off or cannot be had
     */
    public void listen() throws IOException, InterruptedException {
        HttpResponse<java.io.InputStream> stream =
                http.send(request("/events").build(), HttpResponse.BodyHandlers.ofInputStream());
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(stream.body(), StandardCharsets.UTF_8))) {
            if (stream.statusCode() != 200) {
                return;
            }
            readRecentEvents();
            String kind = "";
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("event: ")) {
                    kind = line.substring(7);
                } else if (line.startsWith("data: ") && Event.isWorthALine(kind)) {
                    events.addAll(List.of(Event.of(kind, JsonTree.parse(line.substring(6)))));
                }
            }
        }
    }

    /** Ends requests that run. */
    @Override
    public void close() {
        http.shutdownNow();
    }
}
