package io.loomstream.perf.demo;

import io.loomstream.app.config.LoggingConfig;
import io.loomstream.app.logging.Loggers;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.ReplicaFile;
import io.loomstream.perf.check.ChainCheck;
import io.loomstream.perf.check.PageCompare;
import io.loomstream.perf.server.Directories;
import io.loomstream.perf.server.S3Store;
import io.loomstream.perf.server.ServerProcess;
import io.loomstream.perf.writer.Assignment;
import io.loomstream.perf.writer.Habit;
import io.loomstream.perf.writer.WriterMain;
import io.loomstream.perf.writer.WriterProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * A host is lost and another takes over, in {@code failover-data}: a fleet is replicated to S3; server and applications are
 * killed at one moment and all local files taken away; one command restores the fleet, its hot databases first; a server on
 * the restored files goes on with the same TXIDs.
 */
public final class FailoverDemo {
    private static final int HOT = 10;
    private static final int COLD = 50;
    private static final int WRITE_SECONDS = 8;
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(120);
    private static final String ROOT = "fleet";
    private static final String INSTANCE = "node-1";

    private final Path directory;
    private final S3Store store;
    private final List<Tenant> hot = new ArrayList<>();
    private final List<Tenant> all = new ArrayList<>();

    /** A database, by its path below {@code data}, and where its replica is. */
    private record Tenant(Path path, String replica) {}

    /** What the demo looked for did not come about. */
    private static final class FailedException extends Exception {
        private static final long serialVersionUID = 1L;

        FailedException(String message) {
            super(message);
        }
    }

    private FailoverDemo(Path directory, S3Store store) {
        this.directory = directory;
        this.store = store;
        for (int i = 1; i <= HOT + COLD; i++) {
            String project = "project-" + (char) ('a' + i % 3);
            String tenant = "tenant-%02d".formatted(i);
            Path path = Path.of(project, "databases", "main", "branches", "dev", "tenants", tenant + ".db");
            all.add(new Tenant(path, ROOT + "/" + project + "/main/dev/" + tenant));
        }
        hot.addAll(all.subList(0, HOT));
    }

    public static void main(String[] args) throws Exception {
        Path directory = ServerProcess.checkout().resolve("failover-data");
        Directories.clear(directory);
        Loggers.ofProcess().configure(LoggingConfig.defaults().withLevel(org.slf4j.event.Level.WARN), System.err);
        boolean pass;
        try (S3Store store = S3Store.start(directory.resolve("s3"))) {
            new FailoverDemo(directory, store).run();
            pass = true;
        } catch (FailedException e) {
            say("FAIL: " + e.getMessage());
            pass = false;
        }
        System.exit(pass ? 0 : 1);
    }

    private void run() throws Exception {
        Path config = writeConfig();
        loseTheHost(config);
        Map<Tenant, Txid> newest = newest();
        restore(config, hot.size() + COLD);
        compareWithTheLostHost();
        goOn(config, newest);
        restoreAgain(config);
        System.out.printf(
                "PASS: %d databases restored, %d of them were hot; the server went on where the lost one ended%n",
                all.size(), hot.size());
    }

    private Path data() {
        return directory.resolve("data");
    }

    private Path lost() {
        return directory.resolve("lost-host");
    }

    private Path writeConfig() throws IOException {
        List<String> lines = new ArrayList<>(List.of(
                "instance: " + INSTANCE,
                "state-dir: " + directory.resolve("state"),
                "admin: {addr: off}",
                "multi-db:",
                "  enabled: true",
                "  patterns: ['" + data() + "/*/databases/*/branches/*/tenants/*.db']",
                "  scan-interval: 1s",
                "  hot-duration: 3s",
                "  replica-template:",
                "    type: s3",
                "    path: '" + ROOT + "/{{project}}/{{database}}/{{branch}}/{{tenant}}'"));
        store.top().forEach(line -> lines.add("    " + line));
        Path config = directory.resolve("loomstream.yml");
        Files.write(config, lines);
        return config;
    }

    private void loseTheHost(Path config) throws Exception {
        say("making " + all.size() + " databases in " + data());
        for (Tenant tenant : all) {
            Path path = data().resolve(tenant.path());
            Files.createDirectories(path.getParent());
            WriterMain.create(path);
            WriterMain.ballast(path, 20_000);
        }
        say("starting the server: replicas go to " + store.describe());
        try (ServerProcess server = replicate(config)) {
            await(
                    "all databases are on S3",
                    () -> all.stream().noneMatch(tenant -> files(tenant).isEmpty()));
            try (WriterProcess writers = write(1)) {
                await("the list on S3 names the %d hot databases, and no other".formatted(HOT), this::hotListIsRight);
                TimeUnit.SECONDS.sleep(WRITE_SECONDS);
                say("kill -9: the server, and the applications after %,d transactions".formatted(writers.commits()));
                server.kill();
                writers.kill();
            }
        }
        say("the host is lost: neither databases nor state are there (they are in " + lost() + ", to compare)");
        Files.createDirectories(lost());
        Files.move(data(), lost().resolve("data"));
        Files.move(directory.resolve("state"), lost().resolve("state"));
    }

