package io.loomstream.perf.fleet;

import io.loomstream.app.config.LoggingConfig;
import io.loomstream.app.logging.Loggers;
import io.loomstream.perf.server.S3Store;
import io.loomstream.perf.server.ServerProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a fleet costs. Makes N databases, has a server replicate all of them, looks at it while nothing happens, has
 * applications write to some of them, measures, stops everything, restores a sample and compares it page for page.
 *
 * <p>{@code make bench FLEET=100000 HOT=1000 [HABIT=mix|long_lived|...] [EVERY=1s] [REPLICA=file|s3] [MINUTES=5] [SEED=1]}
 * plus {@code IDLE=60s}, {@code REUSE=1} (go on with the last run's fleet) and {@code DIR=} (default {@code fleet-data}).
 * Takes about three minutes more than MINUTES, and the first copies of the fleet. The last line printed is one JSON object.
 * Not measured: the time the applications lose (that is ApplicationUnhurtIT's question). Linux only.
 */
public final class FleetBench {
    private static final int WATCHED = 200;
    private static final int SAMPLE = 50;
    private static final Duration SEEDING_MAX = Duration.ofHours(2);
    private static final Duration PROMOTION_MAX = Duration.ofMinutes(3);
    private static final Duration SETTLE = Duration.ofSeconds(20);
    private static final int DESCRIPTORS_PER_HOT = 2;
    private static final double SCAN_SECONDS = 15;

    private final FleetPlan plan;
    private final FleetLayout layout;
    private final @Nullable CountingS3 s3;
    private final WhileHot whileHot;
    private final Map<String, Object> figures = new LinkedHashMap<>();
    private final List<Integer> order = new ArrayList<>();

    /** What is measured while applications write. */
    interface WhileHot {
        /** Further lines of the server's configuration. */
        List<String> config();

        /**
         * Measures; all databases that are written to are hot by now.
         *
         * @param levelZero where the L0 files of some of them appear
         */
        void measure(ServerProcess server, ServerFigures process, List<Path> levelZero, Map<String, Object> figures)
                throws IOException, InterruptedException;
    }

    private FleetBench(FleetPlan plan, FleetLayout layout, @Nullable CountingS3 s3, @Nullable WhileHot whileHot) {
        this.whileHot = whileHot == null ? new OwnMeasures() : whileHot;
        this.plan = plan;
        this.layout = layout;
        this.s3 = s3;
        for (int i = 0; i < plan.databases(); i++) {
            order.add(i);
        }
        Collections.shuffle(order, new Random(plan.seed()));
    }

    public static void main(String[] args) throws Exception {
        Loggers.ofProcess().configure(LoggingConfig.defaults().withLevel(org.slf4j.event.Level.WARN), System.err);
        FleetPlan plan = FleetPlan.of(System.getenv());
        String directory = System.getenv().getOrDefault("DIR", "");
        Path root = directory.isBlank() ? ServerProcess.checkout().resolve("fleet-data") : Path.of(directory);
        Map<String, Object> figures = run(plan, root.toAbsolutePath(), launcher(), null);
        System.out.println(json(figures));
        System.exit(Boolean.TRUE.equals(figures.get("identical")) ? 0 : 1);
    }

    static Path launcher() {
        String other = System.getenv().getOrDefault("LAUNCHER", "");
        return other.isBlank() ? ServerProcess.launcher() : Path.of(other);
    }

    /** Runs a plan in a directory, which is cleared first unless the plan goes on with what is there. */
    static Map<String, Object> run(FleetPlan plan, Path directory, Path launcher) throws Exception {
        return run(plan, directory, launcher, null);
    }

    /** The same, with other measurements while applications write. */
    static Map<String, Object> run(FleetPlan plan, Path directory, Path launcher, @Nullable WhileHot whileHot)
            throws Exception {
        FleetLayout layout = new FleetLayout(directory, plan.databases());
        boolean reuse = plan.reuse() && Files.exists(layout.path(plan.databases() - 1));
        if (!reuse) {
            say("making %,d databases in %s".formatted(plan.databases(), directory));
            layout.make();
        }
        try (CountingS3 s3 =
                plan.s3() ? CountingS3.start(directory.resolve("s3"), directory.resolve("s3.log")) : null) {
            return new FleetBench(plan, layout, s3, whileHot).run(launcher);
        }
    }

    private Map<String, Object> run(Path launcher) throws Exception {
        Path config = layout.writeConfig(replicaKeys(), Math.max(1000, plan.hot() + 100));
        Files.write(config, whileHot.config(), StandardOpenOption.APPEND);
        Path log = layout.directory().resolve("server.log");
        figures.put("fleet", plan.databases());
        figures.put("hot", plan.hot());
        figures.put("habit", plan.habit().toLowerCase(Locale.ROOT));
        figures.put("every_ms", plan.every().toMillis());
        figures.put("replica", plan.s3() ? "s3" : "file");
        try (ServerProcess server = ServerProcess.replicate(launcher, config, log)) {
            ServerFigures process = new ServerFigures(server.pid());
            seed(server, process);
            idle(process);
            try (FleetWriters writers = FleetWriters.start(plan, layout, order)) {
                hot(server, process, writers);
            }
            say("stopping the server");
            figures.put("exit", server.stop());
        }
        restoreSample();
        figures.put("seed", plan.seed());
        figures.put("commit", commit());
        figures.put("jdk", System.getProperty("java.version"));
        figures.put("cpus", Runtime.getRuntime().availableProcessors());
        return figures;
    }

    private List<String> replicaKeys() throws IOException {
        String template = "{{project}}/{{database}}/{{branch}}/{{tenant}}";
        CountingS3 store = s3;
        if (store == null) {
            return List.of("type: file", "path: \"" + layout.replicas() + "/" + template + "\"");
        }
        List<String> keys = new ArrayList<>(List.of("type: s3", "path: \"" + template + "\""));
        try (S3Store bucket = S3Store.at(store.endpoint())) {
            keys.addAll(bucket.top());
        }
        return keys;
    }

    /** Where the L0 files of a database appear; the S3 server keeps its objects as files. */
    private Path levelZero(int index) {
        return plan.s3()
                ? layout.directory()
                        .resolve("s3/fixture")
                        .resolve(layout.replicaPath(index))
                        .resolve("0000")
                : layout.replicas().resolve(layout.replicaPath(index)).resolve("ltx/0");
    }

    // ---- phases

    private void seed(ServerProcess server, ServerFigures process) throws IOException, InterruptedException {
        long began = System.nanoTime();
        List<Integer> left = new ArrayList<>(order);
        double peak = 0;
        long saidAt = began;
        while (!left.isEmpty()) {
            requireAlive(server);
            if (System.nanoTime() - began > SEEDING_MAX.toNanos()) {
                throw new IllegalStateException(left.size() + " databases have no replica after " + SEEDING_MAX);
            }
            peak = Math.max(peak, process.now().rssMb());
            left.removeIf(index -> Files.exists(levelZero(index)));
            if (System.nanoTime() - saidAt > TimeUnit.SECONDS.toNanos(10)) {
                saidAt = System.nanoTime();
                say("first copies: %,d of %,d, RSS %.0f MB"
                        .formatted(plan.databases() - left.size(), plan.databases(), peak));
            }
            TimeUnit.MILLISECONDS.sleep(left.size() > 10_000 ? 2000 : 200);
        }
        figures.put("seed_s", round(seconds(began)));
        figures.put("seed_cpu_s", round(process.cpuSeconds()));
        figures.put("seed_peak_rss_mb", round(peak));
        say("all have a replica after %.1f s, %.1f s of CPU".formatted(seconds(began), process.cpuSeconds()));
    }

    private void idle(ServerFigures process) throws IOException, InterruptedException {
        // What was served last leaves first.
        TimeUnit.SECONDS.sleep(SETTLE.toSeconds());
        double cpu = process.cpuSeconds();
        Map<String, Integer> requests = requests();
        long began = System.nanoTime();
        TimeUnit.MILLISECONDS.sleep(plan.idle().toMillis());
        double used = process.cpuSeconds() - cpu;
        ServerFigures.Moment moment = process.now();
        figures.put("idle_rss_mb", round(moment.rssMb()));
        figures.put("idle_fds", moment.descriptors());
        figures.put("idle_cpu_percent", round(100 * used / seconds(began)));
        // The scanner is all that works for an idle fleet, so this is what a scan costs at most.
        figures.put("scan_cpu_ms", round(1000 * used / (seconds(began) / SCAN_SECONDS)));
        figures.put("idle_s3_requests", total(requestsSince(requests)));
        say("idle: %s".formatted(moment));
    }

    private void hot(ServerProcess server, ServerFigures process, FleetWriters writers)
            throws IOException, InterruptedException {
        int before = process.now().descriptors();
        long began = System.nanoTime();
        int wanted = before + DESCRIPTORS_PER_HOT * plan.hot() * 95 / 100;
        while (process.now().descriptors() < wanted && seconds(began) < PROMOTION_MAX.toSeconds()) {
            requireAlive(server);
            TimeUnit.MILLISECONDS.sleep(200);
        }
        boolean promoted = process.now().descriptors() >= wanted;
        figures.put("promoted_in_s", promoted ? round(seconds(began)) : "not all");
        figures.put("promotions_per_s", promoted ? round(plan.hot() / seconds(began)) : 0);
        say("hot after %.1f s: %s".formatted(seconds(began), process.now()));
        TimeUnit.SECONDS.sleep(SETTLE.toSeconds());
        List<Path> watched = order.subList(0, Math.min(WATCHED, plan.hot())).stream()
                .map(this::levelZero)
                .toList();
        whileHot.measure(server, process, watched, figures);
        figures.put("heap_mb", round(process.heapMb()));
        Files.writeString(layout.directory().resolve("histogram.txt"), process.histogram());
        FleetWriters.Tally tally = writers.stop();
        figures.put("commits", tally.commits());
        figures.put("writer_errors", tally.errors());
        figures.put("writer_behind_ms", tally.behindMillis());
    }

    private final class OwnMeasures implements WhileHot {
        @Override
        public List<String> config() {
            return List.of();
        }

        @Override
        public void measure(ServerProcess server, ServerFigures process, List<Path> watched, Map<String, Object> unused)
                throws IOException, InterruptedException {
            FleetBench.this.measure(server, process, watched);
        }
    }

    private void measure(ServerProcess server, ServerFigures process, List<Path> watched)
            throws IOException, InterruptedException {
        LagWatch lag = new LagWatch(watched, Instant.now());
        List<ServerFigures.Moment> moments = new ArrayList<>();
        Map<String, Integer> requests = requests();
        int liveTasks = 0;
        long began = System.nanoTime();
        double cpu = process.cpuSeconds();
        double measuredFor = 0;
        while (measuredFor < plan.measured().toSeconds()) {
            TimeUnit.SECONDS.sleep(1);
            requireAlive(server);
            moments.add(process.now());
            lag.look();
            measuredFor = seconds(began);
            if (moments.size() % 30 == 0) {
                say("measuring: %.0f s, %s".formatted(measuredFor, moments.getLast()));
            }
        }
        double used = process.cpuSeconds() - cpu;
        for (int i = 0; i < 3; i++) {
            liveTasks = Math.max(
                    liveTasks, process.virtualThreads(layout.directory().resolve("threads.json")));
        }
        moments.sort((a, b) -> Double.compare(a.rssMb(), b.rssMb()));
        ServerFigures.Moment highest = moments.getLast();
        figures.put("measured_s", round(measuredFor));
        figures.put("rss_mb", round(highest.rssMb()));
        figures.put("rss_median_mb", round(moments.get(moments.size() / 2).rssMb()));
        figures.put("rss_anon_mb", round(highest.anonymousMb()));
        figures.put(
                "fds",
                moments.stream()
                        .mapToInt(ServerFigures.Moment::descriptors)
                        .max()
                        .orElse(0));
        figures.put(
                "threads",
                moments.stream().mapToInt(ServerFigures.Moment::threads).max().orElse(0));
        figures.put("virtual_threads", liveTasks);
        figures.put("cpu_percent", round(100 * used / measuredFor));
        Map<String, Integer> since = requestsSince(requests);
        figures.put("s3_requests", total(since));
        figures.put("s3_requests_by_kind", since);
        // What was committed last is given its time.
        TimeUnit.SECONDS.sleep(2);
        lag.look();
        figures.put("lag_p50_ms", round(lag.percentileMillis(0.5)));
        figures.put("lag_p99_ms", round(lag.percentileMillis(0.99)));
        figures.put("lag_max_ms", round(lag.percentileMillis(1)));
        figures.put("lag_commits", lag.count());
    }

    private void restoreSample() throws Exception {
        List<Integer> sample = new ArrayList<>(order.subList(0, Math.min(SAMPLE, plan.hot())));
        for (int i = order.size() - 1; i >= plan.hot() && sample.size() < 2 * SAMPLE; i--) {
            sample.add(order.get(i));
        }
        RestoredSample restored = RestoredSample.check(sample, layout, s3 == null ? null : s3.endpoint());
        restored.differences().forEach(line -> say("DIFFERENT: %s".formatted(line)));
        figures.put("restored", restored.restored());
        figures.put("identical", restored.differences().isEmpty());
    }

    // ---- helpers

    static void requireAlive(ServerProcess server) throws IOException {
        if (!server.alive()) {
            String output = server.output();
            throw new IllegalStateException(
                    "the server has ended:\n" + output.substring(Math.max(0, output.length() - 4000)));
        }
    }

    private Map<String, Integer> requests() throws IOException {
        CountingS3 store = s3;
        return store == null ? Map.of() : store.requests();
    }

    private Map<String, Integer> requestsSince(Map<String, Integer> before) throws IOException {
        Map<String, Integer> since = new TreeMap<>(requests());
        before.forEach((kind, count) -> since.merge(kind, -count, Integer::sum));
        return since;
    }

    private static int total(Map<String, Integer> counts) {
        return counts.values().stream().mapToInt(Integer::intValue).sum();
    }

    private static double seconds(long sinceNanos) {
        return (System.nanoTime() - sinceNanos) / 1e9;
    }

    static double round(double value) {
        return Double.isNaN(value) ? -1 : Math.round(10 * value) / 10.0;
    }

    private static String commit() throws IOException, InterruptedException {
        Process git = new ProcessBuilder("git", "rev-parse", "--short", "HEAD")
                .directory(ServerProcess.checkout().toFile())
                .redirectErrorStream(true)
                .start();
        String answer = new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        return git.waitFor() == 0 ? answer : "unknown";
    }

    static void say(String line) {
        System.out.println(line);
    }

    static String json(Map<?, ?> figures) {
        return figures.entrySet().stream()
                .map(entry -> "\"" + entry.getKey() + "\": " + value(entry.getValue()))
                .collect(Collectors.joining(", ", "{", "}"));
    }

    private static String value(Object value) {
        return switch (value) {
            case Map<?, ?> map -> json(map);
            case String text -> "\"" + text + "\"";
            default -> String.valueOf(value);
        };
    }
}
