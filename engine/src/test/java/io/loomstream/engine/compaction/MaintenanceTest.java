package io.loomstream.engine.compaction;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.restore.Restore;
import io.loomstream.engine.restore.RestoreOutcome;
import io.loomstream.engine.restore.RestoreProgress;
import io.loomstream.engine.restore.RestoreRequest;
import io.loomstream.engine.restore.Target;
import io.loomstream.engine.testing.Seed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MaintenanceTest {
    private static final long MINUTE = Duration.ofMinutes(1).toNanos();
    private static final long DAY = Duration.ofDays(1).toNanos();
    private static final int IDLE_DATABASES = Integer.getInteger("loomstream.idle", 20);

    @TempDir
    Path directory;

    private final SimulatedTime time = new SimulatedTime();

    private History history(Levels levels) throws IOException {
        return new History(directory, Seed.random("maintenance"), levels, time);
    }

    private void commits(History history, int count, long pauseNanos) throws IOException, InterruptedException {
        for (int i = 0; i < count; i++) {
            history.goTo(time.nanoTime() + pauseNanos);
            history.commit();
        }
    }

    private void assertLatest(History history) throws IOException, InterruptedException {
        Path restored = directory.resolve("restored");
        assertInstanceOf(RestoreOutcome.Restored.class, history.restore(new Target.Latest(), restored));
        assertArrayEquals(history.images.get(history.txid()), Files.readAllBytes(restored));
    }

    /**
     * A fleet that changed once more and then rests: the next 24 hours cost what is due from that, later days nothing.
     * {@code -Dloomstream.idle=1000} says how many databases there are.
     */
    @Test
    void databaseAtRestCostsTheDueMergesAndDeletionsAndThenNothing() throws IOException, InterruptedException {
        Random random = Seed.random("databaseAtRestCostsTheDueMergesAndDeletionsAndThenNothing");
        Map<FaultyReplica.Kind, Long> rest = new EnumMap<>(FaultyReplica.Kind.class);
        for (int i = 0; i < IDLE_DATABASES; i++) {
            SimulatedTime own = new SimulatedTime();
            Path place = Files.createDirectory(directory.resolve("database-" + i));
            History history = new History(place, random, Levels.defaults(), own);
            history.maintenance().located(history.site(), Levels.defaults(), Txid.ZERO);
            history.commit();
            long last = DAY + (long) (DAY / 2.0 * random.nextDouble());
            history.goTo(last);
            history.commit();
            Map<FaultyReplica.Kind, Long> before = history.replica.requests();
            history.goTo(last + DAY);
            for (FaultyReplica.Kind kind : FaultyReplica.Kind.values()) {
                rest.merge(kind, history.replica.count(kind) - before.getOrDefault(kind, 0L), Long::sum);
            }
            history.goTo(last + 3 * DAY);
            Map<FaultyReplica.Kind, Long> settled = history.replica.requests();
            history.goTo(last + 4 * DAY);
            assertEquals(settled, history.replica.requests(), "a day without anything due");
            assertEquals(0, history.replica.count(FaultyReplica.Kind.LIST), "listings, ever");
        }
        System.out.println(IDLE_DATABASES + " databases, 24 h after their last change: " + rest);
        assertTrue(rest.get(FaultyReplica.Kind.WRITE) <= 2L * IDLE_DATABASES, "the first copy's level and a snapshot");
        assertTrue(rest.get(FaultyReplica.Kind.DELETE) <= 2L * IDLE_DATABASES, "level 0 and an old snapshot each");
        assertTrue(
                rest.get(FaultyReplica.Kind.OPEN) <= 5L * IDLE_DATABASES,
                "one source a level, and two for the snapshot");
    }

    @Test
    void firstCopyThatNeverChangesIsNeitherMergedNorMadeASnapshot() throws IOException, InterruptedException {
        History history = history(Levels.defaults());
        history.maintenance().located(history.site(), Levels.defaults(), Txid.ZERO);
        history.commit();
        history.goTo(time.nanoTime() + 30 * DAY);
        assertEquals(Map.of(), history.replica.requests(), "nothing was asked or written");
        assertEquals(0, history.maintenance().waiting());

        long first = history.txid();
        history.commit();
        history.goTo(time.nanoTime() + 23 * 60 * MINUTE);
        assertEquals(List.of(TxidRange.of(new Txid(first))), history.files(1), "the two are a month apart");
        assertPoint(history, first);
        history.goTo(time.nanoTime() + 3 * DAY);
        assertEquals(List.of(new TxidRange(Txid.ONE, new Txid(2))), history.files(9));
        assertLatest(history);
    }

    @Test
    void backlogIsMergedByTheIntervalsInWhichItCame() throws IOException, InterruptedException {
        History history = history(Levels.defaults());
        history.replica.refuse(new Level(1));
        commits(history, 40, MINUTE / 4);
        assertEquals(List.of(), history.files(1));
        history.replica.refuse(new Level(8));
        history.goTo(time.nanoTime() + 10 * MINUTE);
        assertTrue(history.files(1).size() >= 19, "two a file: " + history.files(1));
        assertLatest(history);
    }

    @Test
    void unexpectedFailureIsRetriedEverMoreSeldom() throws IOException, InterruptedException {
        History history = history(Levels.defaults());
        commits(history, 2, 1);
        history.replica.breakDown();
        history.goTo(time.nanoTime() + 60 * MINUTE);
        long failures = history.maintenance().counters().failures();
        assertTrue(failures > 5 && failures < 30, failures + " tries in an hour");
    }

    /** With every tenth request failing, a long backlog is never got through in one try. */
    @Test
    void backlogShrinksAlthoughNoTurnSucceeds() throws IOException, InterruptedException {
        History history = history(Levels.defaults());
        history.replica.refuse(new Level(1));
        commits(history, 400, MINUTE / 4);
        history.replica.refuse(new Level(8));
        history.replica.failEvery(10);
        history.goTo(time.nanoTime() + 30 * MINUTE);
        long left = history.txid() - history.files(1).getLast().max().value();
        assertTrue(left < 4, left + " TXIDs are at level 0 only");
    }

    @Test
    void interruptionIsNoFailure() throws IOException, InterruptedException {
        History history = history(Levels.defaults());
        commits(history, 2, 1);
        history.replica.atNextOpen(() -> Thread.currentThread().interrupt());
        assertThrows(InterruptedException.class, () -> history.goTo(time.nanoTime() + 2 * MINUTE));
        assertTrue(Thread.interrupted());
        assertEquals(0, history.maintenance().counters().failures());
        history.goTo(time.nanoTime() + MINUTE);
        assertEquals(1, history.files(1).size(), "it is done later");
    }

    @Test
    void levelZeroIsNotTrimmedWhereWhatReplacesItWasRemovedByOthers() throws IOException, InterruptedException {
        History history = history(Levels.defaults());
        commits(history, 20, MINUTE / 10);
        history.goTo(time.nanoTime() + 2 * MINUTE);
        List<TxidRange> merged = history.files(1);
        assertEquals(20, history.files(0).size(), "still young");
        for (TxidRange file : merged) {
            Files.delete(history.path(1, file));
        }
        history.goTo(time.nanoTime() + 20 * MINUTE);
        for (long txid = 1; txid <= history.txid(); txid++) {
            long wanted = txid;
            assertTrue(
                    history.files(0).contains(TxidRange.of(new Txid(txid)))
                            || history.files(1).stream().anyMatch(file -> file.contains(new Txid(wanted))),
                    "TXID " + txid + " is nowhere");
        }
        assertEquals(merged, history.files(1), "merged again");
        assertEquals(1, history.files(0).size(), "then trimmed");
        assertLatest(history);
        assertEquals(List.of(), history.asked);
    }

    @Test
    void mergeThatWouldFillTheVolumeIsNotBegun() {
        WorkFiles files = new WorkFiles(directory);
        files.requireRoom(2 << 20);
        TransientStorageException full =
                assertThrows(TransientStorageException.class, () -> files.requireRoom(Long.MAX_VALUE / 2));
        assertTrue(full.getMessage().startsWith(directory.toString()), full.getMessage());
    }

    @Test
    void holeIsRepairedByACompleteCopyAndOlderPointsStayRight() throws IOException, InterruptedException {
        History history = history(Levels.defaults());
        commits(history, 20, MINUTE);
        history.goTo(time.nanoTime() + MINUTE);
        long before = history.txid();
        history.loseOne();
        commits(history, 3, MINUTE);
        history.goTo(time.nanoTime() + 2 * MINUTE);

        assertEquals(1, history.asked.size(), "asked once: " + history.asked);
        assertEquals(1, history.maintenance().counters().brokenChains());
        Path restored = directory.resolve("restored");
        assertInstanceOf(RestoreOutcome.Restored.class, history.restore(new Target.AtTxid(new Txid(before)), restored));
        assertArrayEquals(history.images.get(before), Files.readAllBytes(restored));

        history.commitCompleteCopy();
        commits(history, 20, MINUTE);
        history.goTo(time.nanoTime() + MINUTE);
        assertEquals(1, history.asked.size(), "it is repaired");
        assertInstanceOf(RestoreOutcome.Restored.class, history.restore(new Target.AtTxid(new Txid(before)), restored));
        assertArrayEquals(history.images.get(before), Files.readAllBytes(restored));
        assertLatest(history);
        history.goTo(time.nanoTime() + 3 * DAY);
        assertLatest(history);
    }

    @Test
    void noMergeReachesAcrossAHole() throws IOException, InterruptedException {
        History history = history(Levels.defaults());
        commits(history, 5, MINUTE);
        history.loseOne();
        long lost = history.txid();
        commits(history, 5, MINUTE);
        history.goTo(time.nanoTime() + DAY);
        for (int number = 0; number <= 9; number++) {
            for (TxidRange file : history.files(number)) {
                assertTrue(!file.contains(new Txid(lost)), "level " + number + " claims " + file);
            }
        }
    }

    private void assertPoint(History history, long txid) throws IOException, InterruptedException {
        Path restored = directory.resolve("restored");
        RestoreOutcome outcome = history.restore(new Target.AtTxid(new Txid(txid)), restored);
        assertInstanceOf(RestoreOutcome.Restored.class, outcome, "TXID " + txid);
        assertArrayEquals(history.images.get(txid), Files.readAllBytes(restored), "TXID " + txid);
    }

    @Test
    void everyLevelGoesOnBehindAChangeOfPageSize() throws IOException, InterruptedException {
        History history = history(Levels.defaults());
        commits(history, 40, MINUTE);
        long old = history.txid();
        history.bridgeWithPageSize(1024);
        commits(history, 40, MINUTE);
        history.bridgeWithPageSize(4096);
        history.bridgeWithPageSize(512); // twice without a commit between
        Txid bridged = new Txid(history.txid());
        commits(history, 40, MINUTE);
        history.goTo(time.nanoTime() + 2 * MINUTE);
        for (long txid = 1; txid <= history.txid(); txid++) {
            if (history.files(0).contains(TxidRange.of(new Txid(txid)))) {
                assertPoint(history, txid);
            }
        }
        assertPoint(history, old);
        assertPoint(history, old + 1);
        history.goTo(time.nanoTime() + Duration.ofHours(2).toNanos());
        assertEquals(List.of(), history.asked, "no complete copy is needed");
        assertEquals(0, history.maintenance().counters().failures());
        for (int number = 1; number <= 3; number++) {
            assertTrue(history.files(number).getLast().max().isAfter(bridged), "level " + number);
        }
        assertPoint(history, old);
        history.goTo(time.nanoTime() + 3 * DAY);
        assertEquals(1, history.files(0).size(), "retention goes on, too");
        assertEquals(1, history.files(9).size());
        assertLatest(history);
    }

    @Test
    void nothingIsDeletedOnceTheReplicaIsLost() throws IOException, InterruptedException {
        History history = history(Levels.defaults());
        commits(history, 60, 40 * MINUTE);
        history.lostReplicas.add(
                history.database(), history.replica.describe(), new ConflictException("another server writes"));
        Map<FaultyReplica.Kind, Long> before = history.replica.requests();
        history.goTo(time.nanoTime() + 3 * DAY);
        assertEquals(before, history.replica.requests());
        assertEquals(0, history.maintenance().waiting());
        CompletableFuture<Txid> asked = history.maintenance().snapshotNow(history.site());
        history.goTo(time.nanoTime() + MINUTE);
        assertInstanceOf(
                ConflictException.class,
                assertThrows(CompletionException.class, asked::join).getCause());
        assertEquals(before, history.replica.requests());
    }

    @Test
    void nothingIsDeletedWhereAnotherServerWentOnUnnoticed() throws IOException, InterruptedException {
        History history = history(Levels.defaults());
        commits(history, 60, 40 * MINUTE);
        long deleted = history.replica.count(FaultyReplica.Kind.DELETE);
        assertTrue(deleted > 0, "until then it was");
        history.anotherServerCommits();
        history.goTo(time.nanoTime() + 3 * DAY);
        assertEquals(deleted, history.replica.count(FaultyReplica.Kind.DELETE));
    }

    @Test
    void levelThatCannotBeWrittenDoesNotHoldUpTheRetentionOfL0() throws IOException, InterruptedException {
        History history = history(Levels.defaults());
        history.replica.refuse(new Level(2));
        commits(history, 60, MINUTE);
        assertTrue(history.maintenance().counters().failures() > 0);
        assertTrue(history.files(0).size() < 20, history.files(0).size() + " files at level 0");
        assertEquals(List.of(), history.files(2));
        assertLatest(history);
    }

    @Test
    void damagedFileCountsAsMissing() throws IOException, InterruptedException {
        History history = history(Levels.defaults());
        commits(history, 10, MINUTE);
        history.goTo(time.nanoTime() + MINUTE);
        history.commit();
        TxidRange newest = history.files(0).getLast();
        byte[] bytes = Files.readAllBytes(history.path(0, newest));
        bytes[bytes.length / 2] ^= 1;
        Files.write(history.path(0, newest), bytes);
        commits(history, 3, MINUTE);
        history.goTo(time.nanoTime() + MINUTE);
        assertEquals(1, history.asked.size(), "a complete copy is asked for: " + history.asked);
        history.commitCompleteCopy();
        commits(history, 3, MINUTE);
        history.goTo(time.nanoTime() + 3 * DAY);
        assertLatest(history);
    }

    @Test
    void nothingIsDeletedWhereSomethingElseDeletes() throws IOException, InterruptedException {
        History history = history(Levels.defaults().withDeletes(false));
        commits(history, 120, 40 * MINUTE);
        history.goTo(time.nanoTime() + 2 * DAY);
        assertEquals(0, history.replica.count(FaultyReplica.Kind.DELETE));
        assertEquals(120, history.files(0).size());
        assertTrue(history.maintenance().counters().deleted() > 0, "but given up");
        assertLatest(history);
    }

    @Test
    void lostIndexIsMadeAgainFromAListing() throws IOException, InterruptedException {
        History history = history(Levels.defaults());
        commits(history, 100, 10 * MINUTE);
        history.restart(true);
        try (var files = Files.list(history.meta())) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        history.restart(false);
        long before = history.replica.count(FaultyReplica.Kind.LIST);
        commits(history, 100, 10 * MINUTE);
        assertEquals(before + 10, history.replica.count(FaultyReplica.Kind.LIST), "every level once");
        history.goTo(time.nanoTime() + 2 * DAY);
        assertLatest(history);
        assertEquals(List.of(), history.asked);
    }

    @Test
    void indexOfBeforeIsNotBelievedWhenTheReplicaWentOn() throws IOException, InterruptedException {
        History history = history(Levels.defaults());
        commits(history, 50, 10 * MINUTE);
        history.restart(true);
        Path index = history.meta().resolve("loomstream.levels");
        byte[] old = Files.readAllBytes(index);
        commits(history, 60, 40 * MINUTE);
        history.restart(true);
        Files.write(index, old); // a power cut brought it back
        history.restart(false);
        commits(history, 50, 10 * MINUTE);
        history.goTo(time.nanoTime() + 2 * DAY);
        assertLatest(history);
        assertEquals(List.of(), history.asked);
    }

    @ParameterizedTest
    @EnumSource(FaultyReplica.Fault.class)
    void faultAtAnyRequestLeavesEverythingRestorable(FaultyReplica.Fault fault)
            throws IOException, InterruptedException {
        for (int request = 0; request < 24; request++) {
            Path place = Files.createDirectory(directory.resolve(fault + "-" + request));
            SimulatedTime own = new SimulatedTime();
            History history = new History(place, new Random(request), Levels.defaults(), own);
            history.replica.failAfter(request, fault);
            for (int i = 0; i < 6; i++) {
                history.goTo(own.nanoTime() + Duration.ofHours(5).toNanos() + i);
                history.commit();
            }
            history.goTo(own.nanoTime() + 3 * DAY);
            String what = fault + " at request " + request;
            assertEquals(List.of(), history.asked, what);
            assertEquals(1, history.files(9).size(), what);
            assertEquals(1, history.files(0).size(), what);
            Path restored = place.resolve("restored");
            assertInstanceOf(RestoreOutcome.Restored.class, history.restore(new Target.Latest(), restored), what);
            assertArrayEquals(history.images.get(history.txid()), Files.readAllBytes(restored), what);
        }
    }

    @Test
    void restoreThatRetentionOvertakesIsRightOrFails() throws IOException, InterruptedException {
        History history = history(Levels.defaults());
        commits(history, 150, 10 * MINUTE);
        history.replica.atNextOpen(() -> commits(history, 90, 30 * MINUTE));
        Path restored = directory.resolve("overtaken");
        RestoreOutcome outcome = Restore.from(history.replica, RestoreProgress.NONE)
                .inParallel(1)
                .run(RestoreRequest.latest(restored));
        long reached = assertInstanceOf(RestoreOutcome.Restored.class, outcome)
                .plan()
                .reached()
                .value();
        assertTrue(reached >= 150, "not older than what was promised: " + reached);
        assertArrayEquals(history.images.get(reached), Files.readAllBytes(restored));
    }

    @Test
    void snapshotAndCompactionCanBeHadAtOnce() throws IOException, InterruptedException {
        History history = history(Levels.defaults());
        commits(history, 3, 1);
        CompletableFuture<Txid> compacted = history.maintenance().compactNow(history.site());
        CompletableFuture<Txid> snapshot = history.maintenance().snapshotNow(history.site());
        history.maintenance().runDue();
        assertEquals(new Txid(3), compacted.join());
        assertEquals(new Txid(3), snapshot.join());
        TxidRange all = new TxidRange(Txid.ONE, new Txid(3));
        for (int number : new int[] {1, 2, 3, 9}) {
            assertEquals(List.of(all), history.files(number), "level " + number);
        }
        history.loseOne();
        history.commit();
        CompletableFuture<Txid> broken = history.maintenance().snapshotNow(history.site());
        history.maintenance().runDue();
        assertThrows(CompletionException.class, broken::join);
        assertEquals(1, history.asked.size());
    }
}
