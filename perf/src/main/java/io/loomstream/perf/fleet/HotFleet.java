package io.loomstream.perf.fleet;

import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileReplicaClient;
import io.loomstream.perf.server.Fleet;
import io.loomstream.perf.server.ServerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.sqlite.SQLiteConfig;

/**
 * Memory of {@code replicate} with hot databases: each has an application connected that writes one row a second. For
 * each count among the arguments a fresh server; then what one more hot database costs. Linux only.
 */
public final class HotFleet {
    private static final int SETTLE_SECONDS = Integer.getInteger("hotfleet.seconds", 45);

    private HotFleet() {}

    private record Figures(int databases, double rssMb, double anonymousMb, int descriptors, int threads, double cpu) {}

    public static void main(String[] args) throws Exception {
        List<Figures> all = new ArrayList<>();
        for (String count : args.length == 0 ? new String[] {"1", "1000"} : args) {
            all.add(measure(Integer.parseInt(count)));
        }
        if (all.size() > 1) {
            Figures few = all.getFirst();
            Figures many = all.getLast();
            System.out.printf(
                    Locale.ROOT,
                    "one more hot database costs %.1f KB%n",
                    (many.rssMb() - few.rssMb()) * 1024 / (many.databases() - few.databases()));
        }
    }

    private static Figures measure(int count) throws Exception {
        Path directory = Files.createTempDirectory("hot-fleet");
        List<Connection> connections = new ArrayList<>();
        try {
            Fleet fleet = Fleet.of(directory, count);
            Files.createDirectories(fleet.databases().getFirst().getParent());
            for (Path database : fleet.databases()) {
                connections.add(open(database));
            }
            Path config = fleet.writeConfig(List.of(), List.of());
            try (ServerProcess server =
                    ServerProcess.replicate(ServerProcess.launcher(), config, directory.resolve("server.log"))) {
                while (!server.ready()) {
                    TimeUnit.MILLISECONDS.sleep(10);
                }
                // The first third is the start: first copies, classes, compilation.
                write(connections, SETTLE_SECONDS / 3);
                double cpuBefore = cpuSeconds(server.pid());
                write(connections, SETTLE_SECONDS - SETTLE_SECONDS / 3);
                double cpu = (cpuSeconds(server.pid()) - cpuBefore) / (SETTLE_SECONDS - SETTLE_SECONDS / 3);
                Figures figures = figures(count, server.pid(), 100 * cpu);
                System.out.printf(
                        Locale.ROOT,
                        "%d hot: RSS %.1f MB, anonymous %.1f MB, %d descriptors, %d threads, %.0f %% of a core%n",
                        count,
                        figures.rssMb(),
                        figures.anonymousMb(),
                        figures.descriptors(),
                        figures.threads(),
                        figures.cpu());
                int status = server.stop();
                requireReplicated(fleet, status);
                return figures;
            }
        } finally {
            for (Connection connection : connections) {
                connection.close();
            }
            delete(directory);
        }
    }

    private static Connection open(Path database) throws SQLException {
        SQLiteConfig config = new SQLiteConfig();
        config.setJournalMode(SQLiteConfig.JournalMode.WAL);
        config.setBusyTimeout(5000);
        Connection connection = config.createConnection("jdbc:sqlite:" + database);
        execute(connection, "create table t (id integer primary key, v blob)");
        return connection;
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** One row a second into each, spread over the second. */
    private static void write(List<Connection> connections, int seconds) throws SQLException, InterruptedException {
        long start = System.nanoTime();
        long done = 0;
        long total = (long) seconds * connections.size();
        while (done < total) {
            long due = start + done * 1_000_000_000L / connections.size();
            long wait = due - System.nanoTime();
            if (wait > 0) {
                TimeUnit.NANOSECONDS.sleep(wait);
            }
            execute(connections.get((int) (done % connections.size())), "insert into t (v) values (randomblob(100))");
            done++;
        }
    }

    private static double cpuSeconds(long pid) throws IOException {
        String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
        return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / 100.0;
    }

    private static Figures figures(int count, long pid, double cpuPercent) throws IOException {
        Path proc = Path.of("/proc", Long.toString(pid));
        String status = Files.readString(proc.resolve("status"));
        int descriptors;
        try (var fds = Files.list(proc.resolve("fd"))) {
            descriptors = (int) fds.count();
        }
        return new Figures(
                count,
                kilobytes(status, "VmRSS:") / 1024.0,
                kilobytes(status, "RssAnon:") / 1024.0,
                descriptors,
                (int) kilobytes(status, "Threads:"),
                cpuPercent);
    }

    private static long kilobytes(String status, String field) {
        String line = status.lines()
                .filter(candidate -> candidate.startsWith(field))
                .findFirst()
                .orElseThrow();
        return Long.parseLong(line.replaceAll("[^0-9]", ""));
    }

    private static void requireReplicated(Fleet fleet, int status) {
        for (Path database : fleet.databases()) {
            int files = new FileReplicaClient(fleet.replica(database), FileAccess.PRIVATE)
                    .list(Level.L0, Txid.ZERO)
                    .size();
            if (status != 0 || files < 2) {
                throw new IllegalStateException(database + ": " + files + " files in the replica, status " + status);
            }
        }
    }

    private static void delete(Path directory) throws IOException {
        try (var files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
