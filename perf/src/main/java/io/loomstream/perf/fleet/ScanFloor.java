package io.loomstream.perf.fleet;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.fleet.PassReport;
import io.loomstream.engine.fleet.PathTable;
import io.loomstream.engine.fleet.Scanner;
import io.loomstream.engine.fleet.Selection;
import io.loomstream.engine.fleet.Tier;
import io.loomstream.engine.posix.Posix;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.sqlite.SQLiteConfig;

/**
 * What a pass of the scanner costs over a fleet at rest, after 1 % of it was written (spread over all folders, the worst case,
 * and in few folders), with connections open on 1 %, and when everything is looked at; beside what {@code find} takes to stat
 * the same files in the same run. Not measured: a cold dentry cache, a network file system.
 *
 * <p>{@code scripts/perf-java.sh io.loomstream.perf.fleet.ScanFloor [databases [per folder]]}; 100,000 in folders of 100 take
 * about two minutes and 500 MB of disk. The last line is one JSON object. Linux only.
 */
public final class ScanFloor {
    private static final int REPEATS = 11;
    private static final double MILLION = 1e6;

    private final Path directory;
    private final List<Path> databases = new ArrayList<>();
    private final int perFolder;
    private final PathTable table = new PathTable();
    private final Scanner scanner;
    private final Map<String, Object> figures = new LinkedHashMap<>();

    private ScanFloor(Path directory, int count, int perFolder) throws IOException, SQLException {
        this.directory = directory;
        this.perFolder = perFolder;
        makeFleet(count);
        String pattern = directory + "/*/databases/*/branches/*/tenants/*.db";
        this.scanner = Scanner.of(
                table,
                Selection.ofPatterns(List.of(pattern), List.of("**/tmp-*/**")),
                Posix.load(),
                Time.system(),
                new Quiet(),
                Duration.ofMinutes(5));
    }

    public static void main(String[] args) throws Exception {
        int count = args.length > 0 ? Integer.parseInt(args[0]) : 100_000;
        int perFolder = args.length > 1 ? Integer.parseInt(args[1]) : 100;
        Path directory = Files.createTempDirectory("scan-floor");
        try {
            System.out.println(json(measure(directory, count, perFolder)));
        } finally {
            delete(directory);
        }
    }

    /**
     * Makes a fleet in an empty directory and measures.
     *
     * @return figures by name, times in milliseconds
     * @throws IllegalStateException when the scanner missed a write or saw one too many
     */
    static Map<String, Object> measure(Path directory, int count, int perFolder) throws Exception {
        return new ScanFloor(directory, count, perFolder).run();
    }

    private Map<String, Object> run() throws Exception {
        figures.put("databases", databases.size());
        figures.put("per_folder", perFolder);
        figures.put("jdk", System.getProperty("java.version"));
        figures.put("cpus", Runtime.getRuntime().availableProcessors());
        // Fresh files prove nothing for 50 ms, on file systems with coarse times for 2 s.
        TimeUnit.SECONDS.sleep(3);
        PassReport first = scanner.pass();
        require(first.events().appeared(), databases.size(), "databases found");
        note("first", first);
        figures.put("table_bytes_per_database", round(table.memoryBytes() / (double) databases.size()));
        settle();
        scanner.pass();
        repeat("idle", false);
        repeat("full_sweep", true);
        int share = Math.max(1, databases.size() / 100);
        writeAndPass("spread", share, databases.size() / share);
        writeAndPass("clustered", share, 1);
        holdOpen(share);
        find("find_all", "-printf", "%T@");
        find("find_names", "-name", "no such name");
        return figures;
    }

    private void makeFleet(int count) throws IOException, SQLException {
        Path template = directory.resolve("template");
        try (Connection connection = connect(template);
                Statement statement = connection.createStatement()) {
            statement.execute("create table t (id integer primary key, v blob)");
        }
        byte[] bytes = Files.readAllBytes(template);
        Files.delete(template);
        for (int i = 0; i < count; i++) {
            int folder = i / perFolder;
            Path tenants = directory.resolve(
                    "project-%04d/databases/main/branches/b%d/tenants".formatted(folder / 2, folder % 2));
            if (i % perFolder == 0) {
                Files.createDirectories(tenants);
            }
            databases.add(Files.write(tenants.resolve("tenant-%06d.db".formatted(i)), bytes));
        }
    }

    private static Connection connect(Path database) throws SQLException {
        SQLiteConfig config = new SQLiteConfig();
        config.setJournalMode(SQLiteConfig.JournalMode.WAL);
        config.setSynchronous(SQLiteConfig.SynchronousMode.OFF);
        return config.createConnection("jdbc:sqlite:" + database);
    }

