package io.loomstream.engine.follow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.testing.AppProcess;
import io.loomstream.engine.testing.CountingReplica;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a follower applies, and what it refuses, one look at a time. */
class FollowerTest {
    private static final Level L1 = new Level(1);

    @TempDir
    Path directory;

    private Upstream upstream;
    private Path output;

    @BeforeEach
    void start() throws IOException {
        upstream = new Upstream(directory);
        output = Files.createDirectory(directory.resolve("home")).resolve("copy.db");
    }

    @AfterEach
    void stop() throws IOException {
        upstream.close();
    }

    private Session begin() throws Exception {
        return begin(upstream.client());
    }

    private Session begin(ReplicaClient replica) throws Exception {
        Follower follower = FollowSetup.follower(replica, output, StoppingDisk.never());
        FollowSetup.ready(follower);
        return Session.resume(follower);
    }

    private String sidecar() throws IOException {
        return Files.readString(output.resolveSibling("copy.db-txid"));
    }

    @Test
    void appliesWhatIsNewAndWritesTheSidecarAsLitestreamDoes() throws Exception {
        upstream.commit();
        try (Session session = begin()) {
            assertEquals("0000000000000001\n", sidecar());
            for (int i = 0; i < 5; i++) {
                Txid txid = upstream.commit();
                assertEquals(txid, FollowSetup.catchUp(session));
                assertEquals(txid + "\n", sidecar());
                assertEquals(Long.toString(txid.value()), FollowSetup.sqlite(output, "select n from seq"));
            }
            FollowSetup.assertHolds(output, upstream.image(6));
        }
        assertEquals("ok", FollowSetup.sqlite(output, "pragma integrity_check"));
        assertEquals("delete", FollowSetup.sqlite(output, "pragma journal_mode"));
    }

    /** A follower is ahead of the newest snapshot nearly always. Litestream refuses to go on then. */
    @Test
    void resumesAheadOfTheNewestSnapshot() throws Exception {
        upstream.commit();
        upstream.commit();
        upstream.store(Level.SNAPSHOT, 1, 2);
        upstream.commit();
        try (Session session = begin()) {
            assertEquals(new Txid(3), session.position().txid());
        }
        upstream.commit();
        Follower again = FollowSetup.follower(upstream.client(), output, StoppingDisk.never());
        assertEquals(new Follower.Start.Ready(new Txid(3), true), again.prepare());
        try (Session session = Session.resume(again)) {
            assertEquals(new Txid(4), FollowSetup.catchUp(session));
        }
        FollowSetup.assertHolds(output, upstream.image(4));
    }

    @Test
    void resumesWithLitestreamsSidecarAlone() throws Exception {
        upstream.commit();
        begin().close();
        Files.delete(output.resolveSibling("copy.db-follow"));
        upstream.commit();
        try (Session session = begin()) {
            assertEquals(new Txid(2), FollowSetup.catchUp(session));
        }
    }

    @Test
    void databaseWithoutSidecarIsNotTaken() throws Exception {
        upstream.commit();
        Files.write(output, upstream.image(1));
        Follower follower = FollowSetup.follower(upstream.client(), output, StoppingDisk.never());
        assertThrows(CorruptDataException.class, follower::prepare);
        FollowSetup.assertHolds(output, upstream.image(1));
    }

    @Test
    void longSleeperIsLedOnThroughHigherLevels() throws Exception {
        upstream.commit();
        begin().close();
        for (int txid = 2; txid <= 8; txid++) {
            upstream.commit();
        }
        upstream.store(L1, 2, 4);
        upstream.store(new Level(2), 1, 6);
        for (int txid = 2; txid <= 7; txid++) {
            upstream.delete(Level.L0, txid, txid);
        }
        upstream.store(L1, 5, 7);
        try (Session session = begin()) {
            assertEquals(new Txid(8), FollowSetup.catchUp(session));
        }
        FollowSetup.assertHolds(output, upstream.image(8));
    }

    /** Level 0 has nothing new and nothing old: only the other levels know that there is more. */
    @Test
    void emptyLevelZeroIsNotTakenForNothingNew() throws Exception {
        upstream.commit();
        begin().close();
        upstream.commit();
        upstream.commit();
        upstream.store(L1, 1, 3);
        for (int txid = 1; txid <= 3; txid++) {
            upstream.delete(Level.L0, txid, txid);
        }
        try (Session session = begin()) {
            assertEquals(new Txid(3), FollowSetup.catchUp(session));
        }
        FollowSetup.assertHolds(output, upstream.image(3));
    }

