package io.loomstream.perf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.perf.check.ChainCheck;
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
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.TestAbortedException;

/** Loomstream and the Litestream that {@code LITESTREAM_BIN} names, each on what the other left. */
class InteropIT {
    private static final String VARIABLE = "LITESTREAM_BIN";

    @TempDir
    Path directory;

    @BeforeAll
    static void needsTheOther() {
        if (System.getenv(VARIABLE) == null) {
            String line = "InteropIT skipped: " + VARIABLE + " names no Litestream binary";
            System.out.println(line);
            throw new TestAbortedException(line);
        }
    }

    private static Path litestream() {
        return Path.of(System.getenv(VARIABLE));
    }

    @Test
    void litestreamRestoresWhatWeReplicated() throws Exception {
        Fleet fleet = fleet();
        long written = writeBeside(fleet, List.of(ServerProcess.launcher()));
        assertEquals(written, restore(fleet, litestream()));
        assertEquals(written, restore(fleet, ServerProcess.launcher()));
    }

    @Test
    void weRestoreWhatLitestreamReplicated() throws Exception {
        Fleet fleet = fleet();
        long written = writeBeside(fleet, List.of(litestream()));
        assertEquals(written, restore(fleet, ServerProcess.launcher()));
    }

    @Test
    void eachTakesOverFromTheOtherWhileTheApplicationWrites() throws Exception {
        Fleet fleet = fleet();
        List<Path> shifts =
                List.of(litestream(), ServerProcess.launcher(), litestream(), ServerProcess.launcher(), litestream());
        long written = writeBeside(fleet, shifts);
        assertEquals(written, restore(fleet, ServerProcess.launcher()));
        assertEquals(written, restore(fleet, litestream()));
    }

    private Fleet fleet() throws Exception {
        Fleet fleet = Fleet.of(directory, 1);
        Files.createDirectories(fleet.databases().getFirst().getParent());
        WriterMain.create(fleet.databases().getFirst());
        return fleet;
    }

    /** Each server in turn, the application writing all the while and stopping before the last server; its transactions. */
    private static long writeBeside(Fleet fleet, List<Path> servers) throws Exception {
        Path database = fleet.databases().getFirst();
        Path config = fleet.writeConfig(List.of(), List.of());
        Path log = fleet.directory().resolve("server.log");
        try (WriterProcess writer = WriterProcess.java(List.of(new Assignment(Habit.LONG_LIVED, database)), 1)) {
            for (Path launcher : servers) {
                try (ServerProcess server = ServerProcess.replicate(launcher, config, log)) {
                    long before = files(fleet, database);
                    Awaitility.await()
                            .atMost(Duration.ofSeconds(30))
                            .until(() -> server.alive() && files(fleet, database) >= before + 3);
                    if (launcher.equals(servers.getLast())) {
                        long commits = writer.commits();
                        Awaitility.await().until(() -> writer.commits() > commits);
                    }
                    assertEquals(0, server.stop(), server.output());
                }
            }
            long commits = writer.stop().get(database).commits();
            // What was committed after the last stop.
            try (ServerProcess last =
                    ServerProcess.start(log, servers.getLast(), "replicate", "-once", "-config", config.toString())) {
                assertEquals(0, last.waitFor(), last.output());
            }
            return commits;
        }
    }

    private static long files(Fleet fleet, Path database) throws IOException {
        Path level = fleet.replica(database).resolve("ltx/0");
        if (!Files.exists(level)) {
            return 0;
        }
        try (var files = Files.list(level)) {
            return files.count();
        }
    }

    private static long restore(Fleet fleet, Path launcher) throws Exception {
        Path database = fleet.databases().getFirst();
        Path output = Files.createTempDirectory(fleet.directory(), "restored").resolve("out.db");
        try (ServerProcess restore = ServerProcess.start(
                fleet.directory().resolve("restore.log"),
                launcher,
                "restore",
                "-o",
                output.toString(),
                "file://" + fleet.replica(database))) {
            assertEquals(0, restore.waitFor(), restore.output());
        }
        assertTrue(Files.exists(output));
        return ChainCheck.check(output).transactions();
    }
}