    private static void insert(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("insert into t (v) values (randomblob(100))");
        }
    }

    /** Takes everything found for copied, as after a restart with a catalog. */
    private void settle() throws InterruptedException {
        for (int row : table.rows(Tier.COLD_DIRTY)) {
            table.transition(row, Tier.COLD_DIRTY, Tier.GONE);
            table.remove(row);
        }
        scanner.fullPass();
        for (int row : table.rows(Tier.DISCOVERED)) {
            if (!table.settleAsKept(row, table.digest(row))) {
                throw new IllegalStateException("a stamp of row " + row + " was racy");
            }
        }
        require(table.count(Tier.COLD_CLEAN), databases.size(), "databases clean");
    }

    private void repeat(String name, boolean full) throws InterruptedException {
        List<PassReport> reports = new ArrayList<>();
        for (int i = 0; i < REPEATS; i++) {
            reports.add(full ? scanner.fullPass() : scanner.pass());
        }
        reports.sort(Comparator.comparingLong(PassReport::wallNanos));
        PassReport median = reports.get(REPEATS / 2);
        require(median.events().written(), 0, "writes seen at rest");
        note(name, median);
    }

    private void writeAndPass(String name, int count, int step) throws Exception {
        for (int i = 0; i < count; i++) {
            try (Connection connection = connect(databases.get(i * step))) {
                insert(connection);
            }
        }
        // As far apart as passes are, at least: else half the folders would be racy.
        TimeUnit.SECONDS.sleep(3);
        PassReport report = scanner.pass();
        require(report.events().written(), count, "writes seen");
        note("written_" + name, report);
        settle();
        scanner.pass();
    }

    /** Applications that stay connected: their WAL exists, and each is stated in every pass. */
    private void holdOpen(int count) throws Exception {
        List<Connection> connections = new ArrayList<>();
        try {
            int step = databases.size() / count;
            for (int i = 0; i < count; i++) {
                connections.add(connect(databases.get(i * step)));
                insert(connections.getLast());
            }
            TimeUnit.SECONDS.sleep(3);
            require(scanner.pass().events().written(), count, "writes seen");
            settle();
            scanner.pass();
            repeat("open_connections", false);
            for (Connection connection : connections) {
                insert(connection);
            }
            PassReport report = scanner.pass();
            require(report.events().written(), count, "writes into existing WALs seen");
            note("written_open_connections", report);
        } finally {
            for (Connection connection : connections) {
                connection.close();
            }
        }
    }

    private static void require(long found, long expected, String what) {
        if (found != expected) {
            throw new IllegalStateException(what + ": " + found + " instead of " + expected);
        }
    }

    private void note(String name, PassReport report) {
        figures.put(name + "_wall_ms", round(report.wallNanos() / MILLION));
        figures.put(name + "_cpu_ms", round(report.cpuNanos() / MILLION));
        figures.put(
                name + "_calls",
                "%d directory stats, %d listings, %d file stats, %d tasks"
                        .formatted(
                                report.work().directoriesStated(),
                                report.work().directoriesListed(),
                                report.work().filesStated(),
                                report.tasks()));
    }

    /** Wall, user and system time of find over the fleet, the best of five. */
    private void find(String name, String... expression) throws IOException, InterruptedException {
        double best = Double.MAX_VALUE;
        double cpu = 0;
        for (int i = 0; i < 5; i++) {
            List<String> command = new ArrayList<>(List.of(
                    "bash", "-c", "TIMEFORMAT='%R %U %S'; time find \"$@\" >/dev/null", "bash", directory.toString()));
            command.addAll(List.of(expression));
            Process process = new ProcessBuilder(command).start();
            String[] times = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8)
                    .strip()
                    .split(" ", -1);
            require(process.waitFor(), 0, "status of find");
            if (Double.parseDouble(times[0]) < best) {
                best = Double.parseDouble(times[0]);
                cpu = Double.parseDouble(times[1]) + Double.parseDouble(times[2]);
            }
        }
        figures.put(name + "_wall_ms", round(best * 1000));
        figures.put(name + "_cpu_ms", round(cpu * 1000));
    }

    private static double round(double value) {
        return Math.round(value * 10) / 10.0;
    }

    private static String json(Map<String, Object> figures) {
        return figures.entrySet().stream()
                .map(figure -> String.format(
                        Locale.ROOT,
                        figure.getValue() instanceof Number ? "\"%s\": %s" : "\"%s\": \"%s\"",
                        figure.getKey(),
                        figure.getValue()))
                .collect(Collectors.joining(", ", "{", "}"));
    }

    private static void delete(Path directory) throws IOException {
        try (var files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
