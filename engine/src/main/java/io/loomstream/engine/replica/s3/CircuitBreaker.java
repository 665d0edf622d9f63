package io.loomstream.engine.replica.s3;

import io.loomstream.engine.concurrent.Time;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Stops asking an endpoint that does not answer. Ten failures in a row open it; while it is open every request fails at
 * once. After a pause one request is let through: its success closes the breaker, its failure opens it for twice as long,
 * at most a minute. Thread-safe.
 */
final class CircuitBreaker {
    static final int FAILURES_TO_OPEN = 10;
    static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
    static final Duration LONGEST_PAUSE = Duration.ofMinutes(1);

    private final Time time;
    private final ReentrantLock lock = new ReentrantLock();
    // All guarded by lock.
    private S3EndpointState.Breaker state = S3EndpointState.Breaker.CLOSED;
    private int failuresInARow;
    private Duration pause = FIRST_PAUSE;
    private long openedAt;
    private boolean probing;

    CircuitBreaker(Time time) {
        this.time = time;
    }

    /**
     * Asks to send a request. Whoever got leave says what came of it by exactly one of {@link #succeeded}, {@link #failed}
     * and {@link #undecided}.
     *
     * @throws S3Failure while the breaker is open
     */
    void admit() throws S3Failure {
        lock.lock();
        try {
            if (state == S3EndpointState.Breaker.CLOSED) {
                return;
            }
            long waited = time.nanoTime() - openedAt;
            if (probing || waited < pause.toNanos()) {
                throw new S3Failure(
                        S3Failure.Kind.TRANSIENT,
                        "CircuitOpen",
                        "not sent: " + failuresInARow + " requests in a row failed"
                                + (probing ? ", one is trying" : ", next try within " + pause),
                        null);
            }
            state = S3EndpointState.Breaker.HALF_OPEN;
            probing = true;
        } finally {
            lock.unlock();
        }
    }

    /** The endpoint answered sensibly. */
    void succeeded() {
        lock.lock();
        try {
            state = S3EndpointState.Breaker.CLOSED;
            failuresInARow = 0;
            pause = FIRST_PAUSE;
            probing = false;
        } finally {
            lock.unlock();
        }
    }

    /** The endpoint did not answer, or with an error of its own. */
    void failed() {
        lock.lock();
        try {
            failuresInARow++;
            switch (state) {
                case CLOSED -> {
                    if (failuresInARow >= FAILURES_TO_OPEN) {
                        open();
                    }
                }
                case HALF_OPEN -> {
                    Duration doubled = pause.multipliedBy(2);
                    pause = doubled.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : doubled;
                    probing = false;
                    open();
                }
                case OPEN -> {} // a request from before the opening
            }
        } finally {
            lock.unlock();
        }
    }

    private void open() {
        state = S3EndpointState.Breaker.OPEN;
        openedAt = time.nanoTime();
    }

    /** Nothing can be said: the request was given up before an answer. */
    void undecided() {
        lock.lock();
        try {
            if (state == S3EndpointState.Breaker.HALF_OPEN) {
                state = S3EndpointState.Breaker.OPEN; // the pause is over already: the next one may try
                probing = false;
            }
        } finally {
            lock.unlock();
        }
    }

    S3EndpointState.Breaker state() {
        lock.lock();
        try {
            return state;
        } finally {
            lock.unlock();
        }
    }
}
