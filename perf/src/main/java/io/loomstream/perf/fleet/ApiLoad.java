package io.loomstream.perf.fleet;

import io.loomstream.app.config.LoggingConfig;
import io.loomstream.app.logging.Loggers;
import io.loomstream.perf.server.ServerProcess;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;

/**
 * What people and programs that ask the admin API cost, and whether replication suffers. The fleet, its writers and the
 * server are {@link FleetBench}'s; once all that is written to is hot, looks for a while at the lag of commits, then has
 * CLIENTS ask {@code /dbs} and {@code /metrics} in turn, once a second each, and looks at the lag again.
 *
 * <p>{@code FLEET=100000 HOT=1000 CLIENTS=200 SECONDS=60 scripts/perf-java.sh io.loomstream.perf.fleet.ApiLoad}, plus
 * FleetBench's REPLICA, SEED, IDLE, REUSE and DIR. The last line printed is one JSON object. Latencies are counted from the
 * moment a request was due, so that a server that falls behind is not flattered; clients, writers and server share the
 * machine. Exits with 1 when any request failed, 503 included, or a restored database differs.
 */
public final class ApiLoad implements FleetBench.WhileHot {
    private static final List<String> PATHS = List.of("/dbs", "/metrics");
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    /** What the last requests left behind is collected by then, if the server lets go of it. */
    private static final Duration AFTERWARDS = Duration.ofSeconds(20);

    private final int clients;
    private final Duration measured;
    private final long seed;
    private final int port;

    private ApiLoad(int clients, Duration measured, long seed, int port) {
        this.clients = clients;
        this.measured = measured;
        this.seed = seed;
        this.port = port;
    }

    public static void main(String[] args) throws Exception {
        Loggers.ofProcess().configure(LoggingConfig.defaults().withLevel(org.slf4j.event.Level.WARN), System.err);
        Map<String, String> variables = System.getenv();
        FleetPlan plan = FleetPlan.of(variables);
        int clients = Integer.parseInt(variables.getOrDefault("CLIENTS", "200"));
        int seconds = Integer.parseInt(variables.getOrDefault("SECONDS", "60"));
        String directory = variables.getOrDefault("DIR", "");
        Path root = directory.isBlank() ? ServerProcess.checkout().resolve("fleet-data") : Path.of(directory);
        Map<String, Object> figures =
                run(plan, root.toAbsolutePath(), FleetBench.launcher(), clients, Duration.ofSeconds(seconds));
        System.out.println(FleetBench.json(figures));
        boolean good = Boolean.TRUE.equals(figures.get("identical"))
                && Integer.valueOf(0).equals(figures.get("errors"));
        System.exit(good ? 0 : 1);
    }

