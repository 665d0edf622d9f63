package io.loomstream.perf.fleet;

import io.loomstream.app.config.LoggingConfig;
import io.loomstream.app.logging.Loggers;
import io.loomstream.engine.testing.s3.FaultyWire;
import io.loomstream.engine.testing.s3.S3Server;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.slf4j.event.Level;

/**
 * An S3 server in a process of its own, which counts the requests that arrive. Its process prints {@code port=N}, then for
 * each line that it reads one of counts by kind; it ends with its input.
 */
final class CountingS3 implements AutoCloseable {
    private final Process process;
    private final BufferedReader answers;
    private final URI endpoint;

    private CountingS3(Process process) throws IOException {
        this.process = process;
        this.answers = process.inputReader(StandardCharsets.UTF_8);
        String line = answers.readLine();
        if (line == null || !line.startsWith("port=")) {
            throw new IOException("the S3 server did not start: " + line);
        }
        this.endpoint = URI.create("http://127.0.0.1:" + line.substring("port=".length()));
    }

    static CountingS3 start(Path objects, Path log) throws IOException {
        Files.createDirectories(objects);
        return new CountingS3(new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+UseSerialGC",
                        "-Xmx512m",
                        "-XX:-UsePerfData",
                        "-cp",
                        System.getProperty("java.class.path"),
                        CountingS3.class.getName(),
                        objects.toString())
                .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start());
    }

    public static void main(String[] args) throws Exception {
        // S3Proxy has much to say about its start.
        Loggers.ofProcess().configure(LoggingConfig.defaults().withLevel(Level.WARN), System.err);
        try (S3Server server = S3Server.in(Path.of(args[0]));
                FaultyWire wire = new FaultyWire(server.port());
                BufferedReader asked = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            Map<String, Integer> counts = new ConcurrentSkipListMap<>();
            wire.tellInstead(request -> counts.merge(kind(request), 1, Integer::sum));
            System.out.println("port=" + wire.endpoint().getPort());
            while (asked.readLine() != null) {
                System.out.println(counts);
            }
        }
        System.exit(0); // its threads would stay
    }

    private static String kind(FaultyWire.Request request) {
        boolean list = request.method().equals("GET") && request.target().contains("list-type=");
        return list ? "LIST" : request.method();
    }

    URI endpoint() {
        return endpoint;
    }

    /** Requests so far, by kind. */
    Map<String, Integer> requests() throws IOException {
        OutputStream ask = process.getOutputStream();
        ask.write('\n');
        ask.flush();
        String line = answers.readLine();
        if (line == null) {
            throw new IOException("the S3 server has ended");
        }
        Map<String, Integer> counts = new TreeMap<>();
        for (String entry : line.substring(1, line.length() - 1).split(", ", -1)) {
            int equals = entry.indexOf('=');
            if (equals > 0) {
                counts.put(entry.substring(0, equals), Integer.parseInt(entry.substring(equals + 1)));
            }
        }
        return counts;
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
