package io.loomstream.engine.compaction;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.restore.RestoreOutcome;
import io.loomstream.engine.restore.Target;
import io.loomstream.engine.testing.Seed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a failing store, jumping clocks and other servers do to the maintenance of a replica. */
class HardTimesTest {
    private static final long SECOND = Duration.ofSeconds(1).toNanos();
    private static final long MINUTE = Duration.ofMinutes(1).toNanos();
    private static final long DAY = Duration.ofDays(1).toNanos();

    @TempDir
    Path directory;

    private final SimulatedTime time = new SimulatedTime();

    private History history() throws IOException {
        return new History(directory, Seed.random("hardTimes"), Levels.defaults(), time);
    }

    private void commits(History history, int count, long pauseNanos) throws IOException, InterruptedException {
        for (int i = 0; i < count; i++) {
            history.goTo(time.nanoTime() + pauseNanos);
            history.commit();
        }
    }

    private void assertLatest(History history, Path restored) throws IOException, InterruptedException {
        assertInstanceOf(RestoreOutcome.Restored.class, history.restore(new Target.Latest(), restored));
        assertArrayEquals(history.images.get(history.txid()), Files.readAllBytes(restored));
    }

    @Test
    void busyDatabaseWhoseMergesFailIsTriedLessAndLess() throws IOException, InterruptedException {
        History history = history();
        history.replica.refuse(new Level(1));
        commits(history, 900, SECOND);
        long turns = history.maintenance().counters().failures();
        assertTrue(turns < 20, turns + " tries in a quarter of an hour");
        assertTrue(turns >= 5, "but it is tried: " + turns);
        history.replica.refuse(new Level(8));
        history.goTo(time.nanoTime() + 10 * MINUTE);
        long left = history.txid() - history.files(1).getLast().max().value();
        assertTrue(left <= 1, "it goes on where it stood, up to the newest, which waits for company: " + left);
        assertLatest(history, directory.resolve("restored"));
    }

    @Test
    void pageSizeThatChangesWithinLevelZeroIsBridgedHoweverManyFilesThereAre()
            throws IOException, InterruptedException {
        History history = history();
        commits(history, 40, SECOND / 100);
        history.changePageSizeWithinLevelZero(1024);
        commits(history, 40, SECOND / 100);
        history.goTo(time.nanoTime() + 2 * MINUTE);
        assertEquals(1, history.asked.size(), "a complete copy is asked for: " + history.asked);
        history.commitCompleteCopy();
        commits(history, 40, SECOND / 100);
        history.goTo(time.nanoTime() + 10 * MINUTE);
        assertEquals(new Txid(history.txid()), history.files(1).getLast().max(), "level 1 goes on");
        history.goTo(time.nanoTime() + 3 * DAY);
        assertLatest(history, directory.resolve("restored"));
    }

    @Test
    void nothingIsDeletedWhereAnotherServerWentOnAndTrimmedWhatItWrote() throws IOException, InterruptedException {
        History history = history();
        commits(history, 60, 40 * MINUTE);
        long deleted = history.replica.count(FaultyReplica.Kind.DELETE);
        assertTrue(deleted > 0, "until then it was");
        history.goTo(time.nanoTime() + 2 * 60 * MINUTE); // every level is up to date
        deleted = history.replica.count(FaultyReplica.Kind.DELETE);
        history.anotherServerTrims();
        history.goTo(time.nanoTime() + 3 * DAY);
        assertEquals(deleted, history.replica.count(FaultyReplica.Kind.DELETE));
    }

    @Test
    void nothingIsDeletedWhereAnotherServerTrimmedWhatWasToBeMerged() throws IOException, InterruptedException {
        History history = history();
        commits(history, 60, 40 * MINUTE);
        long deleted = history.replica.count(FaultyReplica.Kind.DELETE);
        assertTrue(deleted > 0, "until then it was");
        history.anotherServerTrims(); // the last commit is at level 0 only
        history.goTo(time.nanoTime() + 3 * DAY);
        assertEquals(deleted, history.replica.count(FaultyReplica.Kind.DELETE));
    }