    @Test
    void gapIsLoudUntilASnapshotLeadsPastIt() throws Exception {
        upstream.commit();
        CountingReplica replica = new CountingReplica(upstream.client());
        try (Session session = begin(replica)) {
            upstream.commit();
            upstream.store(Level.SNAPSHOT, 1, 2);
            assertEquals(new Txid(2), FollowSetup.catchUp(session));
            for (int txid = 3; txid <= 6; txid++) {
                upstream.commit();
            }
            upstream.delete(Level.L0, 4, 4);
            assertEquals(new Txid(3), FollowSetup.catchUp(session));
            int opened = replica.opens().size();

            for (int look = 0; look < 100; look++) {
                ConflictException stuck = assertThrows(ConflictException.class, session::poll);
                assertTrue(stuck.getMessage().contains("0000000000000004"), stuck.getMessage());
            }
            assertEquals(opened, replica.opens().size(), "nothing is fetched that cannot be applied");
            FollowSetup.assertHolds(output, upstream.image(3));

            upstream.store(Level.SNAPSHOT, 1, 5);
            assertEquals(new Txid(6), FollowSetup.catchUp(session));
        }
        FollowSetup.assertHolds(output, upstream.image(6));
    }

    /** Its pages are those of an earlier moment: applying it would go back in time. */
    @Test
    void snapshotBeforeThePositionIsNeverApplied() throws Exception {
        for (int txid = 1; txid <= 4; txid++) {
            upstream.commit();
        }
        try (Session session = begin()) {
            upstream.store(Level.SNAPSHOT, 1, 3);
            upstream.commit();
            upstream.commit();
            upstream.delete(Level.L0, 5, 5);
            assertThrows(ConflictException.class, () -> FollowSetup.catchUp(session));
        }
        FollowSetup.assertHolds(output, upstream.image(4));
    }

    @Test
    void idleFollowerListsOneLevelALook() throws Exception {
        upstream.commit();
        CountingReplica replica = new CountingReplica(upstream.client());
        try (Session session = begin(replica)) {
            int before = replica.lists().size();
            int opened = replica.opens().size();
            for (int look = 0; look < 1_000; look++) {
                assertFalse(session.poll());
            }
            int lists = replica.lists().size() - before;
            assertTrue(lists < 1_000 + 10 * 25, lists + " LISTs in 1000 looks");
            assertTrue(lists > 1_000 + 10 * 10, "the other levels are looked at too");
            assertEquals(opened, replica.opens().size());
        }
    }

    @Test
    void replicaThatWasEmptiedOrBegunAnewIsLoud() throws Exception {
        for (int txid = 1; txid <= 4; txid++) {
            upstream.commit();
        }
        try (Session session = begin()) {
            for (int txid = 3; txid <= 4; txid++) {
                upstream.delete(Level.L0, txid, txid);
            }
            ConflictException behind = assertThrows(ConflictException.class, session::poll);
            assertTrue(behind.getMessage().contains("begun anew"), behind.getMessage());
        }
        FollowSetup.assertHolds(output, upstream.image(4));
    }

    @Test
    void anotherHistoryUnderTheSameNamesIsRefused() throws Exception {
        upstream.commit();
        try (Session session = begin()) {
            upstream.commit();
            upstream.commit();
            FollowSetup.catchUp(session);
            Upstream other = new Upstream(Files.createDirectory(directory.resolve("other")));
            try (other) {
                for (int txid = 1; txid <= 4; txid++) {
                    other.commit();
                    Files.copy(
                            other.file(Level.L0, txid, txid),
                            upstream.file(Level.L0, txid, txid),
                            StandardCopyOption.REPLACE_EXISTING);
                }
            }
            ConflictException foreign = assertThrows(ConflictException.class, session::poll);
            assertTrue(foreign.getMessage().contains("replaced"), foreign.getMessage());
        }
        // Also by one that was not running when it happened.
        ConflictException foreign = assertThrows(ConflictException.class, () -> FollowSetup.catchUp(begin()));
        assertTrue(foreign.getMessage().contains("replaced"), foreign.getMessage());
        FollowSetup.assertHolds(output, upstream.image(3));
    }

    @Test
    void fileUnderAnotherFilesNameIsRefused() throws Exception {
        upstream.commit();
        try (Session session = begin()) {
            upstream.commit();
            upstream.commit();
            Files.copy(
                    upstream.file(Level.L0, 2, 2), upstream.file(Level.L0, 3, 3), StandardCopyOption.REPLACE_EXISTING);
            CorruptDataException refused = assertThrows(CorruptDataException.class, () -> FollowSetup.catchUp(session));
            assertTrue(refused.getMessage().contains("header"), refused.getMessage());
            assertEquals(new Txid(2), session.position().txid());
        }
        FollowSetup.assertHolds(output, upstream.image(2));
    }

