package io.loomstream.perf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.perf.server.Fleet;
import io.loomstream.perf.server.ServerProcess;
import io.loomstream.perf.writer.Assignment;
import io.loomstream.perf.writer.Habit;
import io.loomstream.perf.writer.Tally;
import io.loomstream.perf.writer.WriterMain;
import io.loomstream.perf.writer.WriterProcess;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Writers meet no error beside a server that they would not meet without, and their WALs restart while they write. */
class ApplicationUnhurtIT {
    private static final long SEED = Long.getLong("unhurt.seed", System.nanoTime());
    private static final int COMMITS = 1200;
    private static final int WAL_HEADER_SEQUENCE = 12;

    @TempDir
    Path directory;

    @Test
    void writersSeeNoErrorThatTheyWouldNotSeeAlone() throws Exception {
        System.out.println("unhurt.seed=" + SEED);
        Map<Habit, Tally> alone = new TreeMap<>();
        Fleet first = fleet("alone");
        try (WriterProcess java = WriterProcess.java(assignments(first, 0), SEED);
                WriterProcess python = WriterProcess.python(assignments(first, 1), SEED)) {
            awaitCommits(java, python, COMMITS);
            stop(java, alone);
            stop(python, alone);
        }
        Map<Habit, Tally> beside = new TreeMap<>();
        Fleet second = fleet("beside");
        Path config = second.writeConfig(List.of("monitor-interval: 250ms"), List.of());
        Path log = second.directory().resolve("server.log");
        Path longLived = second.databases().getFirst();
        try (ServerProcess server = ServerProcess.replicate(ServerProcess.launcher(), config, log);
                WriterProcess java = WriterProcess.java(assignments(second, 0), SEED);
                WriterProcess python = WriterProcess.python(assignments(second, 1), SEED)) {
            Awaitility.await().until(server::ready);
            awaitCommits(java, python, COMMITS);
            int before = walSequence(longLived);
            Awaitility.await().atMost(Duration.ofSeconds(90)).until(() -> walSequence(longLived) > before + 1);
            stop(java, beside);
            stop(python, beside);
            assertEquals(0, server.stop(), server.output());
        }
        alone.forEach((habit, tally) -> {
            Tally with = beside.get(habit);
            System.out.println(habit + " alone: " + tally + "; beside the server: " + with);
            assertTrue(with.busy() <= tally.busy(), habit + ": SQLITE_BUSY " + with);
            assertTrue(with.corrupt() <= tally.corrupt(), habit + ": SQLITE_CORRUPT " + with);
            assertTrue(with.protocol() <= tally.protocol(), habit + ": SQLITE_PROTOCOL " + with);
            assertTrue(with.other() <= tally.other(), habit + ": other errors " + with);
        });
    }

    private Fleet fleet(String name) throws Exception {
        Fleet fleet = Fleet.of(directory.resolve(name), Habit.values().length);
        Files.createDirectories(fleet.databases().getFirst().getParent());
        for (Path database : fleet.databases()) {
            WriterMain.create(database);
        }
        return fleet;
    }

    /** Every other habit in the other language. */
    private static List<Assignment> assignments(Fleet fleet, int parity) {
        List<Habit> habits = List.of(Habit.values());
        List<Assignment> assignments = new ArrayList<>();
        for (int i = parity; i < habits.size(); i += 2) {
            assignments.add(new Assignment(habits.get(i), fleet.databases().get(i)));
        }
        return assignments;
    }

    private static void awaitCommits(WriterProcess java, WriterProcess python, int each) {
        Awaitility.await()
                .atMost(Duration.ofMinutes(3))
                .until(() -> java.alive()
                        && python.alive()
                        && java.fewestCommits() >= each
                        && python.fewestCommits() >= each);
    }

    private static void stop(WriterProcess writer, Map<Habit, Tally> into) throws IOException, InterruptedException {
        Map<Path, Tally> tallies = writer.stop();
        for (Assignment assignment : writer.assignments()) {
            into.put(assignment.habit(), tallies.get(assignment.database()));
        }
    }

    /** The checkpoint sequence number in the WAL's header: one more after each restart. */
    private static int walSequence(Path database) throws IOException {
        Path wal = database.resolveSibling(database.getFileName() + "-wal");
        try (DataInputStream header = new DataInputStream(Files.newInputStream(wal))) {
            header.skipNBytes(WAL_HEADER_SEQUENCE);
            return header.readInt();
        }
    }
}