    @Test
    void clockThatWasWrongAtTheStartIsBelievedADayAfterItWasPutRight() throws IOException, InterruptedException {
        History history = history();
        commits(history, 3, MINUTE);
        time.jump(Duration.ofDays(20_000));
        commits(history, 3 * 24, 60 * MINUTE);
        assertTrue(
                history.files(0).size() < 60,
                "level 0 is trimmed again: " + history.files(0).size());
        history.goTo(time.nanoTime() + 3 * DAY);
        assertEquals(1, history.files(0).size());
        assertEquals(1, history.files(9).size());
        assertLatest(history, directory.resolve("restored"));
    }

    @Test
    void workThatIsDueIsToldUntilThereIsNone() throws IOException, InterruptedException {
        History history = history();
        assertEquals(Optional.empty(), history.maintenance().due(history.site()));
        commits(history, 2, MINUTE);
        Duration due = history.maintenance().due(history.site()).orElseThrow();
        assertTrue(due.compareTo(Duration.ofSeconds(61)) < 0, "a level 1 interval and its jitter: " + due);
        history.goTo(time.nanoTime() + 10 * 60 * MINUTE);
        assertTrue(history.maintenance().due(history.site()).isPresent(), "a snapshot is to be made");
        history.goTo(time.nanoTime() + 3 * DAY);
        assertEquals(Optional.empty(), history.maintenance().due(history.site()));
    }

    private void assertRestores(History history, long txid) throws IOException, InterruptedException {
        Path restored = directory.resolve("restored");
        RestoreOutcome outcome = history.restore(new Target.AtTxid(new Txid(txid)), restored);
        assertInstanceOf(RestoreOutcome.Restored.class, outcome, "TXID " + txid + " at " + history.now());
        assertArrayEquals(history.images.get(txid), Files.readAllBytes(restored));
    }

    @Test
    void stateThatWasCurrentLessThanARetentionAgoCanBeRestored() throws IOException, InterruptedException {
        History history = history();
        commits(history, 2, MINUTE);
        history.goTo(time.nanoTime() + 30 * DAY);
        long good = history.txid();
        commits(history, 3, MINUTE); // a mistake, say
        history.goTo(time.nanoTime() + 23 * 60 * MINUTE);
        assertRestores(history, good);
        history.goTo(time.nanoTime() + 3 * DAY);
        assertEquals(1, history.files(9).size(), "but not for ever");
    }

    @Test
    void snapshotThatReplacesAnOldOneDoesNotTakeTheStateBeforeItAway() throws IOException, InterruptedException {
        History history = history();
        commits(history, 8, 20 * MINUTE);
        history.goTo(time.nanoTime() + 30 * DAY);
        long good = history.txid();
        Instant midnight = Levels.boundaryAfter(history.now(), Duration.ofDays(1));
        history.goTo(time.nanoTime()
                + Duration.between(history.now(), midnight.minusSeconds(120)).toNanos());
        history.commit(); // a mistake, two minutes before the next snapshot
        history.goTo(time.nanoTime() + 20 * 60 * MINUTE);
        assertEquals(2, history.files(9).size(), "the new snapshot is there");
        assertRestores(history, good);
        history.goTo(time.nanoTime() + 3 * DAY);
        assertEquals(1, history.files(9).size(), "but not for ever");
    }

    /** By the hour: whatever was the newest state a retention ago or later is there, at every moment of a week. */
    @Test
    void everyMomentOfTheLastRetentionCanBeRestored() throws IOException, InterruptedException {
        History history = history();
        Map<Long, Instant> written = new TreeMap<>();
        long begun = time.nanoTime();
        for (int hour = 0; hour < 7 * 24; hour++) {
            history.commit();
            written.put(history.txid(), history.now());
            history.goTo(begun + (hour + 1L) * 60 * MINUTE);
            Instant ago = history.now().minus(Duration.ofDays(1));
            Optional<Long> then = written.entrySet().stream()
                    .filter(entry -> !entry.getValue().isAfter(ago))
                    .map(Map.Entry::getKey)
                    .reduce((a, b) -> b);
            if (then.isPresent()) {
                assertRestores(history, then.get());
            }
        }
        assertTrue(history.files(9).size() <= 3, () -> "snapshots: " + history.files(9));
    }
}
