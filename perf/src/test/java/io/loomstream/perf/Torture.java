package io.loomstream.perf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.restore.Restore;
import io.loomstream.engine.restore.RestoreOutcome;
import io.loomstream.engine.restore.RestoreProgress;
import io.loomstream.engine.restore.RestoreRequest;
import io.loomstream.perf.check.ChainCheck;
import io.loomstream.perf.check.PageCompare;
import io.loomstream.perf.server.Fleet;
import io.loomstream.perf.server.ReplicaStore;
import io.loomstream.perf.server.ServerProcess;
import io.loomstream.perf.writer.Assignment;
import io.loomstream.perf.writer.Habit;
import io.loomstream.perf.writer.WriterMain;
import io.loomstream.perf.writer.WriterProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/** Rounds of writing, killing, restoring and comparing. */
final class Torture {
    private static final Pattern MERGED = Pattern.compile("\\bmsg=merged\\b");
    private static final Pattern SNAPSHOT = Pattern.compile("\\blevel=9\\b");
    private static final Pattern DELETED = Pattern.compile("\\bmsg=deleted\\b.*\\bfiles=(\\d+)");

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    /** Enough for an upload in parts. */
    private static final int BALLAST_BYTES = 12 << 20;

    private final long seed;
    private final Random random;
    private final Fleet fleet;
    private final ReplicaStore store;
    private final Weather weather;
    private final Configuration configuration;
    private final int writtenAtOnce;
    private final Path log;
    private final Map<Path, Long> reached = new HashMap<>();
    private int kills;
    private int restores;

    /** Writes the configuration of a fleet whose databases exist. */
    @FunctionalInterface
    interface Configuration {
        Path write(Fleet fleet, ReplicaStore store) throws IOException;
    }

    /**
     * Sets up.
     *
     * @param databases how many there are
     * @param writtenAtOnce how many of them are written to in a round
     * @param store where {@code configuration} has the replicas
     */
    Torture(
            long seed,
            Path directory,
            int databases,
            int writtenAtOnce,
            ReplicaStore store,
            Weather weather,
            Configuration configuration) {
        this.seed = seed;
        this.random = new Random(seed);
        this.fleet = Fleet.of(directory, databases);
        this.writtenAtOnce = writtenAtOnce;
        this.configuration = configuration;
        this.store = store;
        this.weather = weather;
        this.log = directory.resolve("server.log");
    }

    /** At least one round; deletes everything if all went well. */
    void run(long seconds) throws Exception {
        System.out.println("torture.seed=" + seed + ", " + seconds + " s, in " + fleet.directory());
        Files.createDirectories(fleet.databases().getFirst().getParent());
        for (Path database : fleet.databases()) {
            WriterMain.create(database);
        }
        WriterMain.ballast(fleet.databases().getFirst(), BALLAST_BYTES);
        Path config = configuration.write(fleet, store);
        long end = System.nanoTime() + Duration.ofSeconds(seconds).toNanos();
        int rounds = 0;
        while (rounds == 0 || System.nanoTime() < end) {
            rounds++;
            round(config, rounds);
        }
        System.out.println("torture.seed=" + seed + ": " + rounds + " rounds, " + kills + " kills, " + restores
                + " restores, transactions "
                + reached.values().stream().mapToLong(n -> n).sum() + ", files at levels 0 to 9 at the end "
                + filesAtLevels());
        System.out.println("torture.seed=" + seed + ": " + maintenance());
        delete(fleet.directory());
    }

    /** What compaction and retention of all server processes did, killed ones too, by the lines that they logged. */
    private String maintenance() throws IOException {
        long compactions = 0;
        long snapshots = 0;
        long deletions = 0;
        long deletedFiles = 0;
        try (Stream<String> lines = Files.lines(log, StandardCharsets.UTF_8)) {
            for (String line : (Iterable<String>) lines::iterator) {
                Matcher deleted = DELETED.matcher(line);
                if (deleted.find()) {
                    deletions++;
                    deletedFiles += Long.parseLong(deleted.group(1));
                } else if (MERGED.matcher(line).find()) {
                    boolean snapshot = SNAPSHOT.matcher(line).find();
                    snapshots += snapshot ? 1 : 0;
                    compactions += snapshot ? 0 : 1;
                }
            }
        }
        return compactions + " compactions, " + snapshots + " snapshots, " + deletions + " deletions of " + deletedFiles
                + " files";
    }

    private List<Integer> filesAtLevels() {
        List<Integer> counts = new ArrayList<>();
        for (int number = 0; number <= Level.SNAPSHOT.number(); number++) {
            Level level = new Level(number);
            counts.add(fleet.databases().stream()
                    .mapToInt(database ->
                            store.client(database).list(level, Txid.ZERO).size())
                    .sum());
        }
        return counts;
    }

    /**
     * Mostly until something was merged into a level, so that the kill hits what follows it. Where requests fail one
     * database may be left behind for long: not waited for longer than {@link #PATIENCE}.
     */
    private void awaitWork(Path database, ServerProcess server) {
        int number = List.of(0, 1, 2, 3, 9).get(random.nextInt(5));
        if (number == 0) {
            return;
        }
        Level level = new Level(number);
        Txid before = newest(database, level);
        long begun = System.nanoTime();
        Awaitility.await()
                .pollInterval(Duration.ofMillis(20))
                .atMost(Duration.ofMinutes(2))
                .until(() -> !server.alive()
                        || newest(database, level).isAfter(before)
                        || (weather.isBad() && System.nanoTime() - begun > PATIENCE.toNanos()));
    }

