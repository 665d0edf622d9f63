package io.loomstream.perf.restore;

import io.loomstream.engine.testing.s3.S3Server;
import io.loomstream.perf.server.ServerProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Restores one database of random bytes, which hardly compress, from a file replica and from S3Proxy in a process of its own,
 * beside a {@code cp} with {@code sync} of the same file in the same run: megabytes of the database a second, from the start
 * of the process to its end, and the most memory that it had resident.
 *
 * <p>Run after {@code make build}: {@code scripts/perf-java.sh io.loomstream.perf.restore.RestoreSpeed [MB]}, 1000 without an
 * argument; {@code -Dloomstream.seed=} repeats the content. Takes five times that much disk below the directory for temporary
 * files. Not measured: a network, TLS, a cold page cache.
 */
public final class RestoreSpeed {
    private static final int ROW_BYTES = 3_500;
    private static final int ROWS_PER_TRANSACTION = 2_000;

    private final Path directory;
    private final Path database;
    private final List<Figure> figures = new ArrayList<>();

    /**
     * One way to get the database.
     *
     * @param identical whether it is the source, byte for byte
     */
    private record Figure(String what, double mbPerSecond, long peakRssKb, boolean identical) {}

    private RestoreSpeed(Path directory) {
        this.directory = directory;
        this.database = directory.resolve("source.db");
    }

    public static void main(String[] args) throws Exception {
        if (args.length == 2 && args[0].equals("serve")) {
            serve(Path.of(args[1]));
            return;
        }
        int megabytes = args.length == 0 ? 1000 : Integer.parseInt(args[0]);
        long seed = Long.getLong("loomstream.seed", System.nanoTime());
        System.out.println("seed " + seed);
        Path directory = Files.createTempDirectory("restore-speed");
        boolean good;
        try {
            good = new RestoreSpeed(directory).run(megabytes, seed);
        } finally {
            delete(directory);
        }
        if (!good) {
            System.exit(1);
        }
    }

    /** An S3 server that says its port and ends with its input. */
    private static void serve(Path objects) throws Exception {
        try (S3Server server = S3Server.in(objects)) {
            System.out.println("port=" + server.port());
            while (System.in.read() >= 0) {
                // Nobody has anything to say; the end is what counts.
            }
        }
        System.exit(0); // its threads would stay
    }

