package io.loomstream.perf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.restore.Restore;
import io.loomstream.engine.restore.RestoreOutcome;
import io.loomstream.engine.restore.RestoreProgress;
import io.loomstream.engine.restore.RestoreRequest;
import io.loomstream.perf.check.PageCompare;
import io.loomstream.perf.server.Fleet;
import io.loomstream.perf.server.ServerProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A server that cannot write what it has to, as on a full disk, while the applications can. The kernel makes it so: a limit
 * on the size of the server's files, which is set and lifted while it runs, cuts writes off in the middle as a full disk does.
 */
class DiskFullIT {
    private static final Duration PATIENCE = Duration.ofMinutes(1);
    private static final int FILE_BYTES_MAX = 100_000;

    @TempDir
    Path directory;

    private Path database;
    private Fleet fleet;
    private Path config;
    private Path log;
    private int restores;

    private static String run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), String.join(" ", command) + ": " + answer);
        return answer.strip();
    }

    private String sqlite(String sql) throws IOException, InterruptedException {
        return run("sqlite3", "-cmd", ".timeout 20000", database.toString(), sql);
    }

    /** Far more than the server may write into one file. */
    private void commitMuch() throws Exception {
        sqlite("insert into t values (randomblob(" + 3 * FILE_BYTES_MAX + "))");
    }

    private static void limit(ServerProcess server, String bytes) throws Exception {
        run("prlimit", "--pid", String.valueOf(server.pid()), "--fsize=" + bytes + ":");
    }

    @BeforeEach
    void prepare() throws Exception {
        fleet = Fleet.of(directory, 1);
        database = fleet.databases().getFirst();
        Files.createDirectories(database.getParent());
        sqlite("pragma journal_mode=wal; create table t(x); insert into t values (1)");
        config = fleet.writeConfig(List.of("monitor-interval: 100ms"), List.of("sync-interval: 100ms"));
        Files.writeString(config, "levels: [{interval: 1s}]\n" + Files.readString(config));
        log = directory.resolve("server.log");
    }

    private ServerProcess start() throws Exception {
        ServerProcess server = ServerProcess.replicate(ServerProcess.launcher(), config, log);
        Awaitility.await().atMost(PATIENCE).until(server::ready);
        return server;
    }

    private Path restored() throws Exception {
        Path output = directory.resolve("restored-" + ++restores + ".db");
        assertInstanceOf(
                RestoreOutcome.Restored.class,
                Restore.from(fleet.replicas().client(database), RestoreProgress.NONE)
                        .run(RestoreRequest.latest(output)));
        return output;
    }

    private String rows(Path file) throws Exception {
        return run("sqlite3", file.toString(), "select count(*) from t; pragma integrity_check");
    }

    private void awaitReplicated() {
        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertEquals(rows(database), rows(restored())));
    }

    private void fill(ServerProcess server) throws Exception {
        awaitReplicated();
        limit(server, String.valueOf(FILE_BYTES_MAX));
        commitMuch();
        Awaitility.await().atMost(PATIENCE).until(() -> server.output().contains("File too large"));
        for (int i = 0; i < 5; i++) {
            commitMuch(); // applications do not notice
        }
        assertTrue(server.alive());
        assertEquals("1\nok", rows(restored()), "the replica is what it was");
    }

    @Test
    void serverThatCannotWriteGoesOnWhenItCan() throws Exception {
        try (ServerProcess server = start()) {
            fill(server);
            limit(server, "unlimited");
            awaitReplicated();
            commitMuch();
            assertEquals(0, server.stop());
        }
        assertEquals(Optional.empty(), PageCompare.difference(database, restored()));
    }

    @Test
    void serverThatIsKilledWhileItCannotWriteLosesNothing() throws Exception {
        try (ServerProcess server = start()) {
            fill(server);
            server.kill();
        }
        commitMuch();
        try (ServerProcess server = start()) {
            assertEquals(0, server.stop());
        }
        assertEquals(Optional.empty(), PageCompare.difference(database, restored()));
    }
}