    private boolean hotListIsRight() {
        Path list = directory.resolve("s3/fixture").resolve(ROOT).resolve("_loomstream/" + INSTANCE + "/hot-list.json");
        try {
            String text = Files.exists(list) ? Files.readString(list) : "";
            return all.stream().allMatch(tenant -> text.contains(tenant.path().toString()) == hot.contains(tenant));
        } catch (IOException replacedMeanwhile) {
            return false;
        }
    }

    private WriterProcess write(long seed) throws IOException {
        List<Habit> habits = List.of(Habit.values());
        List<Assignment> assignments = new ArrayList<>();
        for (int i = 0; i < hot.size(); i++) {
            Habit habit = habits.get(i % habits.size());
            assignments.add(new Assignment(habit, data().resolve(hot.get(i).path())));
        }
        return WriterProcess.java(assignments, seed);
    }

    private ServerProcess replicate(Path config) throws IOException, FailedException, InterruptedException {
        ServerProcess server =
                ServerProcess.replicate(ServerProcess.launcher(), config, directory.resolve("server.log"));
        while (!server.ready()) {
            if (!server.alive()) {
                throw new FailedException("the server did not start:\n" + server.output());
            }
            TimeUnit.MILLISECONDS.sleep(20);
        }
        return server;
    }

    private void restore(Path config, int databases) throws Exception {
        say("one command brings it back: bin/loomstream restore -config failover-data/loomstream.yml -hot-first");
        long began = System.nanoTime();
        Path log = directory.resolve("restore.log");
        try (ServerProcess restore = ServerProcess.start(
                log, ServerProcess.launcher(), "restore", "-config", config.toString(), "-hot-first")) {
            int status = restore.waitFor();
            if (status != 0) {
                throw new FailedException("restore ended with " + status + ":\n" + restore.output());
            }
        }
        say("restored %d databases in %,d ms"
                .formatted(databases, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began)));
    }

    /** Cold databases are what they were; of a hot one the last second may be missing, and nothing else. */
    private void compareWithTheLostHost() throws Exception {
        long missing = 0;
        long transactions = 0;
        for (Tenant tenant : all) {
            Path source = lost().resolve("data").resolve(tenant.path());
            Path restored = data().resolve(tenant.path());
            ChainCheck.Result result = ChainCheck.check(restored);
            if (hot.contains(tenant)) {
                long lost = ChainCheck.missing(source, restored);
                missing += lost;
                transactions += result.transactions();
            } else {
                Optional<String> difference = PageCompare.difference(source, restored);
                if (difference.isPresent()) {
                    throw new FailedException(tenant.path() + ": " + difference.orElseThrow());
                }
            }
        }
        say(
                "cold databases are identical; of hot ones %,d transactions are there and the last %,d before the kill are not"
                        .formatted(transactions, missing));
    }

    private void goOn(Path config, Map<Tenant, Txid> newest) throws Exception {
        say("a server and the applications start on the restored files");
        int status;
        try (ServerProcess server = replicate(config)) {
            try (WriterProcess writers = write(2)) {
                await(
                        "all hot databases are replicated again",
                        () -> hot.stream()
                                .allMatch(tenant -> !files(
                                                tenant,
                                                newest.getOrDefault(tenant, Txid.ZERO)
                                                        .next())
                                        .isEmpty()));
                TimeUnit.SECONDS.sleep(2);
                writers.stop();
            }
            status = server.stop();
        }
        if (status != 0) {
            throw new FailedException("the second server ended with " + status + ": see server.log");
        }
        for (Tenant tenant : all) {
            Txid end = newest.getOrDefault(tenant, Txid.ZERO);
            List<ReplicaFile> more = files(tenant, end.next());
            for (ReplicaFile file : more) {
                if (!file.range().min().equals(end.next())) {
                    throw new FailedException(tenant.path() + ": " + file.range() + " follows " + end);
                }
                end = file.range().max();
            }
        }
        say("the same TXIDs go on in each of them, without a gap");
    }

    private void restoreAgain(Path config) throws Exception {
        Path before = directory.resolve("before");
        Files.move(data(), before);
        restore(config, all.size());
        for (Tenant tenant : all) {
            Optional<String> difference =
                    PageCompare.difference(before.resolve(tenant.path()), data().resolve(tenant.path()));
            if (difference.isPresent()) {
                throw new FailedException(tenant.path() + ": " + difference.orElseThrow());
            }
        }
        say("after an orderly stop all " + all.size() + " are identical");
    }

    private Map<Tenant, Txid> newest() {
        Map<Tenant, Txid> newest = new HashMap<>();
        for (Tenant tenant : all) {
            newest.put(tenant, files(tenant).getLast().range().max());
        }
        return newest;
    }

    private List<ReplicaFile> files(Tenant tenant) {
        return files(tenant, Txid.ZERO);
    }

    private List<ReplicaFile> files(Tenant tenant, Txid from) {
        return store.client(tenant.replica()).list(Level.L0, from);
    }

    private static void await(String what, BooleanSupplier holds) throws FailedException, InterruptedException {
        long began = System.nanoTime();
        while (!holds.getAsBoolean()) {
            if (System.nanoTime() - began > PATIENCE_NANOS) {
                throw new FailedException("waited for two minutes until " + what);
            }
            TimeUnit.MILLISECONDS.sleep(200);
        }
        say(what + ", after %,d ms".formatted(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began)));
    }

    private static void say(String line) {
        System.out.println(line);
    }
}
