package io.loomstream.perf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.restore.Restore;
import io.loomstream.engine.restore.RestoreOutcome;
import io.loomstream.engine.restore.RestoreProgress;
import io.loomstream.engine.restore.RestoreRequest;
import io.loomstream.engine.sync.DatabaseOptions;
import io.loomstream.engine.testing.s3.FaultyWire;
import io.loomstream.perf.check.PageCompare;
import io.loomstream.perf.server.Fleet;
import io.loomstream.perf.server.S3Store;
import io.loomstream.perf.server.ServerProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A bucket that cannot be reached for as long as the server runs. */
class ReplicaDownIT {
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final long LOCAL_BYTES_MAX = 300_000;
    private static final int COMMIT_BYTES = 20_000;

    @TempDir
    Path directory;

    private Path database;
    private int restores;

    private static String sqlite(Path database, String sql) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("sqlite3", "-cmd", ".timeout 20000", database.toString(), sql)
                .redirectErrorStream(true)
                .start();
        String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), database + ": " + answer);
        return answer.strip();
    }

    private void commit() throws Exception {
        sqlite(database, "insert into t values (randomblob(" + COMMIT_BYTES + "))");
    }

    private Path restored(S3Store bucket) throws Exception {
        Path output = directory.resolve("restored-" + ++restores + ".db");
        assertInstanceOf(
                RestoreOutcome.Restored.class,
                Restore.from(bucket.client(database), RestoreProgress.NONE).run(RestoreRequest.latest(output)));
        return output;
    }

    private void awaitReplicated(S3Store bucket) {
        String count = "select count(*) from t";
        Awaitility.await()
                .atMost(PATIENCE)
                .untilAsserted(() -> assertEquals(sqlite(database, count), sqlite(restored(bucket), count)));
    }

    private long localBytes() throws IOException {
        long bytes = 0;
        try (Stream<Path> files =
                Files.list(DatabaseOptions.defaultMetaPath(database).resolve("ltx/0"))) {
            for (Path file : files.toList()) {
                bytes += Files.size(file);
            }
        }
        return bytes;
    }

    @Test
    void captureGoesOnOnDiskWithinItsBoundAndRecoversByItself() throws Exception {
        Fleet fleet = Fleet.of(directory, 1);
        database = fleet.databases().getFirst();
        Files.createDirectories(database.getParent());
        sqlite(database, "pragma journal_mode=wal; create table t(x)");
        try (S3Store bucket = S3Store.start(directory.resolve("s3"));
                FaultyWire wire = new FaultyWire(bucket.port())) {
            Path config = fleet.writeConfig(
                    bucket.by(wire.endpoint()),
                    List.of("monitor-interval: 100ms", "max-local-bytes: " + LOCAL_BYTES_MAX),
                    List.of("sync-interval: 100ms"));
            Files.writeString(config, "shutdown-sync-timeout: 1s\n" + Files.readString(config));
            try (ServerProcess server =
                    ServerProcess.replicate(ServerProcess.launcher(), config, directory.resolve("server.log"))) {
                Awaitility.await().atMost(PATIENCE).until(server::ready);
                awaitReplicated(bucket);

                wire.refuse();
                Awaitility.await()
                        .atMost(PATIENCE)
                        .pollInterval(Duration.ofMillis(20))
                        .until(() -> {
                            commit();
                            return server.output().contains("nothing more is captured");
                        });
                for (int i = 0; i < 20; i++) {
                    commit();
                }
                long bytes = localBytes();
                assertTrue(bytes > LOCAL_BYTES_MAX && bytes < 3 * LOCAL_BYTES_MAX, bytes + " bytes on disk");
                wire.answer();
                awaitReplicated(bucket);
                assertTrue(server.output().contains("uploads have made room"));

                wire.refuse();
                commit();
                assertNotEquals(0, server.stop(), "it ended as if its commits were on the replica");
            }
            wire.answer();
            try (ServerProcess server =
                    ServerProcess.replicate(ServerProcess.launcher(), config, directory.resolve("server.log"))) {
                Awaitility.await().atMost(PATIENCE).until(server::ready);
                assertEquals(0, server.stop());
            }
            assertEquals(Optional.empty(), PageCompare.difference(database, restored(bucket)));
        }
    }
}
