package io.loomstream.engine.concurrent;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.testing.Seed;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

class GateTest {
    @Test
    void neverMoreAreInsideThanThereArePermits() throws Exception {
        Gate gate = new Gate("test", 3);
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        CountDownLatch full = new CountDownLatch(3);
        try (TaskScope scope = TaskScope.open("contention")) {
            for (int i = 0; i < 50; i++) {
                scope.fork(() -> {
                    for (int round = 0; round < 100; round++) {
                        try (Gate.Permit permit = gate.acquire()) {
                            assertTrue(gate.inUse() >= 1, () -> "with " + permit);
                            most.accumulateAndGet(inside.incrementAndGet(), Math::max);
                            // Three can be inside, so three will be.
                            full.countDown();
                            full.await();
                            inside.decrementAndGet();
                        }
                    }
                    return null;
                });
            }
            scope.join();
        }
        assertEquals(3, most.get());
        assertEquals(0, gate.inUse());
        assertEquals(5000, gate.acquisitions());
        assertEquals(0, gate.waiting());
    }

    @Test
    void waitersEnterInTheOrderTheyCame() throws Exception {
        Gate gate = new Gate("test", 1);
        List<Integer> order = Collections.synchronizedList(new ArrayList<>());
        try (TaskScope scope = TaskScope.open("fifo")) {
            Gate.Permit first = gate.acquire();
            for (int i = 0; i < 20; i++) {
                int number = i;
                scope.fork(() -> {
                    try (Gate.Permit permit = gate.acquire()) {
                        order.add(number);
                        return permit;
                    }
                });
                await().pollInterval(Duration.ofMillis(1)).until(() -> gate.waiting() == number + 1);
            }
            first.close();
            scope.join();
        }
        assertEquals(IntStream.range(0, 20).boxed().toList(), order);
        assertTrue(gate.waitedNanos() > 0);
    }

    /** A plain tryAcquire takes a permit that was just given back to somebody who waited for it. */
    @RepeatedTest(20)
    void nobodyOvertakesThoseWhoWait() throws Exception {
        Gate gate = new Gate("test", 1);
        AtomicBoolean entered = new AtomicBoolean();
        try (TaskScope scope = TaskScope.open("overtaking")) {
            Gate.Permit mine = gate.acquire();
            scope.fork(() -> {
                try (Gate.Permit permit = gate.acquire()) {
                    entered.set(true);
                    return permit;
                }
            });
            await().pollInterval(Duration.ofMillis(1)).until(() -> gate.waiting() == 1);
            mine.close();
            try (Gate.Permit again = gate.acquire()) {
                assertTrue(entered.get(), () -> again + " was given before its turn");
            }
            scope.join();
        }
    }

    @Test
    void cancelledWaiterTakesNoPermitWithIt() throws Exception {
        Gate gate = new Gate("test", 1);
        try (Gate.Permit mine = gate.acquire()) {
            TaskScope scope = TaskScope.open("cancelled");
            for (int i = 0; i < 10; i++) {
                scope.fork(gate::acquire);
            }
            await().pollInterval(Duration.ofMillis(1)).until(() -> gate.waiting() == 10);
            scope.close();
            assertEquals(0, gate.waiting());
            assertEquals(1, gate.inUse(), () -> "only " + mine);
        }
        assertEquals(0, gate.inUse());
        try (Gate.Permit again = gate.acquire()) {
            assertEquals(1, gate.inUse(), () -> "only " + again);
        }
    }

    @Test
    void interruptionRacingTheReleaseLeaksNothing() throws Exception {
        Random random = Seed.random("interruptionRacingTheRelease");
        Gate gate = new Gate("test", 2);
        for (int round = 0; round < 300; round++) {
            Gate.Permit one = gate.acquire();
            Gate.Permit two = gate.acquire();
            CountDownLatch begun = new CountDownLatch(1);
            Thread waiter = Thread.ofVirtual().start(() -> {
                begun.countDown();
                try {
                    gate.acquire().close();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            begun.await();
            if (random.nextBoolean()) {
                one.close();
                waiter.interrupt();
            } else {
                waiter.interrupt();
                one.close();
            }
            two.close();
            waiter.join();
            assertEquals(0, gate.inUse(), "round " + round);
        }
    }

    @Test
    void interruptedThreadIsNotLetIn() {
        Gate gate = new Gate("test", 1);
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, gate::acquire);
        assertEquals(0, gate.inUse());
    }

    @Test
    void closingTwiceOrFromAnotherThreadGivesBackOnePermit() throws Exception {
        Gate gate = new Gate("test", 2);
        Gate.Permit one = gate.acquire();
        Gate.Permit two = gate.acquire();
        one.close();
        one.close();
        assertEquals(1, gate.inUse());
        try (TaskScope scope = TaskScope.open("closing")) {
            for (int i = 0; i < 10; i++) {
                scope.fork(() -> {
                    two.close();
                    return null;
                });
            }
            scope.join();
        }
        assertEquals(0, gate.inUse());
        assertEquals(2, gate.permits());
    }

    @Test
    void gateWithoutPermitsIsRefusedByName() {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> new Gate("uploads", 0));
        assertTrue(e.getMessage().contains("uploads"), e.getMessage());
        assertEquals("uploads", new Gate("uploads", 1).name());
    }
}
