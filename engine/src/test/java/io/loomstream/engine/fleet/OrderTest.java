package io.loomstream.engine.fleet;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.concurrent.Time;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** Orders to databases by their paths, while rows are freed and become other databases'. */
class OrderTest {
    private static final byte[] OLD = "/data/old.db".getBytes(UTF_8);
    private static final DatabaseStamp STAMP = new DatabaseStamp(5, 7, 1, false, false, false, 1_700_000_000);
    private static final int TURNS = 5_000;

    private final PathTable table = new PathTable();
    private final int directory = directory();
    private final Tiers tiers = new Tiers(
            table,
            new FleetOptions(
                    Selection.ofPatterns(List.of("/data/*.db"), List.of()),
                    (path, pattern) -> {
                        throw new AssertionError("nothing is served here: " + path);
                    },
                    Duration.ofSeconds(1),
                    Duration.ofSeconds(1),
                    Duration.ofSeconds(1),
                    10,
                    Duration.ZERO),
            10,
            Time.system(),
            new Random(1),
            (row, from, to, why) -> {});

    private int directory() {
        try (PathTable.Locked locked = table.lock()) {
            byte[] path = "/data".getBytes(UTF_8);
            return locked.directories().add(PathTable.NONE, path, path.length);
        }
    }

    private int add(String name) {
        try (PathTable.Locked locked = table.lock()) {
            byte[] bytes = name.getBytes(UTF_8);
            int row = locked.rows().add(directory, bytes, bytes.length, 0);
            locked.rows().discovered(row, STAMP);
            assertTrue(table.transition(row, Tier.DISCOVERED, Tier.SEEDING));
            assertTrue(table.settle(row, Tier.SEEDING, Tier.COLD_CLEAN, STAMP));
            return row;
        }
    }

    /** As a scan does it; an order may move the row meanwhile. */
    private void free(int row) {
        Tier from = table.tier(row).orElseThrow();
        while (!table.transition(row, from, Tier.GONE)) {
            from = table.tier(row).orElseThrow();
        }
        tiers.gone(row);
        assertTrue(tiers.forget(row));
        try (PathTable.Locked locked = table.lock()) {
            locked.rows().reclaim(directory);
        }
    }

    /** Orders are given to one path all the time, while its row is freed and becomes another path's, and so on. */
    private void assertAnotherIsNeverMet(Function<byte[], Optional<Ordered>> order, Function<Integer, Boolean> met)
            throws InterruptedException {
        AtomicBoolean enough = new AtomicBoolean();
        AtomicInteger reached = new AtomicInteger();
        Thread person = Thread.ofPlatform().start(() -> {
            while (!enough.get()) {
                order.apply(OLD).ifPresent(done -> reached.incrementAndGet());
            }
        });
        try {
            int turn = 0;
            for (; turn < TURNS || reached.get() == 0; turn++) {
                int old = add("old.db");
                Thread.onSpinWait();
                free(old);
                int other = add("other.db");
                assertEquals(old, other, "the row is used again");
                for (int i = 0; i < 10; i++) {
                    assertFalse(met.apply(other), "turn " + turn);
                }
                free(other);
            }
        } finally {
            enough.set(true);
            person.join();
        }
    }

    @Test
    void aPauseNeverHitsTheDatabaseThatGotTheRow() throws Exception {
        assertAnotherIsNeverMet(path -> tiers.order(path, tiers::pause), tiers::isPaused);
    }

    @Test
    void aSyncNeverHitsTheDatabaseThatGotTheRow() throws Exception {
        assertAnotherIsNeverMet(tiers::sync, row -> !table.isIn(row, Tier.COLD_CLEAN));
    }

    @Test
    void aRowIsNotFreedWhileAnOrderIsGivenToIt() throws Exception {
        int old = add("old.db");
        Thread scan = Thread.ofPlatform().unstarted(() -> free(old));
        Optional<Ordered> ordered = tiers.order(OLD, row -> {
            scan.start();
            while (scan.getState() != Thread.State.WAITING) {
                Thread.onSpinWait();
            }
            assertEquals(Optional.of(Path.of("/data/old.db")), table.path(row));
            return new Ordered.Done("done");
        });
        scan.join();
        assertEquals(Optional.of(new Ordered.Done("done")), ordered);
        assertEquals(PathTable.NONE, table.find(OLD));
    }

    @Test
    void anUnknownPathTakesNoOrder() {
        int other = add("other.db");
        assertEquals(Optional.empty(), tiers.order(OLD, tiers::pause));
        assertEquals(Optional.empty(), tiers.sync(OLD));
        assertFalse(tiers.isPaused(other));
        assertEquals(Optional.of(Path.of("/data/other.db")), table.path(other));
    }
}