    private boolean run(int megabytes, long seed) throws Exception {
        fill(megabytes, seed);
        Path objects = Files.createDirectory(directory.resolve("objects"));
        Process server = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+UseSerialGC",
                        "-Xmx1g",
                        "-XX:-UsePerfData",
                        "-cp",
                        System.getProperty("java.class.path"),
                        RestoreSpeed.class.getName(),
                        "serve",
                        objects.toString())
                .redirectError(directory.resolve("s3.log").toFile())
                .start();
        try {
            Path file = config("file", "type: file", "path: " + directory.resolve("replica"));
            Path s3 = config(
                    "s3",
                    "type: s3",
                    "endpoint: http://127.0.0.1:" + port(server),
                    "bucket: " + S3Server.BUCKET,
                    "path: restore-speed",
                    "access-key-id: " + S3Server.ACCESS_KEY_ID,
                    "secret-access-key: " + S3Server.SECRET_ACCESS_KEY);
            for (Path config : List.of(file, s3)) {
                loomstream("replicate", "-once", "-config", config.toString());
                checkpoint();
            }
            measure("cp", directory.resolve("copy.db"), List.of("/bin/sh", "-c", "cp \"$0\" \"$1\" && sync \"$1\""));
            restore("restore from file", file);
            restore("restore from s3", s3);
        } finally {
            server.destroyForcibly().waitFor();
        }
        print(seed);
        return figures.stream().allMatch(Figure::identical);
    }

    private void fill(int megabytes, long seed) throws SQLException {
        Random random = new Random(seed);
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
                Statement statement = connection.createStatement()) {
            statement.execute("pragma journal_mode=wal");
            statement.execute("create table t(id integer primary key, content blob)");
            connection.setAutoCommit(false);
            try (PreparedStatement insert = connection.prepareStatement("insert into t(content) values (?)")) {
                byte[] content = new byte[ROW_BYTES];
                // A row has a page to itself.
                long rows = megabytes * 1_000_000L / 4096;
                for (long row = 1; row <= rows; row++) {
                    random.nextBytes(content);
                    insert.setBytes(1, content);
                    insert.executeUpdate();
                    if (row % ROWS_PER_TRANSACTION == 0) {
                        connection.commit();
                    }
                }
            }
            connection.commit();
        }
    }

    /** So that the file alone is the database, as a restored one is. */
    private void checkpoint() throws SQLException {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
                Statement statement = connection.createStatement()) {
            statement.execute("pragma wal_checkpoint(truncate)");
        }
    }

    private static String port(Process server) throws IOException {
        var lines = server.inputReader(StandardCharsets.UTF_8);
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            if (line.startsWith("port=")) {
                return line.substring("port=".length());
            }
        }
        throw new IOException("the S3 server did not start");
    }

    /** Each with a meta directory of its own: one does not know of the other's replica. */
    private Path config(String name, String... replica) throws IOException {
        StringBuilder text = new StringBuilder("dbs:\n  - path: " + database + "\n    meta-path: "
                + directory.resolve("meta-" + name) + "\n    replica:\n");
        for (String line : replica) {
            text.append("      ").append(line).append('\n');
        }
        return Files.writeString(directory.resolve(name + ".yml"), text);
    }

    private void loomstream(String... words) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(ServerProcess.launcher().toString()));
        command.addAll(List.of(words));
        start(command).succeeded();
    }

    private void restore(String what, Path config) throws IOException, InterruptedException {
        Path output = directory.resolve("restored.db");
        measure(
                what,
                output,
                List.of(
                        ServerProcess.launcher().toString(),
                        "restore",
                        "-config",
                        config.toString(),
                        "-o",
                        output.toString(),
                        database.toString()));
    }

    private void measure(String what, Path output, List<String> command) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>(command);
        if (what.equals("cp")) {
            words.addAll(List.of(database.toString(), output.toString()));
        }
        long start = System.nanoTime();
        long peakRssKb = start(words).succeeded();
        double seconds = (System.nanoTime() - start) / (double) TimeUnit.SECONDS.toNanos(1);
        boolean identical = Files.mismatch(database, output) == -1;
        figures.add(new Figure(what, Files.size(database) / 1e6 / seconds, peakRssKb, identical));
        Files.delete(output);
    }

    private Running start(List<String> command) throws IOException {
        Path log = directory.resolve("output.log");
        return new Running(
                command,
                log,
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile())
                        .start());
    }

    /** A process whose memory is looked at until it ends; the kernel keeps the peak, so the last look is the one that counts. */
    private record Running(List<String> command, Path log, Process process) {
        /** Waits; the most memory that was resident, kB; of a shell, without its children. */
        long succeeded() throws IOException, InterruptedException {
            long peak = 0;
            while (!process.waitFor(5, TimeUnit.MILLISECONDS)) {
                peak = Math.max(peak, peakRssKb());
            }
            if (process.exitValue() != 0) {
                throw new IOException(command + " ended with " + process.exitValue() + ": " + Files.readString(log));
            }
            return peak;
        }

        private long peakRssKb() {
            try (Stream<String> lines = Files.lines(Path.of("/proc/" + process.pid() + "/status"))) {
                return lines.filter(line -> line.startsWith("VmHWM:"))
                        .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                        .findFirst()
                        .orElse(0);
            } catch (IOException | UncheckedIOException ended) {
                return 0;
            }
        }
    }

    private void print(long seed) throws IOException, InterruptedException {
        StringBuilder json = new StringBuilder();
        long bytes = Files.size(database);
        json.append(String.format(
                Locale.ROOT,
                "{\"bench\":\"restore-speed\",\"bytes\":%d,\"seed\":%d,\"commit\":\"%s\"",
                bytes,
                seed,
                commit()));
        for (Figure figure : figures) {
            System.out.printf(
                    Locale.ROOT,
                    "%-18s %8.1f MB/s   peak RSS %6.1f MB   %s%n",
                    figure.what(),
                    figure.mbPerSecond(),
                    figure.peakRssKb() / 1e3,
                    figure.identical() ? "identical" : "DIFFERENT");
            String key = figure.what().replace("restore from ", "restore_");
            json.append(String.format(
                    Locale.ROOT,
                    ",\"%s_mb_per_s\":%.1f,\"%s_peak_rss_kb\":%d,\"%s_identical\":%b",
                    key,
                    figure.mbPerSecond(),
                    key,
                    figure.peakRssKb(),
                    key,
                    figure.identical()));
        }
        System.out.println(json.append('}'));
    }

    private static String commit() throws IOException, InterruptedException {
        Process git = new ProcessBuilder("git", "rev-parse", "--short", "HEAD")
                .directory(ServerProcess.checkout().toFile())
                .redirectErrorStream(true)
                .start();
        String answer = new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        return git.waitFor() == 0 ? answer : "unknown";
    }

    private static void delete(Path directory) throws IOException {
        List<Path> all;
        try (Stream<Path> files = Files.walk(directory)) {
            all = new ArrayList<>(files.toList());
        }
        for (Path path : all.reversed()) {
            Files.deleteIfExists(path);
        }
    }
}
