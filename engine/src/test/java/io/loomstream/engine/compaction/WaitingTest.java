package io.loomstream.engine.compaction;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.concurrent.Gate;
import io.loomstream.engine.concurrent.TaskScope;
import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.replica.ReplicaFile;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Databases of a fleet that only wait for their time. */
class WaitingTest {
    private static final int MANY = 100_000;
    private static final Duration DAY = Duration.ofDays(1);

    private final SimulatedTime time = new SimulatedTime();
    private final Map<Integer, String> names = new ConcurrentHashMap<>();
    private final AtomicInteger working = new AtomicInteger();
    private final AtomicInteger most = new AtomicInteger();
    private final AtomicInteger worked = new AtomicInteger();
    private volatile CountDownLatch mayEnd = new CountDownLatch(0);

    @TempDir
    Path directory;

    private final SiteTable table = new SiteTable() {
        @Override
        public Optional<Site> site(int row) {
            return Optional.ofNullable(names.get(row)).map(name -> new Tenant(WaitingTest.this, name, row));
        }
    };

    /** Is not replicated any more when its turn comes, but takes its time to say so. */
    private record Tenant(WaitingTest test, String name, int row) implements Site {
        @Override
        public Optional<SiteTable.Seat> seat() {
            return Optional.of(new SiteTable.Seat(test.table, row));
        }

        @Override
        public Optional<Subject> subject() {
            test.most.accumulateAndGet(test.working.incrementAndGet(), Math::max);
            try {
                test.mayEnd.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            test.working.decrementAndGet();
            test.worked.incrementAndGet();
            return Optional.empty();
        }

        @Override
        public void wantsCompleteCopy(String why) {}
    }

    private Site tenant(int row) {
        String name = names.computeIfAbsent(
                row, number -> "/data/project-%04d/tenant-%06d.db".formatted(number / 100, number));
        return new Tenant(this, name, row);
    }

    private Instant in(Duration duration) {
        return time.now().plus(duration);
    }

    @Test
    void hundredThousandThatWaitTakeLessThanFortyBytesEach() {
        Waiting waiting = new Waiting(time);
        long none = waiting.parkedBytes();
        for (int row = 0; row < MANY; row++) {
            waiting.dueAt(tenant(row), in(DAY.plusSeconds(row % 8_640)));
        }
        assertEquals(MANY, waiting.size());
        assertEquals(List.of(), waiting.units(), "objects that are kept");
        double bytes = (waiting.parkedBytes() - none) / (double) MANY;
        System.out.printf("%.1f bytes a database that waits%n", bytes);
        assertTrue(bytes <= 40, bytes + " bytes a database that waits");
    }

    @Test
    void eachHasItsTurnUnderItsNameAndNotBeforeItsTime() {
        Waiting waiting = new Waiting(time);
        for (int row = 0; row < 100; row++) {
            waiting.dueAt(tenant(row), in(Duration.ofMillis(1_500L * (100 - row))));
        }
        List<String> taken = new ArrayList<>();
        while (waiting.size() > 0) {
            time.goTo(waiting.nextDueNanos().orElseThrow());
            Unit unit = waiting.next(Waiting.Lane.COMPACTION);
            assertNotNull(unit);
            int row = 99 - taken.size();
            assertEquals(names.get(row), unit.site().name());
            assertTrue(time.nanoTime() >= 1_500_000_000L * (100 - row), "before its time");
            taken.add(unit.site().name());
            waiting.dismissed(unit);
        }
        assertEquals(100, taken.size());
    }

    @Test
    void rowThatIsAnotherDatabasesByNowInheritsNothing() {
        Waiting waiting = new Waiting(time);
        waiting.dueAt(tenant(1), in(DAY));
        waiting.dueAt(tenant(2), in(DAY));
        names.put(1, "/data/another.db");
        names.remove(2);
        time.goTo(DAY.plusHours(1).toNanos());
        assertNull(waiting.next(Waiting.Lane.COMPACTION));
        assertEquals(0, waiting.size());

        waiting.dueAt(tenant(3), in(DAY));
        names.put(3, "/data/third.db");
        waiting.dueAt(tenant(3), in(DAY.multipliedBy(3)));
        time.goTo(DAY.multipliedBy(3).toNanos());
        assertNull(waiting.next(Waiting.Lane.COMPACTION), "it is the other one's time");
        time.goTo(DAY.multipliedBy(5).toNanos());
        Unit unit = waiting.next(Waiting.Lane.COMPACTION);
        assertNotNull(unit);
        assertEquals("/data/third.db", unit.site().name());
    }

