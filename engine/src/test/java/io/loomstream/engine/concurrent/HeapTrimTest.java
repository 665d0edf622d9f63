package io.loomstream.engine.concurrent;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class HeapTrimTest {
    private static final long MB = 1 << 20;

    private final Clock clock = new Clock();
    private final HeapTrim trim = new HeapTrim(clock);

    private static final class Clock implements Time {
        private long nanos;

        @Override
        public Instant now() {
            return Instant.EPOCH.plusNanos(nanos);
        }

        @Override
        public long nanoTime() {
            return nanos;
        }

        @Override
        public void sleep(Duration duration) {
            nanos += duration.toNanos();
        }
    }

    @Test
    void aHeapThatGrewByMoreThanTheSlackIsCollected() {
        trim.collected(80 * MB, 80 * MB);
        assertFalse(trim.due(86 * MB), "not at once");
        clock.sleep(HeapTrim.PAUSE);
        assertFalse(trim.due(80 * MB));
        assertFalse(trim.due(85 * MB), "a sixteenth of what is kept may lie about");
        assertTrue(trim.due(85 * MB + 1));
    }

    @Test
    void aSmallHeapMayGrowByTheLeastSlack() {
        trim.collected(4 * MB, 4 * MB);
        clock.sleep(HeapTrim.PAUSE);
        assertFalse(trim.due(4 * MB + HeapTrim.SLACK_BYTES));
        assertTrue(trim.due(4 * MB + HeapTrim.SLACK_BYTES + 1));
    }

    @Test
    void afterACollectionThatGaveMuchBackAnotherFollowsUntilOneDoesNot() {
        trim.collected(60 * MB, 30 * MB);
        assertFalse(trim.due(30 * MB), "not at once");
        clock.sleep(HeapTrim.AGAIN);
        assertTrue(trim.due(30 * MB));
        trim.collected(30 * MB, 29 * MB);
        clock.sleep(HeapTrim.AGAIN);
        assertFalse(trim.due(29 * MB));
    }

    @Test
    void aHeapThatGrowsFastIsCollectedAtOnce() {
        trim.collected(80 * MB, 80 * MB);
        assertFalse(trim.due(100 * MB));
        assertTrue(trim.due(100 * MB + 1), "by more than a quarter");
        trim.collected(10 * MB, 10 * MB);
        assertFalse(trim.due(18 * MB));
        assertTrue(trim.due(18 * MB + 1));
    }

    @Test
    void anIdleHeapIsLeftAlone() {
        trim.collected(10 * MB, 9 * MB);
        clock.sleep(Duration.ofHours(1));
        assertFalse(trim.due(10 * MB));
    }
}
