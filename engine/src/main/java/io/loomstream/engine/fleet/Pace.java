package io.loomstream.engine.fleet;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * When a served database is looked at next. What is committed waits for a look, and what a look copies for an upload; uploads
 * keep a pause between them ({@code sync-interval}). The two rhythms are kept in step: an upload that has to wait is
 * preceded by another look, and the looks that follow come when uploads may go at once. Out of step a commit would wait for up
 * to two intervals.
 */
final class Pace {
    /** Looks come so much of the interval early or late, so that databases that began together do not stay so. */
    static final double JITTER = 0.05;
    /** A wait for the upload that is shorter than this part of the interval is in step. */
    private static final double IN_STEP = 0.1;
    /** A look is done by the upload if it begins this part of the interval before. */
    private static final double AHEAD = 0.05;

    private Pace() {}

    /**
     * The pause after a look.
     *
     * @param interval between looks
     * @param untilUpload how long the queued upload still waits; zero or less when it is under way or there is none
     */
    static Duration next(Duration interval, Duration untilUpload, RandomGenerator random) {
        double nanos = interval.toNanos();
        double wait = untilUpload.toNanos();
        if (wait > IN_STEP * nanos && wait <= nanos) {
            return Duration.ofNanos((long) (wait - AHEAD * nanos));
        }
        return Duration.ofNanos((long) (nanos * (1 + JITTER * (2 * random.nextDouble() - 1))));
    }
}
