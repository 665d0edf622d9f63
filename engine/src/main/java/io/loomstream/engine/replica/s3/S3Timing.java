package io.loomstream.engine.replica.s3;

import java.time.Duration;

/**
 * How long requests may take and how they are tried again. There is no limit on a request's total time: a snapshot may
 * take an hour on a slow line, as long as bytes move.
 *
 * @param connect to a TCP connection
 * @param stall without a byte moving, or without an answer once everything was sent
 * @param attempts of one request, the first included
 * @param firstPause the longest pause before the second attempt; it doubles with each further one, and the pause taken is
 *     a random share of it
 * @param longestPause where the doubling ends
 */
public record S3Timing(Duration connect, Duration stall, int attempts, Duration firstPause, Duration longestPause) {
    public static final S3Timing DEFAULT = new S3Timing(
            Duration.ofSeconds(10), Duration.ofSeconds(30), 8, Duration.ofMillis(100), Duration.ofSeconds(10));

    public S3Timing {
        if (attempts < 1) {
            throw new IllegalArgumentException("attempts is " + attempts + ", at least 1 is needed");
        }
    }

    /** The longest pause after this many failed attempts. */
    Duration pauseMax(int failed) {
        Duration pause = firstPause.multipliedBy(1L << Math.min(failed - 1, 30));
        return pause.compareTo(longestPause) > 0 ? longestPause : pause;
    }
}