    @Test
    void newsNeitherForgetNorDoubleWhatIsDue() {
        Waiting waiting = new Waiting(time);
        Levels rare = Levels.defaults().withIntervals(List.of(DAY.multipliedBy(20)));
        for (int i = 0; i < 50; i++) {
            waiting.dueAt(tenant(1), in(DAY));
            TxidRange range = TxidRange.of(new Txid(i + 1));
            waiting.stored(tenant(1), rare, new ReplicaFile(Level.L0, range, 100, time.now()), 1);
            assertEquals(1, waiting.size());
            Unit unit = waiting.unitOf(tenant(1));
            assertEquals(DAY.toNanos() * (i + 1), unit.dueNanos, "as it was");
            time.goTo(unit.dueNanos);
            assertEquals(unit, waiting.next(Waiting.Lane.COMPACTION));
            waiting.takeNews(unit);
            waiting.ended(unit, rare, new Turn.Result(Optional.of(in(DAY)), false, null));
            assertEquals(List.of(), waiting.units());
            assertNull(waiting.next(Waiting.Lane.COMPACTION), "a second turn");
        }
    }

    @Test
    void workThatCouldNotBeginIsTriedAgain() {
        Waiting waiting = new Waiting(time);
        waiting.dueAt(tenant(1), in(DAY));
        time.goTo(DAY.toNanos());
        Unit unit = waiting.next(Waiting.Lane.COMPACTION);
        assertNotNull(unit);
        unit.failures++;
        waiting.failed(unit, Unit.News.NONE);
        assertEquals(1, waiting.size());
        assertTrue(waiting.nextDueNanos().orElseThrow() > time.nanoTime());
    }

    @Test
    void dueTimesOfOneHourAreSpreadOverTheTenthOfADay() throws IOException {
        Instant now = Instant.parse("2026-03-01T10:00:00Z");
        Stored first = new Stored(new ReplicaFile(Level.L0, TxidRange.of(Txid.ONE), 100, now.minusSeconds(60)), 1);
        Stored change = new Stored(new ReplicaFile(Level.L0, TxidRange.of(new Txid(2)), 100, now.minusSeconds(30)), 1);
        int[] perMinute = new int[144];
        try (LevelIndex index = LevelIndex.create(directory.resolve("index"), "x", List.of(first, change))) {
            for (int row = 0; row < MANY; row++) {
                double share = new Unit(tenant(row), row).share();
                Instant due = new Schedule(Levels.defaults(), share, now)
                        .all(index).stream()
                                .filter(one -> one.task() instanceof Schedule.Task.Snapshot)
                                .findFirst()
                                .orElseThrow()
                                .at();
                perMinute[
                        (int) Duration.between(Instant.parse("2026-03-02T00:00:00Z"), due)
                                .toMinutes()]++;
            }
        }
        int mean = MANY / perMinute.length;
        for (int minute = 0; minute < perMinute.length; minute++) {
            assertTrue(
                    perMinute[minute] > mean / 2 && perMinute[minute] < 2 * mean,
                    perMinute[minute] + " in minute " + minute + ", " + mean + " would be even");
        }
    }

    @Test
    void gatesBoundWhatRunsWhenEverybodyIsDueAtOnce() throws Exception {
        for (boolean snapshots : new boolean[] {false, true}) {
            int bound = snapshots ? 50 : 20;
            int databases = 2_000;
            most.set(0);
            worked.set(0);
            mayEnd = new CountDownLatch(1);
            Maintenance maintenance = new Maintenance(
                    new Gate("compaction", 20), new Gate("snapshot", 50), Time.system(), CodecResources.shared());
            List<CompletableFuture<Txid>> asked = new ArrayList<>();
            for (int row = 0; row < databases; row++) {
                Site tenant = tenant(row);
                asked.add(snapshots ? maintenance.snapshotNow(tenant) : maintenance.compactNow(tenant));
            }
            try (TaskScope dispatchers = TaskScope.openSupervised("dispatch", failure -> {});
                    TaskScope tasks = TaskScope.openSupervised("work", failure -> {})) {
                maintenance.dispatchIn(dispatchers, tasks);
                Awaitility.await().atMost(Duration.ofMinutes(1)).until(() -> working.get() == bound);
                mayEnd.countDown();
                Awaitility.await()
                        .atMost(Duration.ofMinutes(1))
                        .until(() -> worked.get() == databases && maintenance.waiting() == 0);
                dispatchers.cancel();
            }
            assertEquals(bound, most.get(), "at the same time");
            assertTrue(asked.stream().allMatch(CompletableFuture::isCompletedExceptionally), "each was answered");
        }
    }
}
