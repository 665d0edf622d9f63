package io.loomstream.engine.fleet;

import io.loomstream.engine.concurrent.TaskScope;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Full scans that people ask for. One runs at a time. It may have passed by the database that somebody asks about while it
 * runs: everybody who asks during a scan gets the same next one. Thread-safe.
 */
final class ScanRequests {
    private static final int KEPT_MAX = 32;

    private final List<Fleet> fleets;
    private final TaskScope tasks;
    private final ReentrantLock lock = new ReentrantLock();
    // All guarded by lock.
    private final Map<Long, CompletableFuture<List<PassReport>>> kept = new LinkedHashMap<>();
    private @Nullable Long running;
    private @Nullable Long followUp;
    private long last;

    ScanRequests(List<Fleet> fleets, TaskScope tasks) {
        this.fleets = fleets;
        this.tasks = tasks;
    }

    /** Begins a full scan, or joins the one that follows the running one; its number. */
    long request() {
        lock.lock();
        try {
            if (running == null) {
                long id = add();
                tasks.fork(() -> {
                    run(id);
                    return null;
                });
                running = id;
                return id;
            }
            if (followUp == null) {
                followUp = add();
            }
            return followUp;
        } finally {
            lock.unlock();
        }
    }

    private long add() {
        long id = ++last;
        kept.put(id, new CompletableFuture<>());
        if (kept.size() > KEPT_MAX) {
            kept.remove(kept.keySet().iterator().next());
        }
        return id;
    }

    private void run(long first) throws InterruptedException {
        Long id = first;
        while (id != null) {
            CompletableFuture<List<PassReport>> future = future(id);
            try {
                List<PassReport> reports = new ArrayList<>();
                for (Fleet fleet : fleets) {
                    reports.add(fleet.scanNow(true));
                }
                future.complete(List.copyOf(reports));
            } finally {
                future.cancel(false); // does nothing when it is complete
                id = next();
            }
        }
    }

    private CompletableFuture<List<PassReport>> future(long id) {
        lock.lock();
        try {
            CompletableFuture<List<PassReport>> future = kept.get(id);
            return future == null ? new CompletableFuture<>() : future;
        } finally {
            lock.unlock();
        }
    }

    private @Nullable Long next() {
        lock.lock();
        try {
            running = followUp;
            followUp = null;
            return running;
        } finally {
            lock.unlock();
        }
    }

    /** The state of a scan; empty when the number is not known, or not any more. */
    Optional<ScanState> state(long id, Duration patience) throws InterruptedException {
        CompletableFuture<List<PassReport>> future;
        lock.lock();
        try {
            future = kept.get(id);
        } finally {
            lock.unlock();
        }
        if (future == null) {
            return Optional.empty();
        }
        try {
            List<PassReport> reports =
                    patience.isPositive() ? future.get(patience.toNanos(), TimeUnit.NANOSECONDS) : future.getNow(null);
            return Optional.of(reports == null ? new ScanState.Running(id) : new ScanState.Ended(id, reports));
        } catch (TimeoutException stillRunning) {
            return Optional.of(new ScanState.Running(id));
        } catch (ExecutionException | java.util.concurrent.CancellationException failed) {
            return Optional.of(new ScanState.GivenUp(id));
        }
    }
}
