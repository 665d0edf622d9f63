package io.loomstream.engine.restore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.replica.ReplicaFile;
import io.loomstream.engine.restore.PlanOutcome.Broken;
import io.loomstream.engine.restore.PlanOutcome.NotAvailable;
import io.loomstream.engine.restore.PlanOutcome.Planned;
import io.loomstream.engine.restore.PlanOutcome.Reason;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Which files a restore takes, and what it says when there are none. */
class RestorePlannerTest {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    private static final Target LATEST = new Target.Latest();

    @TempDir
    Path directory;

    @TestFactory
    Stream<DynamicTest> plansExactlyWhereLitestreamRestores() throws Exception {
        List<DynamicTest> tests = new ArrayList<>();
        for (String name : Fixture.NAMES) {
            Fixture fixture = Fixture.copy(name, directory);
            Listing listing = Listing.of(fixture.client());
            for (Fixture.Expectation expectation : fixture.expectations()) {
                tests.add(DynamicTest.dynamicTest(
                        expectation.toString(),
                        () -> assertEquals(
                                expectation.refused(),
                                !(RestorePlanner.plan(listing, expectation.target()) instanceof Planned))));
            }
        }
        assertTrue(tests.size() > 400, tests.size() + " expectations");
        return tests.stream();
    }

    @Test
    void newestSnapshotIsContinuedByTheFilesThatReachFurthest() {
        Listing listing = listing("9:1-4", "9:1-8", "2:5-8", "1:9-10", "2:9-12", "0:11-11", "0:12-12", "0:13-13");

        assertEquals(
                files("9:1-8", "2:9-12", "0:13-13"), planned(listing, LATEST).files());
    }

    @Test
    void equalEndsPreferTheEarlierStartThenTheHigherLevelThenTheOlderFile() {
        assertEquals(
                files("0:1-3", "1:2-9"),
                planned(listing("0:1-3", "0:4-9", "1:2-9"), LATEST).files());
        assertEquals(
                files("0:1-3", "2:4-9"),
                planned(listing("0:1-3", "1:4-9", "2:4-9"), LATEST).files());
    }

    @Test
    void filesMayOverlap() {
        assertEquals(
                files("0:1-5", "1:3-8", "2:7-12"),
                planned(listing("0:1-5", "1:3-8", "2:7-12"), LATEST).files());
    }

    @Test
    void txidIsAvailableOnlyWhereAFileEnds() {
        Listing listing = listing("9:1-4", "1:5-8", "0:9-9");

        assertEquals(files("9:1-4", "1:5-8"), planned(listing, at(8)).files());
        NotAvailable merged = unavailable(listing, at(6));
        assertEquals(Reason.AGED_OUT, merged.reason());
        assertEquals(Optional.of(new Txid(4)), merged.before());
        assertEquals(Optional.of(new Txid(8)), merged.after());
    }

    @Test
    void reasonsWhyATxidIsNotAvailableAreToldApart() {
        assertEquals(Reason.NOTHING_STORED, unavailable(listing(), at(1)).reason());
        assertEquals(Reason.AGED_OUT, unavailable(listing("9:1-9"), at(3)).reason());
        assertEquals(Reason.NOT_THERE_YET, unavailable(listing("9:1-9"), at(10)).reason());
        NotAvailable broken = unavailable(listing("0:1-1", "0:2-2", "0:4-4"), at(4));
        assertEquals(Reason.CHAIN_BROKEN, broken.reason());
        assertEquals(Optional.of(new Txid(2)), broken.before());
        assertEquals(Optional.empty(), broken.after());
        assertTrue(broken.message().contains(new Txid(2).toString()), broken.message());
        assertEquals(
                Reason.CHAIN_BROKEN,
                unavailable(listing("0:5-5", "0:6-6"), LATEST).reason());
    }

    @Test
    void latestWithAHoleIsRefusedAndNamesBothEnds() {
        Broken broken = assertInstanceOf(
                Broken.class, RestorePlanner.plan(listing("0:1-1", "0:2-2", "0:6-6", "1:5-6"), LATEST));

        assertEquals(new Txid(2), broken.reached());
        assertEquals(new RestorePlan.Hole(new Txid(3), new Txid(4)), broken.hole());
    }

    @Test
    void targetInTimeIsStrictAndTiesAreResolvedByTxid() {
        Listing listing = new Listing(
                List.of(file(0, 1, 1, START), file(0, 2, 2, START.plusMillis(5)), file(0, 3, 3, START.plusMillis(5))));

        assertEquals(new Txid(1), planned(listing, before(START.plusMillis(5))).reached());
        assertEquals(new Txid(1), planned(listing, before(START.plusNanos(1))).reached());
        assertEquals(
                new Txid(3),
                planned(listing, before(START.plusMillis(5).plusNanos(1))).reached());
        assertEquals(Reason.AGED_OUT, unavailable(listing, before(START)).reason());
    }

