package io.loomstream.engine.replica.s3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class CircuitBreakerTest {
    private static final Duration MOMENT = Duration.ofMillis(1);

    private final ManualTime time = new ManualTime();
    private final CircuitBreaker breaker = new CircuitBreaker(time);

    private void open() throws Exception {
        for (int i = 0; i < CircuitBreaker.FAILURES_TO_OPEN; i++) {
            breaker.admit();
            breaker.failed();
        }
    }

    private void refuses() {
        S3Failure refusal = assertThrows(S3Failure.class, breaker::admit);
        assertTrue(refusal.retryable());
    }

    @Test
    void opensAfterTenFailuresInARowAndNotBefore() throws Exception {
        for (int round = 0; round < 3; round++) {
            for (int i = 1; i < CircuitBreaker.FAILURES_TO_OPEN; i++) {
                breaker.admit();
                breaker.failed();
            }
            breaker.admit();
            breaker.succeeded();
        }
        assertEquals(S3EndpointState.Breaker.CLOSED, breaker.state());

        open();

        assertEquals(S3EndpointState.Breaker.OPEN, breaker.state());
        refuses();
    }

    @Test
    void letsOneThroughAfterThePauseAndClosesWhenThatSucceeds() throws Exception {
        open();
        time.pass(CircuitBreaker.FIRST_PAUSE.minus(MOMENT));
        refuses();
        time.pass(MOMENT);

        breaker.admit();

        assertEquals(S3EndpointState.Breaker.HALF_OPEN, breaker.state());
        refuses();
        breaker.succeeded();
        assertEquals(S3EndpointState.Breaker.CLOSED, breaker.state());
        breaker.admit();
    }

    @Test
    void eachFailedTryDoublesThePauseUpToAMinute() throws Exception {
        open();
        Duration pause = CircuitBreaker.FIRST_PAUSE;
        for (int tries = 0; tries < 10; tries++) {
            time.pass(pause.minus(MOMENT));
            refuses();
            time.pass(MOMENT);
            breaker.admit();
            breaker.failed();
            pause = pause.multipliedBy(2).compareTo(CircuitBreaker.LONGEST_PAUSE) > 0
                    ? CircuitBreaker.LONGEST_PAUSE
                    : pause.multipliedBy(2);
        }
        assertEquals(CircuitBreaker.LONGEST_PAUSE, pause);
    }

    @Test
    void tryThatWasGivenUpLeavesRoomForTheNext() throws Exception {
        open();
        time.pass(CircuitBreaker.FIRST_PAUSE);
        breaker.admit();

        breaker.undecided();

        breaker.admit();
        assertEquals(S3EndpointState.Breaker.HALF_OPEN, breaker.state());
    }

    @Test
    void lateFailuresOfRequestsFromBeforeTheOpeningDoNotLengthenThePause() throws Exception {
        open();
        breaker.failed();
        breaker.failed();
        time.pass(CircuitBreaker.FIRST_PAUSE);

        breaker.admit();

        assertEquals(S3EndpointState.Breaker.HALF_OPEN, breaker.state());
    }
}
