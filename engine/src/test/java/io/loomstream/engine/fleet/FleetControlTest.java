package io.loomstream.engine.fleet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.fleet.DatabaseQuery.Sort;
import io.loomstream.engine.testing.SmallFleet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What can be seen of a running fleet, and ordered, with real databases and real writers. */
class FleetControlTest {
    @TempDir
    Path directory;

    private SmallFleet fleet;
    private FleetControl control;

    @BeforeEach
    void make() throws IOException {
        fleet = new SmallFleet(directory);
    }

    @AfterEach
    void close() throws Exception {
        fleet.close();
    }

    private void start() {
        control = fleet.start().control(100);
    }

    private void awaitCold(int databases) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .until(() -> control.tiers().databases().get(Tier.COLD_CLEAN) == databases);
    }

    /** What has just been copied for the first time stays hot for a while: until it is told to leave. */
    private void awaitColdOnceDemoted(int databases) {
        Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> {
            control.hotList(1_000).forEach(found -> control.demote(found.id()));
            return control.tiers().databases().get(Tier.COLD_CLEAN) == databases;
        });
    }

    private static DatabaseId id(Path path) {
        return DatabaseId.of(path.toString());
    }

    private FoundDatabase look(Path path) {
        return control.database(id(path)).orElseThrow();
    }

    private void awaitTier(Path path, Tier tier) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(20))
                .until(() -> look(path).tier().equals(Optional.of(tier)));
    }

    private List<String> allPages(DatabaseQuery query, int limit) {
        List<String> paths = new ArrayList<>();
        Optional<String> cursor = Optional.empty();
        do {
            DatabasePage page = control.databases(query, cursor, limit);
            assertTrue(page.items().size() <= limit);
            page.items().forEach(item -> paths.add(item.id().path()));
            cursor = page.next();
        } while (cursor.isPresent());
        return paths;
    }

    @Test
    void pagesOfAnySizeAndOrderHoldEveryDatabaseOnce() throws Exception {
        TreeSet<String> all = new TreeSet<>();
        for (int i = 0; i < 23; i++) {
            all.add(fleet.make("p" + i % 4 + "/databases/d" + i % 3 + "/branches/main/tenants/t" + i + ".db")
                    .toString());
        }
        Path named = directory.resolve("named.db");
        fleet.make(named);
        fleet.withNamed(named);
        all.add(named.toString());
        start();
        awaitCold(23);
        for (Sort sort : Sort.values()) {
            for (int limit : new int[] {1, 5, 24, 1000}) {
                List<String> pages = allPages(DatabaseQuery.ALL.by(sort), limit);
                assertEquals(24, pages.size(), sort + " by " + limit);
                assertEquals(all, new TreeSet<>(pages), sort + " by " + limit);
            }
        }
        assertEquals(List.copyOf(all), allPages(DatabaseQuery.ALL.by(Sort.PATH), 7));
    }

    @Test
    void aQuerySelectsByTierProjectDatabaseAndPartOfThePath() throws Exception {
        Path one = fleet.make("acme/databases/crm/branches/main/tenants/Alice.db");
        Path two = fleet.make("acme/databases/shop/branches/main/tenants/bob.db");
        Path three = fleet.make("other/carol.db");
        start();
        awaitCold(3);
        assertEquals(
                List.of(one.toString()),
                allPages(
                        new DatabaseQuery(
                                Optional.of(TierFilter.COLD),
                                Optional.of(Tier.COLD_CLEAN),
                                Optional.of("acme"),
                                Optional.of("crm"),
                                Optional.of("aLICE"),
                                Sort.TABLE),
                        10));
        assertEquals(List.of(), allPages(DatabaseQuery.ALL.in(TierFilter.HOT), 10));
        FoundDatabase found = look(two);
        assertEquals("acme", found.names().project());
        assertEquals("shop", found.names().database());
        assertEquals("bob", found.names().tenant());
        assertEquals("other", look(three).names().project());
        assertTrue(found.progress().lastWrite().isPresent());
        assertEquals(Optional.empty(), control.database(DatabaseId.of("/no/such.db")));
    }

    @Test
    void aCursorOfAnotherListOrNoneIsRefused() {
        start();
        for (String bad : List.of("", "x", "r", "r1", "r1.", "r-1.0", "r1.-1", "a5.!!", "r99999999999.1", "a0.AA")) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> control.databases(DatabaseQuery.ALL, Optional.of(bad), 10),
                    bad);
        }
        assertEquals(
                List.of(),
                control.databases(DatabaseQuery.ALL, Optional.of("r77.5"), 10).items());
    }

    @Test
    void onlyOneSpellingOfAnIdIsTaken() {
        assertEquals(
                "/a/b.db", DatabaseId.parse(DatabaseId.of("/a/b.db").text()).path());
        for (String bad : List.of("", "=", "a", "L2E=", "L2F", "../etc", "L2Ev\n", "é", "A".repeat(10_000))) {
            assertThrows(IllegalArgumentException.class, () -> DatabaseId.parse(bad), bad);
        }
    }

    @Test
    void aPromotedDatabaseIsHotUntilItIsDemoted() throws Exception {
        fleet.withHotDuration(Duration.ofMinutes(5)).withHotMax(1);
        Path one = fleet.make("a/one.db");
        Path two = fleet.make("a/two.db");
        start();
        awaitColdOnceDemoted(2);
        assertInstanceOf(Ordered.Done.class, control.promote(id(one)).orElseThrow());
        awaitTier(one, Tier.HOT);
        assertEquals(
                List.of(one.toString()),
                control.hotList(1_000).stream().map(found -> found.id().path()).toList());
        assertInstanceOf(Ordered.Refused.class, control.promote(id(two)).orElseThrow(), "there is one place only");
        assertInstanceOf(Ordered.Refused.class, control.demote(id(two)).orElseThrow());
        assertInstanceOf(Ordered.Done.class, control.demote(id(one)).orElseThrow());
        awaitTier(one, Tier.COLD_CLEAN);
        assertEquals(Optional.empty(), control.promote(DatabaseId.of("/no/such.db")));
    }

    @Test
    void whatIsWrittenWhileHotComesFirstInTheOrderOfWrites() throws Exception {
        fleet.withHotDuration(Duration.ofMinutes(5));
        Path one = fleet.make("a/one.db");
        Path two = fleet.make("a/two.db");
        start();
        awaitColdOnceDemoted(2);
        for (Path written : List.of(one, two, one)) {
            control.promote(id(written));
            awaitTier(written, Tier.HOT);
            Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> {
                fleet.app()
                        .open("a", written)
                        .exec("a", "insert into t values (1)")
                        .close("a");
                return allPages(DatabaseQuery.ALL.by(Sort.LAST_WRITE), 1)
                        .getFirst()
                        .equals(written.toString());
            });
        }
    }

    @Test
    void aPausedDatabaseWaitsAndLosesNothing() throws Exception {
        Path database = fleet.make("a/one.db");
        start();
        awaitCold(1);
        assertInstanceOf(Ordered.Done.class, control.pause(id(database)).orElseThrow());
        fleet.app().open("a", database).exec("a", "insert into t values (1)").close("a");
        Awaitility.await().until(() -> control.tiers().heldBack() == 1);
        FoundDatabase held = look(database);
        assertEquals(Optional.of(Tier.COLD_DIRTY), held.tier());
        assertTrue(held.paused());
        assertInstanceOf(Ordered.Refused.class, control.sync(id(database)).orElseThrow());
        assertInstanceOf(Ordered.Done.class, control.resume(id(database)).orElseThrow());
        awaitTier(database, Tier.COLD_CLEAN);
        assertFalse(look(database).paused());
        assertInstanceOf(Ordered.Refused.class, control.resume(id(database)).orElseThrow());
        assertTrue(control.counters().lagSeconds().count() > 0);
    }

    @Test
    void aSyncLooksIntoACleanDatabaseAgain() throws Exception {
        Path database = fleet.make("a/one.db");
        start();
        awaitCold(1);
        long before = control.tiers().movedInto().get(Tier.COLD_CLEAN);
        assertInstanceOf(Ordered.Done.class, control.sync(id(database)).orElseThrow());
        Awaitility.await().until(() -> control.tiers().movedInto().get(Tier.COLD_CLEAN) > before);
    }

    @Test
    void aFailingDatabaseIsNamedByHealthAndTriedAgainWhenAsked() throws Exception {
        Path bad = fleet.make("a/bad.db");
        fleet.make("a/good.db");
        Path blocked = fleet.replicas().resolve("a/bad.db");
        Files.createDirectories(blocked.getParent());
        Files.writeString(blocked, "a file where the replica's directory should be");
        start();
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .until(() -> control.health().worst().equals(Optional.of(id(bad))));
        FleetHealth health = control.health();
        assertTrue(health.ready());
        assertFalse(health.broken());
        assertTrue(look(bad).progress().problem().isPresent());
        Files.delete(blocked);
        Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> {
            control.retry(id(bad));
            return look(bad).tier().equals(Optional.of(Tier.COLD_CLEAN));
        });
        assertEquals(Optional.empty(), control.health().worst());
    }

    @Test
    void scansAreFullAndThoseWhoAskDuringOneShareTheNext() throws Exception {
        for (int i = 0; i < 50; i++) {
            fleet.make("d" + i + "/x.db");
        }
        start();
        awaitCold(50);
        List<Long> numbers = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            numbers.add(control.scan().orElseThrow());
        }
        long last = numbers.getLast();
        assertTrue(new HashSet<>(numbers).size() < 200, "some shared a scan");
        ScanState state = control.scan(last, Duration.ofSeconds(20)).orElseThrow();
        PassReport report =
                assertInstanceOf(ScanState.Ended.class, state).reports().getFirst();
        assertTrue(report.full());
        assertEquals(50, report.databases());
        assertEquals(Optional.empty(), control.scan(last + 1_000, Duration.ZERO));
        assertNotEquals(last, control.scan().orElseThrow());
    }

    @Test
    void theHotListIsWrittenWhenAskedAndOnlyWhenItSaysAnythingNew() throws Exception {
        fleet.withHotDuration(Duration.ofMinutes(5));
        Path database = fleet.make("a/one.db");
        start();
        awaitColdOnceDemoted(1);
        control.promote(id(database));
        awaitTier(database, Tier.HOT);
        control.persistHotLists();
        assertTrue(Files.readString(fleet.replicas().resolve("_loomstream/node-1/hot-list.json"))
                .contains("one.db"));
        assertEquals(Optional.of(0), control.persistHotLists());
    }

    @Test
    void sumsByProjectAreThePathTablesAndBounded() throws Exception {
        for (int i = 0; i < 30; i++) {
            fleet.make("p" + i + "/x.db");
        }
        control = fleet.start().control(10);
        awaitCold(30);
        ProjectCounts counts = control.projects();
        int sum = counts.groups().stream()
                .mapToInt(count -> count.tiers().getOrDefault(Tier.COLD_CLEAN, 0))
                .sum();
        assertEquals(30, sum);
        assertEquals(11, counts.groups().size());
        assertEquals(
                20,
                counts.groups().stream()
                        .filter(count -> count.group().project().equals("other"))
                        .mapToInt(count -> count.tiers().getOrDefault(Tier.COLD_CLEAN, 0))
                        .sum());
        assertEquals(
                1,
                allPages(
                                new DatabaseQuery(
                                        Optional.empty(),
                                        Optional.empty(),
                                        Optional.of("p29"),
                                        Optional.empty(),
                                        Optional.empty(),
                                        Sort.TABLE),
                                10)
                        .size(),
                "a project that is not counted by itself is found by its name");
    }

    @Test
    void whoWatchesSeesMovesAndScansAndIsToldWhatWasLost() throws Exception {
        start();
        try (FleetEvents.Watcher watcher = control.events().watch().orElseThrow()) {
            Path database = fleet.make("a/one.db");
            Awaitility.await()
                    .atMost(Duration.ofSeconds(20))
                    .until(() -> watcher.next(Duration.ofMillis(10))
                            .filter(event -> event instanceof FleetEvent.Moved moved
                                    && moved.to() == Tier.COLD_CLEAN
                                    && moved.database().equals(id(database)))
                            .isPresent());
            Awaitility.await()
                    .until(() -> watcher.next(Duration.ofMillis(10)).orElse(null) instanceof FleetEvent.Scanned);
            assertTrue(
                    control.events().recent().stream()
                            .anyMatch(event -> event instanceof FleetEvent.Moved moved
                                    && moved.to() == Tier.COLD_CLEAN
                                    && moved.database().equals(id(database))),
                    "who comes later is told, too");
        }
        List<FleetEvents.Watcher> watchers = new ArrayList<>();
        Optional<FleetEvents.Watcher> next = control.events().watch();
        while (next.isPresent()) {
            watchers.add(next.get());
            next = control.events().watch();
        }
        assertEquals(64, watchers.size());
        for (int i = 0; i < 1_200; i++) {
            control.events().publish(at -> new FleetEvent.Lost(at, 0));
        }
        FleetEvents.Watcher slow = watchers.getFirst();
        for (int i = 0; i < 1_000; i++) {
            assertTrue(slow.next(Duration.ZERO).isPresent());
        }
        FleetEvent.Lost lost =
                assertInstanceOf(FleetEvent.Lost.class, slow.next(Duration.ZERO).orElseThrow());
        assertTrue(lost.events() >= 200, "lost " + lost.events());
        watchers.forEach(FleetEvents.Watcher::close);
        assertTrue(control.events().watch().isPresent());
    }

    @Test
    void aFailureIsToldToWhoWatchesAndToWhoComesLater() throws Exception {
        start();
        try (FleetEvents.Watcher watcher = control.events().watch().orElseThrow()) {
            Files.createFile(Files.createDirectories(fleet.replicas())
                    .resolve("a")); // a file where the replica's directory has to be
            Path database = fleet.make("a/one.db");
            Awaitility.await()
                    .atMost(Duration.ofSeconds(20))
                    .until(() -> watcher.next(Duration.ofMillis(10))
                            .filter(event -> isFailureOf(event, database))
                            .isPresent());
            assertTrue(control.events().recent().stream().anyMatch(event -> isFailureOf(event, database)));
            for (int i = 0; i < 250; i++) {
                control.events().failed(Optional.empty(), "failure " + i);
                control.events().moved(id(database), Tier.HOT, Tier.COLD_DIRTY, "move " + i);
            }
            assertEquals(200, control.events().recent().size(), "a hundred of each kind");
        }
    }

    private static boolean isFailureOf(FleetEvent event, Path database) {
        return event instanceof FleetEvent.Failed failed
                && failed.database().equals(Optional.of(id(database)))
                && !failed.why().isEmpty();
    }
}
