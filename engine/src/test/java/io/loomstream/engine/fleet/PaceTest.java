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

    /** What {@link #run} came to. */
    private record Outcome(double worstWait, double looksPerSecond) {}

    /** How late an upload gets its permit. */
    private interface Lateness {
        double next();
    }

    /** Whenever the machine was busy and an upload came late, what is committed afterwards is in time again. */
    @Test
    void afterADelayTheyAreInStepAgain() {
        Outcome outcome = run(() -> random.nextInt(20) == 0 ? 3 * random.nextDouble() : 0);
        assertTrue(outcome.worstWait <= 1.17, "a commit waited for " + outcome.worstWait + " s");
    }

    /** Each look that finds a commit makes a file: a busy upload lane must not cause more of them. */
    @Test
    void lateUploadsCauseNoMoreLooks() {
        for (double late : new double[] {0, 0.06, 0.1, 0.2, 0.5}) {
            Outcome outcome = run(() -> late);
            assertEquals(1, outcome.looksPerSecond, 0.02, "looks a second, uploads " + late + " s late");
        }
    }

    /** The worst wait of a commit, two uploads after the last one that was late. */
    private Outcome run(Lateness lateness) {
        double look = 0;
        double captured = 0;
        double replicated = 0;
        double lastUpload = -10; // when it was due, as ReplicatedDatabase counts it
        double due = 0;
        double upload = Double.POSITIVE_INFINITY;
        int inTime = 0;
        double worst = 0;
        int looks = 0;
        while (looks < 50_000) {
            if (upload < look) {
                inTime = upload > due ? 0 : inTime + 1;
                if (inTime > 2) {
                    worst = Math.max(worst, upload - replicated); // of what was committed right after that look
                }
                replicated = captured;
                lastUpload = due;
                upload = Double.POSITIVE_INFINITY;
                continue;
            }
            double now = look;
            looks++;
            captured = now;
            if (upload == Double.POSITIVE_INFINITY) {
                due = now - lastUpload >= PUNCTUAL ? now : lastUpload + 1;
                upload = due + lateness.next();
            }
            Duration untilUpload = Duration.ofNanos(Math.round((due - now) * 1e9));
            look = now + seconds(Pace.next(INTERVAL, untilUpload, random));
        }
        return new Outcome(worst, looks / look);
    }

    private static double seconds(Duration duration) {
        return duration.toNanos() / 1e9;
    }
}
