package io.loomstream.engine.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.concurrent.Gate;
import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.posix.Posix;
import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileReplicaClient;
import io.loomstream.engine.sqlite.SqliteConnections;
import io.loomstream.engine.sync.DatabaseSync.Look;
import io.loomstream.engine.sync.ReplicatedDatabase.Looked;
import io.loomstream.engine.testing.AppProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a replica that cannot be reached may cost on disk. */
class LocalBytesMaxTest {
    private static final long BYTES_MAX = 40_000;

    @TempDir
    Path directory;

    private Path database;
    private Path replica;
    private AppProcess app;

    @BeforeEach
    void start() {
        database = directory.resolve("app.db");
        replica = directory.resolve("replica");
        app = AppProcess.start();
        app.open("a", database).exec("a", "pragma journal_mode=wal").exec("a", "create table t(x)");
    }

    @AfterEach
    void stop() throws IOException {
        app.close();
    }

    private ReplicatedDatabase replicate(HoldMode hold) {
        SyncServices services = SyncServices.create(
                Time.system(),
                Posix.load().orElseThrow(),
                new SqliteConnections(new Gate("native", 6)),
                CodecResources.shared());
        DatabaseOptions options =
                DatabaseOptions.defaults(database).withHold(hold).withLocalBytesMax(BYTES_MAX);
        return new ReplicatedDatabase(
                new DatabaseSpec(options, new FileReplicaClient(replica, FileAccess.PRIVATE)), services);
    }

    private static void catchUp(ReplicatedDatabase copied) {
        Awaitility.await()
                .pollInterval(Duration.ofMillis(5))
                .atMost(Duration.ofSeconds(30))
                .until(() -> {
                    Look look = copied.sync().look(true);
                    copied.upload();
                    return look == Look.QUIET && !copied.behind();
                });
    }

    private void cutOff() throws IOException {
        Files.move(replica, directory.resolve("away"));
        Files.createFile(replica);
    }

    private void reachable() throws IOException {
        Files.delete(replica);
        Files.move(directory.resolve("away"), replica);
    }

    private void commit() throws IOException {
        app.exec("a", "insert into t values (randomblob(3000))");
    }

    /** Commits and looks until there is no room; the local files then. */
    private long fill(ReplicatedDatabase copied) {
        Awaitility.await()
                .pollInterval(Duration.ofMillis(1))
                .atMost(Duration.ofSeconds(30))
                .until(() -> {
                    commit();
                    copied.upload();
                    return copied.look(true) instanceof Looked.WantsRoom;
                });
        return copied.sync().localMax().value();
    }

    private String dump(Path file) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("sqlite3", file.toString(), ".dump")
                .redirectErrorStream(true)
                .start();
        String dump = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), dump);
        return dump;
    }

    private void assertRestoresToSource() throws IOException, InterruptedException {
        assertEquals(dump(database), dump(Restored.latest(replica, directory.resolve("restored.db"))));
    }

    @ParameterizedTest
    @EnumSource(names = {"AUTO", "CONNECTION", "NONE"})
    void captureWaitsAtTheLimitAndGoesOnByItselfWhenUploadsHaveMadeRoom(HoldMode hold) throws Exception {
        ReplicatedDatabase copied = replicate(hold);
        catchUp(copied);
        cutOff();
        long full = fill(copied);
        for (int i = 0; i < 20; i++) {
            commit();
            assertInstanceOf(Looked.WantsRoom.class, copied.look(true));
        }
        assertEquals(full, copied.sync().localMax().value());
        long bytes = copied.sync().local().bytesAfter(Txid.ZERO);
        assertTrue(bytes > BYTES_MAX && bytes < 2 * BYTES_MAX, "local files have " + bytes + " bytes");
        assertTrue(String.valueOf(copied.problem()).contains("max-local-bytes"), copied.problem());

        reachable();
        catchUp(copied);
        assertInstanceOf(Looked.Quiet.class, copied.look(true));
        assertNull(copied.problem());
        assertRestoresToSource();
        copied.close();
    }

    @Test
    void theFilesOfAnEarlierRunCount() throws Exception {
        ReplicatedDatabase first = replicate(HoldMode.AUTO);
        catchUp(first);
        cutOff();
        long full = fill(first);
        first.close();
        ReplicatedDatabase second = replicate(HoldMode.AUTO);
        commit();
        assertInstanceOf(Looked.WantsRoom.class, second.look(true));
        assertEquals(full, second.sync().localMax().value());
        reachable();
        catchUp(second);
        assertRestoresToSource();
        second.close();
    }

    @Test
    void anEndWithoutRoomIsNoSuccess() throws Exception {
        ReplicatedDatabase copied = replicate(HoldMode.AUTO);
        catchUp(copied);
        cutOff();
        fill(copied);
        Outcome outcome = copied.finish(Duration.ZERO, Duration.ofMillis(1), Gates.of(100, 50, 200));
        assertTrue(String.valueOf(outcome.problem()).contains("max-local-bytes"), outcome.problem());
    }

    @Test
    void anEndWithAReachableReplicaBringsWhatWaitedInTheWal() throws Exception {
        ReplicatedDatabase copied = replicate(HoldMode.AUTO);
        catchUp(copied);
        cutOff();
        fill(copied);
        commit();
        reachable();
        Outcome outcome = copied.finish(Duration.ZERO, Duration.ofMillis(1), Gates.of(100, 50, 200));
        assertNull(outcome.problem());
        assertRestoresToSource();
    }

    @Test
    void aLostFileIsMadeUpForAlthoughThereIsNoRoom() throws Exception {
        ReplicatedDatabase copied = replicate(HoldMode.AUTO);
        catchUp(copied);
        long before = copied.sync().localMax().value();
        cutOff();
        fill(copied);
        Files.delete(copied.sync().local().path(new Txid(before + 1)));
        reachable();
        catchUp(copied);
        assertRestoresToSource();
        copied.close();
    }
}
