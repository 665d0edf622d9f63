package io.loomstream.engine.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileReplicaClient;
import io.loomstream.engine.replica.ReplicaFile;
import io.loomstream.engine.restore.Restore;
import io.loomstream.engine.restore.RestoreProgress;
import io.loomstream.engine.restore.RestoreRequest;
import io.loomstream.engine.restore.Target;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What somebody takes away or exchanges behind the back of a running replicator is noticed, and restores stay possible. */
class LostFilesTest {
    @TempDir
    Path directory;

    private int restores;

    private static void fill(Setting s) throws IOException {
        s.app.open("a", s.database).exec("a", "pragma journal_mode=wal").exec("a", "create table t(x)");
        s.app.exec("a", "insert into t values (randomblob(20000))");
    }

    private static void delete(Path tree) throws IOException {
        List<Path> all;
        try (Stream<Path> found = Files.walk(tree)) {
            all = found.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : all) {
            Files.delete(path);
        }
    }

    private String restoredTo(Setting s, Target target) throws Exception {
        Path restored = directory.resolve("restored" + restores++ + ".db");
        Restore.from(new FileReplicaClient(s.replica, FileAccess.PRIVATE), RestoreProgress.NONE)
                .run(RestoreRequest.latest(restored).to(target));
        return Setting.sqlite(restored, ".dump");
    }

    private void assertRestores(Setting s) throws Exception {
        assertEquals(Setting.sqlite(s.database, ".dump"), restoredTo(s, new Target.Latest()));
    }

    @Test
    void aReplicaThatWasRemovedGetsACompleteCopyWithTheNextCommit() throws Exception {
        try (Setting s = new Setting(directory)) {
            fill(s);
            s.catchUp();
            s.app.exec("a", "insert into t values (1)");
            s.catchUp();
            delete(s.replica);
            s.app.exec("a", "insert into t values (2)");
            s.catchUp();
            assertRestores(s);
            s.app.exec("a", "insert into t values (3)");
            s.catchUp();
            assertRestores(s);
        }
    }

    @Test
    void serverThatWasPausedWritesNothingBehindOneThatWentOnAndDeletedWhatItWouldMeet() throws Exception {
        try (Setting s = new Setting(directory)) {
            fill(s);
            s.catchUp();
            Path other = Files.createDirectory(directory.resolve("other"));
            for (String suffix : List.of("", "-wal")) {
                Files.copy(directory.resolve("app.db" + suffix), other.resolve("app.db" + suffix));
            }
            try (Setting successor = new Setting(other)) {
                Files.createSymbolicLink(other.resolve("replica"), s.replica);
                successor.app.open("b", successor.database);
                for (int i = 0; i < 4; i++) {
                    successor.app.exec("b", "insert into t values (" + i + ")");
                    successor.catchUp();
                }
            }
            FileReplicaClient client = new FileReplicaClient(s.replica, FileAccess.PRIVATE);
            List<TxidRange> files = client.list(Level.L0, Txid.ZERO).stream()
                    .map(ReplicaFile::range)
                    .toList();
            // What its retention does when all is in level 1.
            client.delete(Level.L0, files.subList(0, files.size() - 1));
            s.app.exec("a", "insert into t values (4711)");
            Awaitility.await().until(() -> {
                s.replicator().sync().look(true);
                return s.replicator().sync().localMax().isAfter(Txid.ONE);
            });
            s.replicator().upload();
            assertTrue(s.services
                    .lostReplicas()
                    .find(s.database, client.describe())
                    .isPresent());
            assertEquals(
                    List.of(files.getLast()),
                    client.list(Level.L0, Txid.ZERO).stream()
                            .map(ReplicaFile::range)
                            .toList());
        }
    }

    @Test
    void aMetaDirectoryThatWasRemovedIsMadeAgainAndTheReplicaIsGoneOnFrom() throws Exception {
        try (Setting s = new Setting(directory)) {
            fill(s);
            s.catchUp();
            delete(s.metaPath());
            s.app.exec("a", "insert into t values (1)");
            Awaitility.await().until(() -> {
                s.replicator().look(true);
                s.replicator().upload();
                return Files.exists(s.metaPath());
            });
            s.catchUp();
            assertRestores(s);
            assertEquals(2, s.replicator().sync().localMax().value());
        }
    }

    @Test
    void aDatabaseMadeAnewWithOtherPagesBeginsAHistoryOfItsOwn() throws Exception {
        try (Setting s = new Setting(directory)) {
            fill(s);
            s.catchUp();
            String old = Setting.sqlite(s.database, ".dump");
            s.app.close("a");
            for (String suffix : List.of("", "-wal", "-shm")) {
                Files.deleteIfExists(directory.resolve("app.db" + suffix));
            }
            s.app.open("b", s.database).exec("b", "pragma page_size=8192").exec("b", "pragma journal_mode=wal");
            s.app.exec("b", "create table u(x)");
            s.catchUp();
            assertRestores(s);
            s.app.exec("b", "insert into u values (1)");
            s.catchUp();
            assertRestores(s);
            assertEquals(old, restoredTo(s, new Target.AtTxid(Txid.ONE)));
        }
    }

    @Test
    void otherPagesCapturedByAnEarlierProcessBeginAHistoryToo() throws Exception {
        try (Setting s = new Setting(directory)) {
            fill(s);
            s.catchUp();
            s.crash();
            s.app.exec("a", "pragma journal_mode=delete")
                    .exec("a", "pragma page_size=1024")
                    .exec("a", "vacuum");
            s.app.exec("a", "pragma journal_mode=wal").exec("a", "insert into t values (1)");
            Awaitility.await().until(() -> {
                s.replicator().sync().look(true);
                return s.replicator().behind();
            });
            s.crash();
            assertFalse(Files.exists(s.replica.resolve("ltx/9")));
            s.catchUp();
            assertTrue(Files.exists(s.replica.resolve("ltx/9")));
            assertRestores(s);
        }
    }

    @Test
    void aStrayFileWithTheLastTxidThereIsDoesNotStopAnything() throws Exception {
        try (Setting s = new Setting(directory)) {
            fill(s);
            s.catchUp();
            s.crash();
            String last = "ffffffffffffffff-ffffffffffffffff.ltx";
            Files.write(s.metaPath().resolve("ltx/0").resolve(last), new byte[50]);
            s.app.exec("a", "insert into t values (1)");
            s.catchUp();
            assertRestores(s);
            assertEquals(2, s.replicator().sync().localMax().value());
        }
    }

    @Test
    void aCompleteCopyThatFailsAgainAndAgainIsTriedLessAndLessOften() throws Exception {
        try (Setting s = new Setting(directory)) {
            fill(s);
            Path inTheWay = s.metaPath().resolve("ltx/0/0000000000000001-0000000000000001.ltx.tmp");
            Files.createDirectories(inTheWay.resolve("full"));
            s.replicator().upload();
            for (int failures = 1; failures < 4; failures++) {
                assertInstanceOf(
                        ReplicatedDatabase.Looked.WantsFullCopy.class,
                        s.replicator().look(false));
                ReplicatedDatabase.Looked.Failed failed = assertInstanceOf(
                        ReplicatedDatabase.Looked.Failed.class, s.replicator().look(true));
                assertEquals(
                        Optional.ofNullable(failed.failure().getMessage()),
                        s.replicator().status().last().error());
                assertEquals(failures, failed.failuresInARow());
            }
            delete(inTheWay);
            s.catchUp();
            assertRestores(s);
        }
    }
}