    private Txid newest(Path database, Level level) {
        return store.client(database).list(level, Txid.ZERO).stream()
                .map(file -> file.range().max())
                .max(Txid::compareTo)
                .orElse(Txid.ZERO);
    }

    private void round(Path config, int number) throws Exception {
        List<Assignment> java = new ArrayList<>();
        List<Assignment> python = new ArrayList<>();
        List<Habit> habits = List.of(Habit.values());
        List<Path> written = new ArrayList<>(fleet.databases());
        if (writtenAtOnce < written.size()) {
            Collections.shuffle(written, random);
            written = written.subList(0, writtenAtOnce);
        }
        for (int i = 0; i < written.size(); i++) {
            Habit habit = habits.get(i % habits.size());
            // Every database gets the other language, and so the other SQLite, in the next round.
            ((i + number) % 2 == 0 ? java : python).add(new Assignment(habit, written.get(i)));
        }
        try (WriterProcess first = WriterProcess.java(java, seed + number);
                WriterProcess second = WriterProcess.python(python, seed + number)) {
            List<WriterProcess> writers = List.of(first, second);
            ServerProcess server = ServerProcess.replicate(ServerProcess.launcher(), config, log);
            try {
                awaitReady(server);
                weather.refuse();
                awaitCommits(writers, 500, server);
                weather.turnBad();
                for (int kill = random.nextInt(3) + 1; kill > 0; kill--) {
                    awaitCommits(writers, 50 + random.nextInt(1500), server);
                    if (random.nextInt(3) > 0) {
                        weather.awaitSome();
                    }
                    awaitWork(written.getFirst(), server);
                    server.kill();
                    kills++;
                    checkSome();
                    awaitCommits(writers, random.nextInt(400), null);
                    server = ServerProcess.replicate(ServerProcess.launcher(), config, log);
                    if (random.nextInt(4) > 0) {
                        // Else it is killed while it starts, as likely as not.
                        awaitReady(server);
                    }
                }
                awaitCommits(writers, random.nextInt(1500), server);
                for (WriterProcess writer : writers) {
                    if (random.nextInt(3) == 0) {
                        writer.kill();
                    } else {
                        writer.stop()
                                .forEach((database, tally) -> assertEquals(
                                        0,
                                        tally.corrupt() + tally.protocol() + tally.other(),
                                        database + ": " + tally));
                    }
                }
                weather.clear();
                awaitReady(server);
                assertEquals(0, server.stop(), "the server could not bring everything to the replicas; see " + log);
            } finally {
                server.close();
            }
        }
        for (Path database : fleet.databases()) {
            checkAll(database);
        }
    }

    private static void awaitReady(ServerProcess server) {
        Awaitility.await().atMost(Duration.ofMinutes(1)).until(server::ready);
    }

    private static void awaitCommits(List<WriterProcess> writers, int more, @Nullable ServerProcess server) {
        long goal = writers.stream().mapToLong(WriterProcess::commits).sum() + more;
        Awaitility.await()
                .pollInterval(Duration.ofMillis(10))
                .atMost(Duration.ofMinutes(2))
                .until(() -> (server == null || server.alive())
                        && writers.stream().allMatch(WriterProcess::alive)
                        && writers.stream().mapToLong(WriterProcess::commits).sum() >= goal);
    }

    /** While writers go on: what has reached a replica is a sound state, no older than the one before. */
    private void checkSome() throws Exception {
        Path database = fleet.databases().get(random.nextInt(fleet.databases().size()));
        Optional<Path> restored = restore(database);
        if (restored.isPresent()) {
            check(database, restored.get());
            Files.delete(restored.get());
        }
    }

    private void checkAll(Path database) throws Exception {
        Path restored = restore(database).orElseThrow(() -> new AssertionError("no replica of " + database));
        check(database, restored);
        Optional<String> difference = PageCompare.difference(database, restored);
        assertEquals(Optional.empty(), difference, database + " and " + restored);
        Files.delete(restored);
    }

    private void check(Path database, Path restored) throws Exception {
        long transactions = ChainCheck.check(restored).transactions();
        long before = reached.getOrDefault(database, 0L);
        if (transactions < before) {
            throw new AssertionError(database + ": restored to transaction " + transactions + ", earlier to " + before);
        }
        reached.put(database, transactions);
    }

    private Optional<Path> restore(Path database) throws Exception {
        restores++;
        Path output = fleet.directory().resolve("restored-" + database.getFileName());
        Files.deleteIfExists(output);
        RestoreOutcome outcome =
                Restore.from(store.client(database), RestoreProgress.NONE).run(RestoreRequest.latest(output));
        if (outcome instanceof RestoreOutcome.NotAvailable) {
            return Optional.empty();
        }
        assertInstanceOf(RestoreOutcome.Restored.class, outcome, database.toString());
        return Optional.of(output);
    }

    private static void delete(Path directory) throws Exception {
        try (var files = Files.walk(directory)) {
            for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
