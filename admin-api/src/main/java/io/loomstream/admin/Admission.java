package io.loomstream.admin;

import io.javalin.http.Context;
import io.javalin.http.Handler;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** Bounds how many requests are worked on at once; who finds no place within a second is told to come again. */
final class Admission {
    private static final int PLACES = 32;
    private static final long PATIENCE_MILLIS = 1_000;

    private static final long DRAIN_SECONDS = 5;

    private final Semaphore places = new Semaphore(PLACES, true);

    /** The handler behind this bound. */
    Handler bounded(Handler handler) {
        return context -> {
            if (!places.tryAcquire(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)) {
                throw busy(context);
            }
            try {
                handler.handle(context);
            } finally {
                places.release();
            }
        };
    }

    /** Lets nobody in any more, and waits a few seconds for those inside. */
    void drain() {
        try {
            if (!places.tryAcquire(PLACES, DRAIN_SECONDS, TimeUnit.SECONDS)) {
                places.drainPermits();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** What is said when there is no place. */
    static Problem busy(Context context) {
        context.header("Retry-After", "1");
        return new Problem(503, "too many requests at once");
    }
}
