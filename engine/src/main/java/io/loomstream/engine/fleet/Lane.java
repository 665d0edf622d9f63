package io.loomstream.engine.fleet;

import io.loomstream.engine.concurrent.Gate;
import io.loomstream.engine.concurrent.TaskScope;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.DelayQueue;
import java.util.concurrent.Delayed;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Work of one kind that becomes due at moments, done one virtual thread per task behind a gate. The permit is acquired
 * before the thread is forked, so that waiting work costs a queue entry only.
 */
final class Lane {
    /** Longer pauses end at multiples of this: what is due within one wakes the dispatcher once. */
    private static final long TICK_NANOS = 8_000_000;

    private static final long PUNCTUAL_NANOS = 100_000_000;

    private final Gate gate;
    private final Consumer<LiveDatabase> work;
    private final DelayQueue<Due> queue = new DelayQueue<>();

    Lane(Gate gate, Consumer<LiveDatabase> work) {
        this.gate = gate;
        this.work = work;
    }

    private record Due(LiveDatabase database, long nanos) implements Delayed {
        @Override
        public long getDelay(TimeUnit unit) {
            return unit.convert(nanos - System.nanoTime(), TimeUnit.NANOSECONDS);
        }

        @Override
        public int compareTo(Delayed other) {
            return Long.compare(nanos - ((Due) other).nanos, 0);
        }
    }

    /** Queues a database; the caller sees to it that it is queued once. */
    void after(Duration pause, LiveDatabase database) {
        long nanos = pause.toNanos();
        long due = System.nanoTime() + nanos;
        queue.add(new Due(database, nanos < PUNCTUAL_NANOS ? due : Math.ceilDiv(due, TICK_NANOS) * TICK_NANOS));
    }

    /** How many are queued. */
    int size() {
        return queue.size();
    }

    /** Does what becomes due until interrupted. */
    Callable<Void> dispatchIn(TaskScope scope) {
        return () -> {
            while (true) {
                LiveDatabase database = queue.take().database();
                Gate.Permit permit = gate.acquire();
                boolean forked = false;
                try {
                    scope.fork(() -> {
                        try {
                            work.accept(database);
                        } finally {
                            permit.close();
                        }
                        return null;
                    });
                    forked = true;
                } finally {
                    if (!forked) {
                        permit.close();
                    }
                }
            }
        };
    }
}