    /** Every byte of it in turn: nothing of a damaged file may reach the database. */
    @Test
    void damagedFileChangesNothingAndIsAppliedOnceItIsWhole() throws Exception {
        upstream.commit();
        try (Session session = begin()) {
            upstream.commit("update t set text = 'short' where id = 1");
            Path file = upstream.file(Level.L0, 2, 2);
            byte[] good = Files.readAllBytes(file);
            byte[] before = Files.readAllBytes(output);
            for (int at = 0; at < good.length; at += 37) {
                byte[] bad = good.clone();
                bad[at] ^= 0x10;
                Files.write(file, bad);
                assertThrows(CorruptDataException.class, session::poll, "damaged at byte " + at);
            }
            Files.write(file, java.util.Arrays.copyOf(good, good.length - 1));
            assertThrows(CorruptDataException.class, session::poll);
            assertTrue(java.util.Arrays.equals(before, Files.readAllBytes(output)), "the database was touched");

            Files.write(file, good);
            assertEquals(new Txid(2), FollowSetup.catchUp(session));
        }
        FollowSetup.assertHolds(output, upstream.image(2));
    }

    @Test
    void damagedFileIsPassedOverWhereAnotherLevelHoldsTheSame() throws Exception {
        upstream.commit();
        try (Session session = begin()) {
            upstream.commit();
            upstream.commit();
            upstream.store(L1, 1, 3);
            Files.write(upstream.file(Level.L0, 2, 2), new byte[200]);
            assertEquals(new Txid(3), FollowSetup.catchUp(session));
        }
        FollowSetup.assertHolds(output, upstream.image(3));
    }

    @Test
    void shrinkingUpstreamShrinksTheDatabase() throws Exception {
        upstream.commit("insert into t(n, text) select 0, hex(randomblob(2000)) from"
                + " (with recursive c(i) as (select 1 union all select i + 1 from c where i < 300) select i from c)");
        try (Session session = begin()) {
            upstream.commit("delete from t where id > 10", "vacuum");
            FollowSetup.catchUp(session);
        }
        assertTrue(upstream.image(2).length < upstream.image(1).length / 10);
        assertEquals(upstream.image(2).length, Files.size(output));
        FollowSetup.assertHolds(output, upstream.image(2));
        assertEquals("ok", FollowSetup.sqlite(output, "pragma integrity_check"));
    }

    @Test
    void growingFileThatLacksAPageIsRefused() throws Exception {
        upstream.commit();
        try (Session session = begin()) {
            upstream.commit();
            byte[] after = upstream.image(2);
            byte[] before = after.clone();
            System.arraycopy(upstream.image(1), 0, before, 0, 4096);
            upstream.write(Level.L0, 2, 2, before, after);
            CorruptDataException refused = assertThrows(CorruptDataException.class, session::poll);
            assertTrue(refused.getMessage().contains("missing"), refused.getMessage());
        }
        FollowSetup.assertHolds(output, upstream.image(1));
    }

    @Test
    void databaseThatAnApplicationWroteToIsNotWrittenOver() throws Exception {
        upstream.commit();
        try (Session session = begin()) {
            FollowSetup.sqlite(output, "insert into t(text) values ('mine')");
            upstream.commit();
            ConflictException changed = assertThrows(ConflictException.class, session::poll);
            assertTrue(changed.getMessage().contains("somebody else"), changed.getMessage());
        }
        assertThrows(ConflictException.class, this::begin);
        assertEquals("1", FollowSetup.sqlite(output, "select count(*) from t where text = 'mine'"));
    }

    /** As Litestream leaves it before the first file it applies: the restored file still says WAL. */
    @Test
    void databaseInWalModeBecomesOneInRollbackMode() throws Exception {
        upstream.commit();
        byte[] image = upstream.image(1);
        image[18] = 2;
        image[19] = 2;
        Files.write(output, image);
        Files.writeString(output.resolveSibling("copy.db-txid"), "0000000000000001\n");
        upstream.commit();
        try (Session session = begin()) {
            assertEquals(new Txid(2), FollowSetup.catchUp(session));
        }
        FollowSetup.assertHolds(output, upstream.image(2));
    }

    @Test
    void readerInATransactionKeepsItsStateAndTheNextOneSeesTheNew() throws Exception {
        upstream.commit();
        try (Session session = begin();
                AppProcess reader = AppProcess.start()) {
            reader.open("r", output, 5);
            assertEquals("1", reader.value("r", "select n from seq"));
            upstream.commit();
            FollowSetup.catchUp(session);
            assertEquals("2", reader.value("r", "select n from seq"), "its cache is stale");
            assertEquals(List.of(List.of("2", "2")), reader.query("r", "select min(n), max(n) from t"));
        }
    }
}
