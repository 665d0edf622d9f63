package io.loomstream.engine.fleet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.testing.Seed;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Looks and uploads of one database that is written to all the time, in simulated time. */
class PaceTest {
    private static final Duration INTERVAL = Duration.ofSeconds(1);
    /** As ReplicatedDatabase: an upload that is at most a tenth early goes at once. */
    private static final double PUNCTUAL = 0.9;

    private final Random random = Seed.random("pace");

    @Test
    void looksAreSpreadBothWaysByATwentieth() {
        double sum = 0;
        for (int i = 0; i < 10_000; i++) {
            double pause = seconds(Pace.next(INTERVAL, Duration.ZERO, random));
            assertTrue(pause >= 0.95 && pause <= 1.05, "pause " + pause);
            sum += pause;
        }
        assertEquals(1, sum / 10_000, 0.01);
    }

    @Test
    void aLookPrecedesAnUploadThatHasToWait() {
        assertEquals(Duration.ofMillis(550), Pace.next(INTERVAL, Duration.ofMillis(600), random));
        assertTrue(seconds(Pace.next(INTERVAL, Duration.ofSeconds(10), random)) <= 1.05, "for a long wait looks go on");
        assertTrue(seconds(Pace.next(INTERVAL, Duration.ofMillis(80), random)) >= 0.95, "in step already");
    }

    /** Whenever the machine was busy and an upload came late, what is committed afterwards is in time again. */
    @Test
    void afterADelayTheyAreInStepAgain() {
        double look = 0;
        double captured = 0;
        double replicated = 0;
        double lastUpload = -10;
        double queued = Double.POSITIVE_INFINITY;
        int inTime = 0;
        double worst = 0;
        for (int i = 0; i < 100_000; i++) {
            if (queued < look) {
                double worstWait = queued - replicated; // of what was committed right after that look
                if (inTime++ > 2) {
                    worst = Math.max(worst, worstWait);
                }
                replicated = captured;
                lastUpload = queued;
                queued = Double.POSITIVE_INFINITY;
                continue;
            }
            double now = look;
            captured = now;
            double due = queued;
            if (queued == Double.POSITIVE_INFINITY) {
                due = now - lastUpload >= PUNCTUAL ? now : lastUpload + 1;
                boolean late = random.nextInt(20) == 0;
                queued = due + (late ? 3 * random.nextDouble() : 0);
                inTime = late ? 0 : inTime;
            }
            Duration untilUpload = Duration.ofNanos(Math.round((due - now) * 1e9));
            look = now + seconds(Pace.next(INTERVAL, untilUpload, random));
        }
        assertTrue(worst <= 1.17, "a commit waited for " + worst + " s, two uploads after a delay");
    }

    private static double seconds(Duration duration) {
        return duration.toNanos() / 1e9;
    }
}
