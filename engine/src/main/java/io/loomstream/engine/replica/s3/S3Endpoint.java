package io.loomstream.engine.replica.s3;

import io.loomstream.engine.concurrent.Gate;
import io.loomstream.engine.concurrent.Time;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * One store with one client, shared by every replica in it. Every request of the process goes through {@link #call} or
 * {@link #transfer}: behind the circuit breaker, the endpoint's concurrency limit and the process's gate, in this order, and
 * with a permit of the gate only while bytes move: never while it waits for another attempt, and never while a caller has an
 * open stream and thinks. So no permit is ever waited for by a holder of one, and no gate is nested in this one.
 *
 * <p>Thread-safe. Calls block and may be interrupted.
 */
final class S3Endpoint implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(S3Endpoint.class);

    private final String name;
    private final S3Client client;
    private final Shared shared;
    private final CircuitBreaker breaker;
    private final ConcurrencyLimit limit;

    /** What all endpoints of a process share. */
    record Shared(Gate gate, S3Counters counters, Time time, RandomGenerator random, S3Timing timing) {}

    S3Endpoint(String name, S3Client client, Shared shared) {
        this.name = name;
        this.client = client;
        this.shared = shared;
        this.breaker = new CircuitBreaker(shared.time());
        this.limit = new ConcurrencyLimit(shared.gate().permits(), shared.time());
    }

    /** One attempt at a request; runs on a virtual thread of its own, which is interrupted when it stalls. */
    @FunctionalInterface
    interface Attempt<T> {
        T run(S3Client client, Progress progress) throws Exception;
    }

    /**
     * Sends a request, again where that can help.
     *
     * @param bytesSent the body's length, for the counters
     * @throws S3Failure the last attempt's failure; it is retryable when the attempts are used up or the breaker is open
     */
    <T> T call(S3Operation operation, long bytesSent, Attempt<T> attempt) throws S3Failure, InterruptedException {
        for (int failed = 0; ; ) {
            try {
                return once(operation, bytesSent, attempt);
            } catch (S3Failure failure) {
                failed++;
                if (!failure.retryable() || failed >= shared.timing().attempts()) {
                    throw failure;
                }
                pause(failed, failure);
            }
        }
    }

    /** Full jitter: whoever failed together does not come back together. */
    private void pause(int failed, S3Failure failure) throws InterruptedException {
        long most = shared.timing().pauseMax(failed).toNanos();
        Duration pause = Duration.ofNanos(most == 0 ? 0 : shared.random().nextLong(most + 1));
        log.debug("{}: {}; attempt {} in {}", name, failure.getMessage(), failed + 1, pause);
        shared.time().sleep(pause);
    }

    private <T> T once(S3Operation operation, long bytesSent, Attempt<T> attempt)
            throws S3Failure, InterruptedException {
        breaker.admit();
        boolean decided = false;
        try {
            limit.enter();
            try {
                T result = counted(operation, bytesSent, attempt);
                decided = true;
                answered();
                return result;
            } catch (S3Failure failure) {
                decided = true;
                judge(failure);
                throw failure;
            } finally {
                limit.leave();
            }
        } finally {
            if (!decided) {
                breaker.undecided();
            }
        }
    }

    private void answered() {
        limit.answered();
        breaker.succeeded();
    }

    private void judge(S3Failure failure) {
        switch (failure.kind()) {
            case THROTTLED -> {
                // The limit deals with it; only a store that throttles even single requests is left alone.
                if (limit.throttled()) {
                    breaker.failed();
                } else {
                    breaker.succeeded();
                }
            }
            case TRANSIENT -> breaker.failed();
            case REFUSED, MISSING, PRECONDITION, RANGE -> answered();
            case LOCAL -> breaker.undecided();
        }
    }

    private <T> T counted(S3Operation operation, long bytesSent, Attempt<T> attempt)
            throws S3Failure, InterruptedException {
        Gate.Permit permit = shared.gate().acquire();
        long start = shared.time().nanoTime();
        try {
            T result = watched(operation, attempt);
            shared.counters().succeeded(operation, shared.time().nanoTime() - start, bytesSent);
            return result;
        } catch (S3Failure failure) {
            shared.counters().failed(operation, shared.time().nanoTime() - start, failure.code());
            throw failure;
        } finally {
            permit.close();
        }
    }

    /** Moves bytes of a request that was answered already; not tried again and not counted as a request. */
    <T> T transfer(Attempt<T> attempt) throws S3Failure, InterruptedException {
        Gate.Permit permit = shared.gate().acquire();
        try {
            return watched(S3Operation.GET, attempt);
        } finally {
            permit.close();
        }
    }

    /**
     * Runs an attempt and sees to it that it ends: neither {@code HttpURLConnection} nor Apache's client can time out while
     * writing, but a virtual thread's socket is closed when the thread is interrupted.
     */
    private <T> T watched(S3Operation operation, Attempt<T> attempt) throws S3Failure, InterruptedException {
        // A store puts ten thousand parts together before it answers.
        Duration stall = shared.timing().stall().multipliedBy(operation == S3Operation.COMPLETE_MULTIPART ? 10 : 1);
        Progress progress = new Progress(shared.time(), stall);
        FutureTask<T> task = new FutureTask<>(() -> attempt.run(client, progress));
        Thread worker = Thread.ofVirtual().name("s3-" + operation).start(task);
        try {
            while (true) {
                long left = progress.leftNanos();
                if (left <= 0) {
                    abandon(worker, task);
                    throw new S3Failure(S3Failure.Kind.TRANSIENT, "Stalled", "nothing moved for " + stall, null);
                }
                try {
                    return task.get(left, TimeUnit.NANOSECONDS);
                } catch (TimeoutException lookAgain) {
                    log.trace("{} {}: waiting", name, operation);
                }
            }
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            if (cause instanceof Error error) {
                throw error;
            }
            throw S3Failure.of(cause);
        } catch (InterruptedException e) {
            abandon(worker, task);
            throw e;
        }
    }

    /** Ends an attempt and waits for its end: no thread outlives its call. What it may have got is given back. */
    private static void abandon(Thread worker, FutureTask<?> task) {
        worker.interrupt();
        boolean interrupted = false;
        while (true) {
            try {
                if (task.get() instanceof AutoCloseable late) {
                    closeQuietly(late);
                }
                break;
            } catch (ExecutionException endedByUs) {
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void closeQuietly(@Nullable AutoCloseable late) {
        try {
            if (late != null) {
                late.close();
            }
        } catch (Exception e) {
            log.debug("closing an answer that came too late: {}", e.toString());
        }
    }

    S3Counters counters() {
        return shared.counters();
    }

    S3EndpointState state() {
        return new S3EndpointState(name, breaker.state(), limit.limit(), limit.running());
    }

    @Override
    public void close() {
        client.close();
    }
}
