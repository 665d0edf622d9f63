package io.loomstream.perf.demo;

import io.loomstream.app.config.LoggingConfig;
import io.loomstream.app.logging.Loggers;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.ReplicaFile;
import io.loomstream.perf.check.ChainCheck;
import io.loomstream.perf.check.PageCompare;
import io.loomstream.perf.server.Directories;
import io.loomstream.perf.server.DirectoryStore;
import io.loomstream.perf.server.Fleet;
import io.loomstream.perf.server.ReplicaStore;
import io.loomstream.perf.server.S3Store;
import io.loomstream.perf.server.ServerProcess;
import io.loomstream.perf.writer.Assignment;
import io.loomstream.perf.writer.Habit;
import io.loomstream.perf.writer.WriterMain;
import io.loomstream.perf.writer.WriterProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * The main job from end to end, in {@code demo-data}: databases that applications write to are replicated by a server to S3,
 * or to a directory with {@code REPLICA=file}; the server is then stopped; every database is restored from its replica and
 * compared with its source.
 */
public final class Demo {
    private static final int DATABASES = 20;
    private static final int WRITE_SECONDS = 15;

    private final Path directory;
    private final Fleet fleet;
    private final ReplicaStore store;
    private final List<Habit> habits = List.of(Habit.values());

    private Demo(Path directory, ReplicaStore store) {
        this.directory = directory;
        this.fleet = Fleet.of(directory, DATABASES);
        this.store = store;
    }

    public static void main(String[] args) throws Exception {
        Path directory = ServerProcess.checkout().resolve("demo-data");
        Directories.clear(directory);
        // S3Proxy has much to say about its start.
        Loggers.ofProcess().configure(LoggingConfig.defaults().withLevel(org.slf4j.event.Level.WARN), System.err);
        boolean pass;
        try (ReplicaStore store = store(directory)) {
            pass = new Demo(directory, store).run();
        }
        System.exit(pass ? 0 : 1);
    }

    private static ReplicaStore store(Path directory) throws Exception {
        String kind = System.getenv().getOrDefault("REPLICA", "s3");
        return switch (kind) {
            case "s3" -> S3Store.start(directory.resolve("s3"));
            case "file" -> new DirectoryStore(directory.resolve("replica"));
            default -> throw new IllegalArgumentException("REPLICA is s3 or file, not " + kind);
        };
    }

    private boolean run() throws Exception {
        Files.createDirectories(directory.resolve("data"));
        say("making " + DATABASES + " databases in " + directory);
        for (Path database : fleet.databases()) {
            WriterMain.create(database);
        }
        say("replicas go to " + store.describe());
        Path config = fleet.writeConfig(store, List.of(), List.of());
        Path log = directory.resolve("server.log");
        say(
                "starting the server: bin/loomstream replicate -config demo-data/loomstream.yml (log: demo-data/server.log)");
        try (ServerProcess server = ServerProcess.replicate(ServerProcess.launcher(), config, log)) {
            try (WriterProcess writers = WriterProcess.java(assignments(), 1)) {
                while (!server.ready() || writers.commits() == 0) {
                    TimeUnit.MILLISECONDS.sleep(20);
                    if (!server.alive() || !writers.alive()) {
                        System.out.println(server.output());
                        say("FAIL: the server or the writers did not start");
                        return false;
                    }
                }
                progress(writers, server);
                say("stopping the writers");
                writers.stop();
            }
            say("stopping the server (SIGTERM)");
            int status = server.stop();
            if (status != 0) {
                System.out.println(server.output());
                say("FAIL: the server ended with " + status + ": not everything reached the replicas");
                return false;
            }
        }
        return restoreAndCompare(config);
    }

    private List<Assignment> assignments() {
        List<Assignment> assignments = new ArrayList<>();
        for (int i = 0; i < fleet.databases().size(); i++) {
            assignments.add(new Assignment(habit(i), fleet.databases().get(i)));
        }
        return assignments;
    }

    private Habit habit(int index) {
        return habits.get(index % habits.size());
    }

    private void progress(WriterProcess writers, ServerProcess server) throws IOException, InterruptedException {
        for (int second = 1; second <= WRITE_SECONDS && server.alive(); second++) {
            TimeUnit.SECONDS.sleep(1);
            long files = 0;
            for (Path database : fleet.databases()) {
                files += files(database).size();
            }
            say("writing: %2d s of %d, %,d transactions committed, %,d LTX files in the replicas"
                    .formatted(second, WRITE_SECONDS, writers.commits(), files));
        }
    }

    private List<ReplicaFile> files(Path database) {
        return store.client(database).list(Level.L0, Txid.ZERO);
    }

    private boolean restoreAndCompare(Path config) throws Exception {
        say("restoring every database and comparing it with its source");
        String row = "%-12s  %-18s  %12s  %9s  %10s  %8s  %s%n";
        System.out.printf(row, "database", "habit", "transactions", "LTX files", "bytes", "restored", "identical");
        int identical = 0;
        long transactions = 0;
        for (int i = 0; i < fleet.databases().size(); i++) {
            Path database = fleet.databases().get(i);
            List<ReplicaFile> files = files(database);
            long bytes = files.stream().mapToLong(ReplicaFile::sizeBytes).sum();
            Path output =
                    directory.resolve("restored").resolve(database.getFileName().toString());
            long began = System.nanoTime();
            int status = restore(config, database, output);
            long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
            String verdict = status == 0 ? verdict(database, output) : "restore failed, status " + status;
            long count = status == 0 && verdict.equals("yes")
                    ? ChainCheck.check(output).transactions()
                    : 0;
            identical += verdict.equals("yes") ? 1 : 0;
            transactions += count;
            System.out.printf(
                    Locale.ROOT,
                    row,
                    database.getFileName(),
                    habit(i),
                    "%,d".formatted(count),
                    "%,d".formatted(files.size()),
                    "%,d".formatted(bytes),
                    millis + " ms",
                    verdict);
        }
        boolean pass = identical == DATABASES;
        System.out.printf(
                "%s: %d of %d databases restored identical to their source, %,d transactions%n",
                pass ? "PASS" : "FAIL", identical, DATABASES, transactions);
        return pass;
    }

    private int restore(Path config, Path database, Path output) throws IOException, InterruptedException {
        try (ServerProcess restore = ServerProcess.start(
                directory.resolve("restore.log"),
                ServerProcess.launcher(),
                "restore",
                "-config",
                config.toString(),
                "-o",
                output.toString(),
                database.toString())) {
            return restore.waitFor();
        }
    }

    private static String verdict(Path database, Path output) throws IOException, SQLException {
        try {
            ChainCheck.check(output);
        } catch (ChainCheck.BrokenException e) {
            return "NO: " + e.getMessage();
        }
        Optional<String> difference = PageCompare.difference(database, output);
        return difference.map(text -> "NO: " + text).orElse("yes");
    }

    private static void say(String line) {
        System.out.println(line);
    }
}
