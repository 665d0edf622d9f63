package io.loomstream.engine.concurrent;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.concurrent.TaskScope.FailedException;
import io.loomstream.engine.concurrent.TaskScope.Fork;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

class TaskScopeTest {
    private final Set<Thread> threads = ConcurrentHashMap.newKeySet();
    private final AtomicInteger interrupted = new AtomicInteger();

    /** Runs until it is interrupted. */
    private Void untilInterrupted() throws InterruptedException {
        threads.add(Thread.currentThread());
        try {
            new CountDownLatch(1).await();
            return null;
        } catch (InterruptedException e) {
            interrupted.incrementAndGet();
            throw e;
        }
    }

    @AfterEach
    void noForkIsLeft() throws InterruptedException {
        assertFalse(Thread.interrupted(), "the test left its thread interrupted");
        for (Thread thread : threads) {
            // The scope lets go as a fork's last act; the thread itself ends a moment later.
            thread.join();
        }
    }

    @Test
    void joinWaitsForEveryForkAndGivesTheResults() throws Exception {
        try (TaskScope scope = TaskScope.open("results")) {
            List<Fork<Integer>> forks = new ArrayList<>();
            CountDownLatch open = new CountDownLatch(1);
            for (int i = 0; i < 100; i++) {
                int number = i;
                forks.add(scope.fork(() -> {
                    open.await();
                    return number;
                }));
            }
            assertEquals(100, scope.live());
            assertThrows(IllegalStateException.class, forks.getFirst()::get);
            open.countDown();
            scope.join();
            assertEquals(0, scope.live());
            for (int i = 0; i < 100; i++) {
                assertEquals(i, forks.get(i).get());
            }
            // A scope may be used on.
            Fork<String> more = scope.fork(() -> "more");
            scope.join();
            assertEquals("more", more.get());
        }
    }

    @Test
    void firstFailureCancelsTheSiblingsAndIsThrown() throws Exception {
        try (TaskScope scope = TaskScope.open("uploads")) {
            CountDownLatch running = new CountDownLatch(5);
            for (int i = 0; i < 5; i++) {
                scope.fork(() -> {
                    running.countDown();
                    return untilInterrupted();
                });
            }
            running.await();
            IOException failure = new IOException("no space");
            Fork<Void> failing = scope.fork(() -> {
                throw failure;
            });
            FailedException e = assertThrows(FailedException.class, scope::join);
            assertSame(failure, e.getCause());
            assertTrue(e.getMessage().contains("uploads") && e.getMessage().contains("no space"), e.getMessage());
            assertEquals(5, interrupted.get());
            assertEquals(0, failure.getSuppressed().length, "being cancelled is no failure");
            assertSame(
                    failure,
                    assertThrows(IllegalStateException.class, failing::get).getCause());
            assertThrows(IllegalStateException.class, () -> scope.fork(() -> 1));
        }
    }

    @Test
    void laterFailuresAreSuppressedInTheFirst() throws Exception {
        try (TaskScope scope = TaskScope.open("failures")) {
            CountDownLatch running = new CountDownLatch(3);
            for (int i = 0; i < 3; i++) {
                String name = "failed while cancelled " + i;
                scope.fork(() -> {
                    running.countDown();
                    try {
                        return untilInterrupted();
                    } catch (InterruptedException cancelled) {
                        throw new IOException(name, cancelled);
                    }
                });
            }
            running.await();
            RuntimeException first = new RuntimeException("first");
            scope.fork(() -> {
                throw first;
            });
            assertSame(first, assertThrows(FailedException.class, scope::join).getCause());
            assertEquals(3, first.getSuppressed().length);
            assertInstanceOf(IOException.class, first.getSuppressed()[0]);
        }
    }

    @Test
    void sameExceptionFromManyForksIsThrownOnce() throws Exception {
        RuntimeException shared = new RuntimeException("shared");
        try (TaskScope scope = TaskScope.open("shared")) {
            CyclicBarrier barrier = new CyclicBarrier(4);
            for (int i = 0; i < 4; i++) {
                scope.fork(() -> {
                    barrier.await();
                    throw shared;
                });
            }
            FailedException e = assertThrows(FailedException.class, scope::join);
            assertSame(shared, e.getCause());
            assertEquals(0, shared.getSuppressed().length);
        }
    }

    @Test
    void forkThatFailsWithAnErrorFailsTheScopeToo() throws Exception {
        AssertionError failure = new AssertionError("as in a test");
        try (TaskScope scope = TaskScope.open("error")) {
            scope.fork(this::untilInterrupted);
            scope.fork(() -> {
                throw failure;
            });
            assertSame(failure, assertThrows(FailedException.class, scope::join).getCause());
            assertEquals(0, scope.live());
        }
    }

    @Test
    void forkMayForkAndJoinWaitsForTheGrandchildren() throws Exception {
        AtomicInteger ran = new AtomicInteger();
        try (TaskScope scope = TaskScope.open("tree")) {
            scope.fork(() -> {
                fork(scope, ran, 6);
                return null;
            });
            scope.join();
            assertEquals(127, ran.get());
            assertEquals(0, scope.live());
        }
    }

    private static void fork(TaskScope scope, AtomicInteger ran, int depth) {
        ran.incrementAndGet();
        for (int child = 0; child < 2 && depth > 0; child++) {
            scope.fork(() -> {
                fork(scope, ran, depth - 1);
                return null;
            });
        }
    }