    @Test
    void targetInTimeReportsTheHoleThatEndsIt() {
        Listing listing = new Listing(List.of(
                file(0, 1, 1, START), file(0, 4, 4, START.plusSeconds(4)), file(0, 5, 5, START.plusSeconds(5))));

        RestorePlan over = planned(listing, before(START.plusSeconds(10)));
        assertEquals(new Txid(1), over.reached());
        assertEquals(START, over.reachedAt());
        assertEquals(Optional.of(new RestorePlan.Hole(new Txid(2), new Txid(3))), over.hole());
        assertEquals(
                Optional.empty(), planned(listing, before(START.plusSeconds(4))).hole());
    }

    @Test
    void snapshotThatDoesNotStartTheHistoryIsPassedOver() {
        assertEquals(files("0:1-1"), planned(listing("0:1-1", "9:2-7"), at(1)).files());
    }

    @Test
    void txidZeroIsNoTarget() {
        assertThrows(IllegalArgumentException.class, () -> new Target.AtTxid(Txid.ZERO));
    }

    /** Against a search that tries every order: what is reachable, and that a plan is a chain of admitted files. */
    @Test
    void everyTxidIsPlannedIfAndOnlyIfSomeChainEndsThere() {
        long seed = Long.getLong("seed", System.nanoTime());
        System.out.println("seed=" + seed);
        Random random = new Random(seed);
        for (int round = 0; round < 2_000; round++) {
            List<ReplicaFile> files = new ArrayList<>();
            int count = random.nextInt(9);
            for (int i = 0; i < count; i++) {
                int level = random.nextInt(10);
                int min = level == 9 ? 1 : 1 + random.nextInt(10);
                files.add(file(level, min, min + random.nextInt(4), START));
            }
            Listing listing = new Listing(files);
            Set<Txid> reachable = reachable(files);

            assertEquals(reachable, listing.restorablePoints(), () -> "seed=" + seed + " " + files);
            for (int txid = 1; txid <= 14; txid++) {
                PlanOutcome outcome = RestorePlanner.plan(listing, at(txid));
                assertEquals(
                        reachable.contains(new Txid(txid)),
                        outcome instanceof Planned,
                        "seed=" + seed + " TXID " + txid + " of " + files);
                if (outcome instanceof Planned planned) {
                    assertChain(planned.plan(), new Txid(txid));
                }
            }
        }
    }

    private static Set<Txid> reachable(List<ReplicaFile> files) {
        Set<Txid> reached = new TreeSet<>();
        boolean grew = true;
        while (grew) {
            grew = false;
            for (ReplicaFile file : files) {
                Txid before = file.range().min().previous();
                boolean starts = before.isZero();
                boolean continues = file.level().number() < 9
                        && reached.stream()
                                .anyMatch(point -> point.compareTo(before) >= 0
                                        && point.compareTo(file.range().max()) < 0);
                grew |= (starts || continues) && reached.add(file.range().max());
            }
        }
        return reached;
    }

    private static void assertChain(RestorePlan plan, Txid end) {
        Txid reached = Txid.ZERO;
        for (ReplicaFile file : plan.files()) {
            assertFalse(file.range().min().isAfter(reached.next()), plan.toString());
            assertTrue(file.range().max().isAfter(reached), plan.toString());
            reached = file.range().max();
        }
        assertEquals(end, reached);
    }

    private static RestorePlan planned(Listing listing, Target target) {
        return assertInstanceOf(Planned.class, RestorePlanner.plan(listing, target))
                .plan();
    }

    private static NotAvailable unavailable(Listing listing, Target target) {
        return assertInstanceOf(NotAvailable.class, RestorePlanner.plan(listing, target));
    }

    private static Target at(long txid) {
        return new Target.AtTxid(new Txid(txid));
    }

    private static Target before(Instant moment) {
        return new Target.Before(moment);
    }

    private static Listing listing(String... specs) {
        return new Listing(files(specs));
    }

    /** Each spec is {@code level:min-max}. */
    private static List<ReplicaFile> files(String... specs) {
        return Arrays.stream(specs)
                .map(spec -> spec.split("[:-]", 3))
                .map(part ->
                        file(Integer.parseInt(part[0]), Integer.parseInt(part[1]), Integer.parseInt(part[2]), START))
                .toList();
    }

    private static ReplicaFile file(int level, int min, int max, Instant createdAt) {
        return new ReplicaFile(new Level(level), new TxidRange(new Txid(min), new Txid(max)), 100, createdAt);
    }
}
