package io.loomstream.engine.compaction;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.fleet.Replication;
import io.loomstream.engine.fleet.ReplicationOptions;
import io.loomstream.engine.fleet.Workload;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileReplicaClient;
import io.loomstream.engine.restore.IntegrityCheck;
import io.loomstream.engine.restore.Restore;
import io.loomstream.engine.restore.RestoreOutcome;
import io.loomstream.engine.restore.RestoreProgress;
import io.loomstream.engine.restore.RestoreRequest;
import io.loomstream.engine.sync.DatabaseOptions;
import io.loomstream.engine.sync.DatabaseSpec;
import io.loomstream.engine.testing.AppProcess;
import io.loomstream.engine.verify.ReplicaVerifier;
import io.loomstream.engine.verify.VerifyReport;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Levels of databases that SQLite writes, under a whole server, with intervals short enough to be watched. */
class RealDatabaseTest {
    private static final Levels QUICK = Levels.defaults()
            .withIntervals(List.of(Duration.ofMillis(50), Duration.ofMillis(200), Duration.ofMillis(600)))
            .withSnapshots(new Levels.Snapshots(Duration.ofSeconds(1), Duration.ofSeconds(2)))
            .withL0(new Levels.L0(Duration.ofMillis(300), Duration.ofMillis(100)))
            .withVerifies(true);

    /** Where SQLite locks: the page there is never written. */
    private static final long LOCK_BYTE = 1L << 30;

    @TempDir
    Path directory;

    private FileReplicaClient replica() {
        return new FileReplicaClient(directory.resolve("replica"), FileAccess.PRIVATE);
    }

    private static void await(BooleanSupplier condition) {
        Awaitility.await()
                .pollInterval(Duration.ofMillis(5))
                .atMost(Duration.ofMinutes(1))
                .until(condition::getAsBoolean);
    }

    private Txid newest(Level level) {
        return replica().list(level, Txid.ZERO).stream()
                .map(file -> file.range().max())
                .max(Txid::compareTo)
                .orElse(Txid.ZERO);
    }

    /** Until every level has all that was written up to now; the newest file of a level waits for a companion. */
    private void awaitMerges(AppProcess app) {
        Txid before = newest(Level.L0);
        await(() -> {
            insert(app, 1);
            return Stream.of(1, 2, 3, 9)
                    .allMatch(number -> newest(new Level(number)).compareTo(before) >= 0);
        });
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 65536})
    void databaseGrowsShrinksToATenthAndGrowsAgainThroughEveryLevel(int pageSize) throws Exception {
        Path database = directory.resolve("app.db");
        DatabaseSpec spec = new DatabaseSpec(
                        DatabaseOptions.defaults(database).withSyncInterval(Duration.ofMillis(20)), replica())
                .withLevels(QUICK);
        try (AppProcess app = AppProcess.start()) {
            app.open("a", database)
                    .exec("a", "pragma page_size=" + pageSize)
                    .exec("a", "pragma journal_mode=wal")
                    .exec("a", "create table t(x)");
            Replication replication = Replication.start(Workload.of(List.of(spec)), ReplicationOptions.defaults());
            insert(app, 200);
            awaitMerges(app);
            app.exec("a", "delete from t where rowid % 10 <> 0").exec("a", "vacuum");
            awaitMerges(app);
            insert(app, 50);
            awaitMerges(app);
            await(() -> replication.compaction().deleted() > 0);
            insert(app, 1);
            Txid captured = newest(Level.L0);
            assertTrue(replication.snapshotNow(database).orElseThrow().get().compareTo(captured) >= 0);
            assertTrue(replication.compactNow(database).orElseThrow().get().compareTo(captured) >= 0);
            assertTrue(replication
                    .stop(Duration.ofSeconds(30), Duration.ofMillis(50))
                    .complete());
            assertEquals(0, replication.compaction().failures());
            assertEquals(0, replication.compaction().brokenChains());
            assertEquals(0, replication.compaction().verifyErrors());
            app.exec("a", "pragma wal_checkpoint(truncate)");
        }
        VerifyReport report = new ReplicaVerifier(replica()).deep(directory);
        assertEquals(List.of(), report.problems(), "after compaction and retention");
        Path restored = directory.resolve("restored.db");
        assertInstanceOf(
                RestoreOutcome.Restored.class,
                Restore.from(replica(), RestoreProgress.NONE)
                        .run(RestoreRequest.latest(restored).checked(IntegrityCheck.FULL)));
        assertArrayEquals(Files.readAllBytes(database), Files.readAllBytes(restored));
    }

    /** A database of pages that nothing refers to, most of them holes in the file: it ends just before the lock page. */
    private static void growToTheLockPage(Path database) throws Exception {
        try (RandomAccessFile file = new RandomAccessFile(database.toFile(), "rw")) {
            file.setLength(LOCK_BYTE);
            file.seek(28); // the size in pages
            file.writeInt((int) (LOCK_BYTE / 4096));
            file.seek(24); // the change counter, and for which one the size holds
            int counter = file.readInt();
            file.seek(92);
            file.writeInt(counter);
        }
    }

    @Test
    void databaseGrowsBeyondTheLockPageThroughEveryLevel() throws Exception {
        Path database = directory.resolve("app.db");
        DatabaseSpec spec = new DatabaseSpec(
                        DatabaseOptions.defaults(database).withSyncInterval(Duration.ofMillis(20)), replica())
                .withLevels(QUICK);
        try (AppProcess app = AppProcess.start()) {
            app.open("a", database).exec("a", "create table t(x)").close("a");
            growToTheLockPage(database);
            app.open("a", database).exec("a", "pragma journal_mode=wal");
            Replication replication = Replication.start(Workload.of(List.of(spec)), ReplicationOptions.defaults());
            insert(app, 100);
            awaitMerges(app);
            app.exec("a", "pragma wal_checkpoint(truncate)");
            insert(app, 100);
            awaitMerges(app);
            assertTrue(replication
                    .stop(Duration.ofSeconds(30), Duration.ofMillis(50))
                    .complete());
            assertEquals(0, replication.compaction().failures());
            app.exec("a", "pragma wal_checkpoint(truncate)");
        }
        assertTrue(Files.size(database) > LOCK_BYTE + 100 * 4096, "rows lie behind the lock page");
        assertEquals(List.of(), new ReplicaVerifier(replica()).quick().problems());
        Path restored = directory.resolve("restored.db");
        assertInstanceOf(
                RestoreOutcome.Restored.class,
                Restore.from(replica(), RestoreProgress.NONE).run(RestoreRequest.latest(restored)));
        assertEquals(-1, Files.mismatch(database, restored));
    }

    private static void insert(AppProcess app, int rows) {
        for (int i = 0; i < rows; i++) {
            app.exec("a", "insert into t values (randomblob(3000))");
        }
    }
}