    @Test
    void cancelInterruptsAndJoinThenReturnsInPeace() throws Exception {
        try (TaskScope scope = TaskScope.open("cancelled")) {
            for (int i = 0; i < 10; i++) {
                scope.fork(this::untilInterrupted);
            }
            scope.cancel();
            scope.join();
            assertEquals(0, scope.live());
            assertThrows(IllegalStateException.class, () -> scope.fork(() -> 1));
        }
    }

    /** A fork that was accepted but has not begun when the scope is cancelled must learn of it when it begins. */
    @RepeatedTest(50)
    void cancelReachesForksThatHaveNotBegun() throws Exception {
        try (TaskScope scope = TaskScope.open("race")) {
            Thread canceller = Thread.ofVirtual().start(scope::cancel);
            try {
                for (int i = 0; i < 200; i++) {
                    scope.fork(this::untilInterrupted);
                }
            } catch (IllegalStateException cancelled) {
                assertTrue(cancelled.getMessage().contains("race"), cancelled.getMessage());
            }
            canceller.join();
            // Would wait for ever otherwise.
            scope.join();
            assertEquals(0, scope.live());
        }
    }

    @Test
    void closeCancelsAndWaits() {
        AtomicBoolean ended = new AtomicBoolean();
        CountDownLatch running = new CountDownLatch(1);
        TaskScope scope = TaskScope.open("closed");
        scope.fork(() -> {
            running.countDown();
            try {
                return untilInterrupted();
            } finally {
                ended.set(true);
            }
        });
        await().until(() -> running.getCount() == 0);
        scope.close();
        assertTrue(ended.get());
        assertEquals(0, scope.live());
        scope.close();
    }

    @Test
    void closeUnderInterruptionWaitsAllTheSameAndKeepsTheFlag() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        CountDownLatch running = new CountDownLatch(1);
        AtomicBoolean flag = new AtomicBoolean();
        TaskScope scope = TaskScope.open("stubborn");
        scope.fork(() -> {
            running.countDown();
            boolean released = false;
            while (!released) {
                try {
                    release.await();
                    released = true;
                } catch (InterruptedException ignored) {
                    // Stubborn on purpose: it ends when it is told to, not before.
                    interrupted.incrementAndGet();
                }
            }
            return null;
        });
        running.await();
        Thread closer = Thread.ofVirtual().start(() -> {
            Thread.currentThread().interrupt();
            scope.close();
            flag.set(Thread.currentThread().isInterrupted());
        });
        await().until(() -> interrupted.get() > 0);
        closer.interrupt();
        assertTrue(closer.isAlive());
        assertEquals(1, scope.live());
        release.countDown();
        closer.join();
        assertTrue(flag.get());
        assertEquals(0, scope.live());
    }

    @Test
    void interruptedJoinLeavesTheForksToClose() throws Exception {
        TaskScope scope = TaskScope.open("interrupted");
        scope.fork(this::untilInterrupted);
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, scope::join);
        assertEquals(1, scope.live());
        scope.close();
        assertEquals(0, scope.live());
    }

    @Test
    void supervisedForksFailAlone() throws Exception {
        List<Throwable> failures = new ArrayList<>();
        CountDownLatch handled = new CountDownLatch(2);
        try (TaskScope scope = TaskScope.openSupervised("server", failure -> {
            synchronized (failures) {
                failures.add(failure);
            }
            handled.countDown();
        })) {
            CountDownLatch open = new CountDownLatch(1);
            Fork<String> healthy = scope.fork(() -> {
                open.await();
                return "done";
            });
            scope.fork(() -> {
                throw new IOException("one");
            });
            scope.fork(() -> {
                throw new StackOverflowError("two");
            });
            handled.await();
            open.countDown();
            scope.join();
            assertEquals("done", healthy.get());
            synchronized (failures) {
                assertEquals(2, failures.size());
            }
        }
    }

    @Test
    void supervisedForksThatAreCancelledAreNotReported() {
        AtomicInteger reported = new AtomicInteger();
        CountDownLatch running = new CountDownLatch(3);
        TaskScope scope = TaskScope.openSupervised("server", failure -> reported.incrementAndGet());
        for (int i = 0; i < 3; i++) {
            scope.fork(() -> {
                running.countDown();
                return untilInterrupted();
            });
        }
        await().until(() -> running.getCount() == 0);
        scope.close();
        assertEquals(3, interrupted.get());
        assertEquals(0, reported.get());
    }

    @Test
    void closeWaitsForTheFailureHandlerToo() throws Exception {
        CountDownLatch handling = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        AtomicBoolean handled = new AtomicBoolean();
        TaskScope scope = TaskScope.openSupervised("server", failure -> {
            handling.countDown();
            try {
                release.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            handled.set(true);
        });
        scope.fork(() -> {
            throw new IOException("reported");
        });
        handling.await();
        Thread closer = Thread.ofVirtual().start(scope::close);
        await().until(() -> closer.getState() == Thread.State.WAITING || !closer.isAlive());
        assertTrue(closer.isAlive(), "closed while the handler ran");
        release.countDown();
        closer.join();
        assertTrue(handled.get());
    }

    @Test
    void manyForksAreForgottenOnceTheyEnd() throws Exception {
        AtomicInteger ran = new AtomicInteger();
        try (TaskScope scope = TaskScope.open("many")) {
            for (int i = 0; i < 20_000; i++) {
                scope.fork(ran::incrementAndGet);
            }
            scope.join();
            assertEquals(20_000, ran.get());
            assertEquals(0, scope.live());
        }
    }
}