    /** Runs a plan. */
    static Map<String, Object> run(FleetPlan plan, Path directory, Path launcher, int clients, Duration measured)
            throws Exception {
        return FleetBench.run(plan, directory, launcher, new ApiLoad(clients, measured, plan.seed(), freePort()));
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    @Override
    public List<String> config() {
        return List.of("admin:", "  addr: \"127.0.0.1:" + port + "\"");
    }

    /** One request: how long after it was due its answer was there. */
    private record Asked(String path, double millis, int bytes, String error) {}

    @Override
    public void measure(ServerProcess server, ServerFigures process, List<Path> levelZero, Map<String, Object> figures)
            throws IOException, InterruptedException {
        figures.put("clients", clients);
        figures.put("measured_s", measured.toSeconds());
        double lagBefore = watch("before", server, process, levelZero, figures);
        FleetBench.say("asking: %d clients".formatted(clients));
        ConcurrentLinkedQueue<Asked> asked = new ConcurrentLinkedQueue<>();
        double cpu = process.cpuSeconds();
        List<Thread> threads = new ArrayList<>();
        System.setProperty("http.maxConnections", String.valueOf(clients)); // kept alive
        Random random = new Random(seed);
        for (int i = 0; i < clients; i++) {
            long offset = (long) (1e9 * random.nextDouble());
            int first = i % PATHS.size();
            threads.add(Thread.ofVirtual().start(() -> client(offset, first, asked)));
        }
        double lagDuring = watch("during", server, process, levelZero, figures);
        for (Thread thread : threads) {
            thread.join();
        }
        figures.put("cpu_percent_during", FleetBench.round(100 * (process.cpuSeconds() - cpu) / measured.toSeconds()));
        TimeUnit.SECONDS.sleep(AFTERWARDS.toSeconds());
        figures.put("rss_after_mb", FleetBench.round(process.now().rssMb()));
        figures.put("lag_p99_ratio", Math.round(100 * lagDuring / lagBefore) / 100.0);
        report(List.copyOf(asked), figures);
    }

    /** Looks at the server and at the replicas for a while; the 99th percentile of the lag, milliseconds. */
    private double watch(
            String when, ServerProcess server, ServerFigures process, List<Path> levelZero, Map<String, Object> figures)
            throws IOException, InterruptedException {
        LagWatch lag = new LagWatch(levelZero, Instant.now());
        List<ServerFigures.Moment> moments = new ArrayList<>();
        long began = System.nanoTime();
        while (System.nanoTime() - began < measured.toNanos()) {
            TimeUnit.SECONDS.sleep(1);
            FleetBench.requireAlive(server);
            moments.add(process.now());
            lag.look();
        }
        TimeUnit.SECONDS.sleep(2); // what was committed last is given its time
        lag.look();
        figures.put("rss_" + when + "_mb", FleetBench.round(max(moments, ServerFigures.Moment::rssMb)));
        figures.put("lag_p50_" + when + "_ms", FleetBench.round(lag.percentileMillis(0.5)));
        figures.put("lag_p99_" + when + "_ms", FleetBench.round(lag.percentileMillis(0.99)));
        figures.put("lag_commits_" + when, lag.count());
        FleetBench.say("%s: %s, lag p99 %.0f ms".formatted(when, moments.getLast(), lag.percentileMillis(0.99)));
        return lag.percentileMillis(0.99);
    }

    private static double max(List<ServerFigures.Moment> moments, ToDoubleFunction<ServerFigures.Moment> figure) {
        return moments.stream().mapToDouble(figure).max().orElse(Double.NaN);
    }

    private void client(long offsetNanos, int first, ConcurrentLinkedQueue<Asked> asked) {
        long began = System.nanoTime() + offsetNanos;
        try {
            for (int i = 0; i < measured.toSeconds(); i++) {
                long due = began + TimeUnit.SECONDS.toNanos(i);
                TimeUnit.NANOSECONDS.sleep(due - System.nanoTime());
                asked.add(ask(PATHS.get((first + i) % PATHS.size()), due));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** By the JDK's old client: its newer one would take as much of the shared processors as the server does. */
    private Asked ask(String path, long due) {
        int bytes = 0;
        String error = "";
        try {
            HttpURLConnection connection = (HttpURLConnection)
                    URI.create("http://127.0.0.1:" + port + path).toURL().openConnection();
            connection.setConnectTimeout((int) PATIENCE.toMillis());
            connection.setReadTimeout((int) PATIENCE.toMillis());
            int status = connection.getResponseCode();
            error = status == HttpURLConnection.HTTP_OK ? "" : String.valueOf(status);
            // Read to its end and closed, the connection is used again.
            try (InputStream answer = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
                bytes = (int) answer.transferTo(OutputStream.nullOutputStream());
            }
        } catch (IOException e) {
            error = e.getClass().getSimpleName();
        }
        return new Asked(path, (System.nanoTime() - due) / 1e6, bytes, error);
    }

    private static void report(List<Asked> asked, Map<String, Object> figures) {
        figures.put("requests", asked.size());
        Map<String, Integer> errors = new TreeMap<>();
        asked.stream().filter(one -> !one.error().isEmpty()).forEach(one -> errors.merge(one.error(), 1, Integer::sum));
        figures.put(
                "errors", errors.values().stream().mapToInt(Integer::intValue).sum());
        figures.put("errors_by_kind", errors);
        for (String path : PATHS) {
            String name = path.substring(1);
            List<Double> millis = new ArrayList<>();
            asked.stream().filter(one -> one.path().equals(path)).forEach(one -> millis.add(one.millis()));
            Collections.sort(millis);
            figures.put(name + "_p50_ms", FleetBench.round(percentile(millis, 0.5)));
            figures.put(name + "_p99_ms", FleetBench.round(percentile(millis, 0.99)));
            figures.put(name + "_max_ms", FleetBench.round(percentile(millis, 1)));
            figures.put(
                    name + "_bytes",
                    asked.stream()
                            .filter(one -> one.path().equals(path))
                            .mapToInt(Asked::bytes)
                            .max()
                            .orElse(0));
        }
    }

    private static double percentile(List<Double> sorted, double part) {
        return sorted.isEmpty() ? Double.NaN : sorted.get((int) Math.min(sorted.size() - 1.0, part * sorted.size()));
    }
}
