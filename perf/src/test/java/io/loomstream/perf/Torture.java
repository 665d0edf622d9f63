package io.loomstream.perf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileReplicaClient;
import io.loomstream.engine.restore.Restore;
import io.loomstream.engine.restore.RestoreOutcome;
import io.loomstream.engine.restore.RestoreProgress;
import io.loomstream.engine.restore.RestoreRequest;
import io.loomstream.perf.check.ChainCheck;
import io.loomstream.perf.check.PageCompare;
import io.loomstream.perf.server.Fleet;
import io.loomstream.perf.server.ServerProcess;
import io.loomstream.perf.writer.Assignment;
import io.loomstream.perf.writer.Habit;
import io.loomstream.perf.writer.WriterMain;
import io.loomstream.perf.writer.WriterProcess;
import java.io.IOException;
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
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/**
 * Writers of every habit, in Java and Python processes, beside a server that is killed with -9 at random moments. After
 * every round each restored database is sound and, at quiescence, equal to its source to the last byte.
 *
 * <p>{@code -Dtorture.seconds=600} sets the length, {@code -Dtorture.seed=…} replays; {@code -Dtorture.directory=…} says
 * where (a failed run's files stay there).
 */
final class Torture {
    private static final long SEED = Long.getLong("torture.seed", System.nanoTime());

    private final Random random = new Random(SEED);
    private final Fleet fleet;
    private final Path log;
    private final int writtenAtOnce;
    private final long seconds;
    private final Map<Path, Long> reached = new HashMap<>();
    private int kills;
    private int restores;

    /** Writes the configuration of a fleet whose databases exist. */
    @FunctionalInterface
    interface Configuration {
        Path write(Fleet fleet) throws IOException;
    }

    private Torture(Fleet fleet, int writtenAtOnce, long seconds) {
        this.fleet = fleet;
        this.log = fleet.directory().resolve("server.log");
        this.writtenAtOnce = writtenAtOnce;
        this.seconds = seconds;
    }

    /**
     * Runs rounds.
     *
     * @param databases how many there are
     * @param writtenAtOnce how many of them are written to in a round
     * @param seconds after which no further round begins, unless {@code torture.seconds} says otherwise
     */
    static void run(int databases, int writtenAtOnce, long seconds, Configuration configuration) throws Exception {
        String where = System.getProperty("torture.directory", "");
        Path directory = where.isEmpty() ? Files.createTempDirectory("torture") : Path.of(where);
        long length = Long.getLong("torture.seconds", seconds);
        System.out.println("torture.seed=" + SEED + ", " + length + " s, in " + directory);
        Fleet fleet = Fleet.of(directory, databases);
        Files.createDirectories(fleet.databases().getFirst().getParent());
        for (Path database : fleet.databases()) {
            WriterMain.create(database);
        }
        new Torture(fleet, writtenAtOnce, length).run(configuration.write(fleet));
        delete(directory);
    }

    private void run(Path config) throws Exception {
        long end = System.nanoTime() + Duration.ofSeconds(seconds).toNanos();
        int rounds = 0;
        while (rounds == 0 || System.nanoTime() < end) {
            rounds++;
            round(config, rounds);
        }
        System.out.println("torture.seed=" + SEED + ": " + rounds + " rounds, " + kills + " kills, " + restores
                + " restores, transactions "
                + reached.values().stream().mapToLong(n -> n).sum());
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
        try (WriterProcess first = WriterProcess.java(java, SEED + number);
                WriterProcess second = WriterProcess.python(python, SEED + number)) {
            List<WriterProcess> writers = List.of(first, second);
            ServerProcess server = ServerProcess.replicate(ServerProcess.launcher(), config, log);
            try {
                for (int kill = random.nextInt(3) + 1; kill > 0; kill--) {
                    awaitCommits(writers, 50 + random.nextInt(1500), server);
                    server.kill();
                    kills++;
                    checkSome();
                    awaitCommits(writers, random.nextInt(400), null);
                    server = ServerProcess.replicate(ServerProcess.launcher(), config, log);
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
                Awaitility.await().until(server::ready);
                assertEquals(0, server.stop(), "the server could not bring everything to the replicas; see " + log);
            } finally {
                server.close();
            }
        }
        for (Path database : fleet.databases()) {
            checkAll(database);
        }
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
        RestoreOutcome outcome = Restore.from(
                        new FileReplicaClient(fleet.replica(database), FileAccess.PRIVATE), RestoreProgress.NONE)
                .run(RestoreRequest.latest(output));
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
