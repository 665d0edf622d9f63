package io.loomstream.engine.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class BackoffTest {
    private static final long SECOND = Duration.ofSeconds(1).toNanos();

    @Test
    void waitsDoubleUpToFiveMinutesAndStayThere() {
        Backoff backoff = new Backoff(Duration.ofSeconds(100));
        assertEquals(Duration.ofSeconds(100), backoff.failed());
        assertEquals(Duration.ofSeconds(200), backoff.failed());
        for (int i = 0; i < 100; i++) {
            assertEquals(Duration.ofMinutes(5), backoff.failed());
        }
        assertEquals(102, backoff.failures());
    }

    @Test
    void aSuccessStartsAnewAndTellsWhetherThereHadBeenAFailure() {
        Backoff backoff = new Backoff(Duration.ofSeconds(1));
        assertFalse(backoff.succeeded());
        backoff.failed();
        backoff.failed();
        assertTrue(backoff.succeeded());
        assertEquals(0, backoff.failures());
        assertEquals(Duration.ofSeconds(1), backoff.failed());
    }

    @Test
    void saysSoAtMostOnceInThirtySeconds() {
        Backoff backoff = new Backoff(Duration.ofSeconds(1));
        long start = Long.MAX_VALUE - 10 * SECOND; // the clock's zero is arbitrary, so it may overflow
        assertTrue(backoff.worthALine(start));
        assertFalse(backoff.worthALine(start + 29 * SECOND));
        assertTrue(backoff.worthALine(start + 30 * SECOND));
        assertFalse(backoff.worthALine(start + 31 * SECOND));
    }

    @Test
    void theFirstFailureAfterASuccessIsSaidAtOnce() {
        Backoff backoff = new Backoff(Duration.ofSeconds(1));
        backoff.failed();
        assertTrue(backoff.worthALine(0));
        backoff.succeeded();
        backoff.failed();
        assertTrue(backoff.worthALine(SECOND));
    }
}
