package io.loomstream.engine.fleet;

import io.loomstream.engine.concurrent.Time;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

/**
 * Hands events to whoever watches, and remembers the last moves and failures for those who come later. A watcher that does
 * not keep up loses events and is told so, and never holds anybody up. Thread-safe.
 */
public final class FleetEvents {
    private static final int WATCHERS_MAX = 64;
    private static final int QUEUED_MAX = 1_000;
    /** Of moves, and of failures: many of one kind do not push the other out. Some 300 bytes each. */
    private static final int KEPT_MAX = 100;

    private final Time time;
    private final CopyOnWriteArrayList<Watcher> watchers = new CopyOnWriteArrayList<>();
    private final ArrayDeque<FleetEvent> moves = new ArrayDeque<>(KEPT_MAX);
    private final ArrayDeque<FleetEvent> failures = new ArrayDeque<>(KEPT_MAX);

    FleetEvents(Time time) {
        this.time = time;
    }

    /** Somebody who watches, until closed. For one thread, but {@link #close} is anybody's. */
    public final class Watcher implements AutoCloseable {
        private final BlockingQueue<FleetEvent> queue = new ArrayBlockingQueue<>(QUEUED_MAX);
        private final AtomicLong lost = new AtomicLong();

        private Watcher() {}

        private void offer(FleetEvent event) {
            // Once one is lost all are, until the watcher is told: what it gets afterwards came later.
            if (lost.get() > 0 || !queue.offer(event)) {
                lost.incrementAndGet();
            }
        }

        /** The next event, waited for so long; empty when none came. */
        public Optional<FleetEvent> next(Duration patience) throws InterruptedException {
            FleetEvent event = queue.poll();
            if (event == null) {
                long missed = lost.getAndSet(0);
                event = missed > 0
                        ? new FleetEvent.Lost(time.now(), missed)
                        : queue.poll(patience.toNanos(), TimeUnit.NANOSECONDS);
            }
            return Optional.ofNullable(event);
        }

        @Override
        public void close() {
            watchers.remove(this);
        }
    }

    /** A new watcher; empty when there are too many. */
    public synchronized Optional<Watcher> watch() {
        if (watchers.size() >= WATCHERS_MAX) {
            return Optional.empty();
        }
        Watcher watcher = new Watcher();
        watchers.add(watcher);
        return Optional.of(watcher);
    }

    /** The last moves and failures, the newest first. */
    public List<FleetEvent> recent() {
        List<FleetEvent> recent = new ArrayList<>();
        synchronized (moves) {
            recent.addAll(moves);
        }
        synchronized (failures) {
            recent.addAll(failures);
        }
        recent.sort(Comparator.comparing(FleetEvent::at).reversed());
        return recent;
    }

    void moved(DatabaseId database, Tier from, Tier to, String why) {
        FleetEvent moved = new FleetEvent.Moved(time.now(), database, from, to, why);
        keep(moves, moved);
        watchers.forEach(watcher -> watcher.offer(moved));
    }

    /** @param database empty when it is not about one database */
    void failed(Optional<DatabaseId> database, String why) {
        FleetEvent failed = new FleetEvent.Failed(time.now(), database, why);
        keep(failures, failed);
        watchers.forEach(watcher -> watcher.offer(failed));
    }

    private static void keep(ArrayDeque<FleetEvent> kept, FleetEvent event) {
        synchronized (kept) {
            if (kept.size() == KEPT_MAX) {
                kept.removeLast();
            }
            kept.addFirst(event);
        }
    }

    /** Makes an event that is not remembered, and only when somebody watches. */
    void publish(Function<Instant, FleetEvent> event) {
        if (!watchers.isEmpty()) {
            FleetEvent made = event.apply(time.now());
            watchers.forEach(watcher -> watcher.offer(made));
        }
    }
}
