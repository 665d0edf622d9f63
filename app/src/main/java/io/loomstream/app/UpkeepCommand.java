package io.loomstream.app;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import io.loomstream.admin.AdminOptions;
import io.loomstream.app.config.LoadedConfig;
import io.loomstream.app.top.PinnedCertificate;
import java.io.IOException;
import java.io.PrintStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * Has the running server work on one database's replica, over the admin API that the configuration names. Also for cold
 * databases. The server is the only one that may write to the replica, so this never does it itself.
 */
final class UpkeepCommand implements Command {
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);
    /** Longer than the server makes anybody wait. */
    private static final Duration ANSWER_TIMEOUT = Duration.ofMinutes(2);

    private static final int OK = 200;
    private static final int GOES_ON = 202;

    private final String verb;
    private final String description;

    private UpkeepCommand(String verb, String description) {
        this.verb = verb;
        this.description = description;
    }

    static UpkeepCommand snapshot() {
        return new UpkeepCommand("snapshot", "Has the running server make a snapshot of what a replica holds.");
    }

    static UpkeepCommand compact() {
        return new UpkeepCommand("compact", "Has the running server merge a replica's files into every level.");
    }

    @Override
    public Flags flags() {
        return Sources.withConfig(Flags.of(verb + " [flags] DB_PATH", description));
    }

    @Override
    public int run(Flags.Parsed words, PrintStream out, PrintStream err)
            throws UsageException, IOException, InterruptedException {
        if (words.arguments().isEmpty() || words.arguments().getFirst().isEmpty()) {
            throw new UsageException("database path required");
        }
        if (words.arguments().size() > 1) {
            throw new UsageException("too many arguments");
        }
        LoadedConfig loaded;
        Path database;
        try (Sources sources = new Sources()) {
            loaded = sources.config(words);
            database = sources.path(words.arguments().getFirst());
        }
        loaded.warnings().forEach(warning -> err.println("Warning: " + warning));
        Optional<AdminOptions> admin = loaded.config().serving().admin();
        if (admin.isEmpty()) {
            err.println(verb + " asks the running server, and the configuration has no admin API; set admin.addr");
            return ExitCode.FAILURE;
        }
        return ask(admin.get(), database, out, err);
    }

    private int ask(AdminOptions admin, Path database, PrintStream out, PrintStream err)
            throws UsageException, IOException, InterruptedException {
        URI server = AdminAddress.of(admin);
        HttpClient.Builder client = HttpClient.newBuilder().connectTimeout(CONNECT_TIMEOUT);
        if (admin.tls().isPresent()) {
            client.sslContext(PinnedCertificate.of(admin.tls().get().certificate()));
        }
        String path = URLEncoder.encode(database.toString(), StandardCharsets.UTF_8);
        HttpRequest.Builder request = HttpRequest.newBuilder(server.resolve("/dbs/by-path/" + verb + "?path=" + path))
                .timeout(ANSWER_TIMEOUT)
                .POST(HttpRequest.BodyPublishers.noBody());
        admin.token().ifPresent(token -> request.header("Authorization", "Bearer " + token));
        HttpResponse<String> answer;
        try {
            answer = client.build().send(request.build(), HttpResponse.BodyHandlers.ofString());
        } catch (ConnectException e) {
            err.println("no server answers at " + server + " (admin.addr): is it running?");
            return ExitCode.FAILURE;
        }
        switch (answer.statusCode()) {
            case OK -> out.println(verb + " of " + database + " done at TXID " + field(answer.body(), "txid"));
            case GOES_ON -> out.println(verb + " of " + database + " takes long; the server goes on with it");
            default -> {
                err.println(verb + " of " + database + " failed: " + field(answer.body(), "detail") + " (HTTP "
                        + answer.statusCode() + " from " + server + ")");
                return ExitCode.FAILURE;
            }
        }
        return ExitCode.SUCCESS;
    }

    /** A field of a flat answer; the answer itself when it is of another kind. */
    private static String field(String body, String name) throws IOException {
        try (JsonParser json = new JsonFactory().createParser(body)) {
            while (json.nextToken() != null) {
                if (name.equals(json.currentName()) && json.currentToken().isScalarValue()) {
                    return json.getText();
                }
            }
        } catch (JsonProcessingException other) {
            return body.strip();
        }
        return body.strip();
    }
}
