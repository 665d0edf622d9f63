package io.loomstream.admin;

import io.loomstream.engine.fleet.DatabaseId;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.restore.Target;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/** Restores that run, and the last ones that have ended. Thread-safe. */
final class RestoreJobs implements AutoCloseable {
    private static final int RUNNING_MAX = 2;
    private static final int KEPT_MAX = 100;

    private final Optional<Path> directory;
    // All guarded by this.
    private final Map<String, RestoreJob> jobs = new LinkedHashMap<>();
    private final Deque<Thread> threads = new ArrayDeque<>();
    private boolean closed;

    /** @param directory below which files may be made; empty when nobody may restore */
    RestoreJobs(Optional<Path> directory) {
        this.directory = directory;
    }

    /**
     * The directory.
     *
     * @throws Problem when nobody may restore
     */
    Path directory() {
        return directory.orElseThrow(
                () -> new Problem(403, "restoring over the API is off: admin.restore-dir says where it may write to"));
    }

    /**
     * Begins a restore on a thread of its own.
     *
     * @throws Problem when as many run as may, or one runs to the same place
     */
    synchronized RestoreJob begin(DatabaseId database, RestorePlace place, Target target, ReplicaClient replica) {
        long running = jobs.values().stream().filter(RestoreJob::isRunning).count();
        if (closed || running >= RUNNING_MAX) {
            throw new Problem(503, closed ? "the server stops" : "as many restores run as may at once: " + RUNNING_MAX);
        }
        if (jobs.values().stream()
                .anyMatch(other -> other.isRunning() && other.outputFile().equals(place.output()))) {
            throw new Problem(409, "output: another restore makes this file");
        }
        String id = HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong());
        RestoreJob job = new RestoreJob(id, database, place, target, Instant.now());
        jobs.put(id, job);
        jobs.values().stream()
                .filter(old -> !old.isRunning())
                .limit(Math.max(0, jobs.size() - KEPT_MAX))
                .map(RestoreJob::id)
                .toList()
                .forEach(jobs::remove);
        threads.removeIf(thread -> !thread.isAlive());
        threads.add(Thread.ofVirtual().name("restore-" + id).start(() -> job.run(replica)));
        return job;
    }

    /** One that runs, or one of the last; empty for none. */
    synchronized Optional<RestoreJob> job(String id) {
        return Optional.ofNullable(jobs.get(id));
    }

    /** Ends what runs, and waits until it has removed what it made. */
    @Override
    public void close() {
        Deque<Thread> ending;
        synchronized (this) {
            closed = true;
            ending = new ArrayDeque<>(threads);
        }
        ending.forEach(Thread::interrupt);
        try {
            for (Thread thread : ending) {
                thread.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
