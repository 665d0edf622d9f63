package io.loomstream.engine.replica.s3;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class ConcurrencyLimitTest {
    private final ManualTime time = new ManualTime();
    private final ConcurrencyLimit limit = new ConcurrencyLimit(200, time);

    @Test
    void throttlingOfAllRequestsInFlightHalvesItOnce() {
        for (int i = 0; i < 200; i++) {
            limit.throttled();
        }

        assertEquals(100, limit.limit());
    }

    @Test
    void goesOnHalvingDownToOneAndSaysWhenThatDoesNotHelp() {
        for (int cut = 0; cut < 7; cut++) {
            assertFalse(limit.throttled());
            time.pass(ConcurrencyLimit.BETWEEN_CUTS);
        }
        assertEquals(1, limit.limit());
        assertTrue(limit.throttled());
        assertEquals(1, limit.limit());
    }

    @Test
    void answersRaiseItAgainToAllThatTheGateAllowsAndNoFurther() {
        limit.throttled();
        for (int i = 0; i < ConcurrencyLimit.SUCCESSES_A_STEP; i++) {
            limit.answered();
        }
        assertEquals(101, limit.limit());
        for (int i = 0; i < ConcurrencyLimit.SUCCESSES_A_STEP * 200; i++) {
            limit.answered();
        }
        assertEquals(200, limit.limit());
    }

    @Test
    void whoComesWhenItIsReachedWaits() throws Exception {
        ConcurrencyLimit one = new ConcurrencyLimit(1, time);
        one.enter();
        Thread second = Thread.startVirtualThread(() -> {
            try {
                one.enter();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        await().until(() -> second.getState() == Thread.State.WAITING);
        assertEquals(1, one.running());

        one.leave();

        second.join();
        assertEquals(1, one.running());
    }
}
