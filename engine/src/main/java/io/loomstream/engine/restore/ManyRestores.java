package io.loomstream.engine.restore;

import io.loomstream.engine.concurrent.Gate;
import io.loomstream.engine.concurrent.TaskScope;
import io.loomstream.engine.error.EngineException;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.ReplicaTree;
import io.loomstream.engine.restore.RestoreRequest.Existing;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Restores very many databases, so many at a time, each on a virtual thread of its own. One that fails disturbs no other; what
 * is complete already is passed over. Whoever gives the databases waits while all places are taken, so memory does not grow
 * with their number.
 */
public final class ManyRestores {
    /** Downloads of the whole process at once, of up to 4 MiB each, shared by the databases under way. */
    private static final int DOWNLOADS = 16;

    private final Gate places;
    private final IntegrityCheck check;
    private final boolean force;
    private final RestoreLog done;
    private final Listener listener;

    /**
     * A run.
     *
     * @param parallel how many databases at once
     * @param force replace what is in the way
     * @param done where a run that was broken off is gone on from
     */
    public ManyRestores(int parallel, IntegrityCheck check, boolean force, RestoreLog done, Listener listener) {
        this.places = new Gate("restore", parallel);
        this.check = check;
        this.force = force;
        this.done = done;
        this.listener = listener;
    }

    /**
     * One database.
     *
     * @param name what it is called in the log and in reports; unique
     */
    public record Job(String name, ReplicaClient replica, Path output) {}

    /** Is told what becomes of each database; called by several threads at once. */
    public interface Listener {
        void restored(Job job, Txid reached, long bytes);

        /** An earlier run restored it. */
        void alreadyComplete(Job job);

        void failed(Job job, String why);
    }

    /** Names the databases, one after the other. */
    @FunctionalInterface
    public interface Source {
        void giveTo(Taker taker) throws InterruptedException;
    }

    /** Takes a database as soon as there is a place for it. */
    @FunctionalInterface
    public interface Taker {
        void take(Job job) throws InterruptedException;
    }

    /**
     * Restores all that the source names; returns when all have ended.
     *
     * @throws EngineException what the source throws; databases under way are finished first
     * @throws InterruptedException when interrupted: databases under way are given up
     */
    public void run(Source source) throws InterruptedException {
        AtomicReference<@Nullable Throwable> unexpected = new AtomicReference<>();
        try (TaskScope scope =
                TaskScope.openSupervised("restores", failure -> unexpected.compareAndSet(null, failure))) {
            try {
                source.giveTo(job -> {
                    Gate.Permit place = places.acquire();
                    boolean begun = false;
                    try {
                        scope.fork(() -> {
                            try (place) {
                                one(job);
                            }
                            return null;
                        });
                        begun = true;
                    } finally {
                        if (!begun) {
                            place.close();
                        }
                    }
                });
            } catch (EngineException failure) {
                scope.join();
                throw failure;
            }
            scope.join();
        }
        Throwable broken = unexpected.get();
        if (broken != null) {
            throw new IllegalStateException("a restore ended with an unexpected error", broken);
        }
    }

    private void one(Job job) throws InterruptedException {
        try {
            if (done.isComplete(job.name(), job.output())) {
                listener.alreadyComplete(job);
                return;
            }
            Optional<String> obstacle = obstacle(job.output());
            if (obstacle.isPresent()) {
                listener.failed(job, obstacle.get());
                return;
            }
            RestoreRequest request = RestoreRequest.latest(job.output())
                    .checked(check)
                    .onExisting(force ? Existing.REPLACE : Existing.REFUSE)
                    .preparedBy((plan, image) -> done.finished(job.name(), image, plan.reached()));
            RestoreOutcome outcome = Restore.from(job.replica(), RestoreProgress.NONE)
                    .inParallel(Math.max(1, DOWNLOADS / places.permits()))
                    .run(request);
            switch (outcome) {
                case RestoreOutcome.Restored restored ->
                    listener.restored(job, restored.plan().reached(), restored.sizeBytes());
                case RestoreOutcome.NotAvailable(PlanOutcome.NotAvailable why) -> listener.failed(job, why.message());
                case RestoreOutcome.Broken(PlanOutcome.Broken why) -> listener.failed(job, why.message());
                case RestoreOutcome.RestoredOldFormat old ->
                    throw new IllegalStateException("nobody asked for the old format");
                case RestoreOutcome.AlreadyThere there ->
                    throw new IllegalStateException("nobody asked to keep what is there");
            }
        } catch (EngineException failure) {
            if (Thread.currentThread().isInterrupted()) {
                throw new InterruptedException();
            }
            // The obstacle may have come while this one was under way.
            listener.failed(job, obstacle(job.output()).orElseGet(() -> String.valueOf(failure.getMessage())));
        }
    }

    /**
     * What no restore can get past: replica paths may lie inside one another, files cannot. Whichever of the two comes first
     * has the place.
     */
    private static Optional<String> obstacle(Path output) {
        if (Files.isDirectory(output, LinkOption.NOFOLLOW_LINKS)) {
            return Optional.of(
                    output + " is a directory: other databases are below it; restore this one elsewhere, with -o");
        }
        for (Path above = output.getParent(); above != null; above = above.getParent()) {
            if (Files.exists(above) && !Files.isDirectory(above)) {
                return Optional.of(above + " is a file, and " + output
                        + " would have to be below it; restore this one elsewhere, with -o");
            }
        }
        return Optional.empty();
    }

    /**
     * The file below a directory that a replica's path stands for.
     *
     * @return empty when the path could lead elsewhere, or the file would be taken for another one's side file
     */
    public static Optional<Path> below(Path directory, String path) {
        if (!ReplicaTree.problemOf(path).isEmpty()) {
            return Optional.empty();
        }
        for (String side : new String[] {"-wal", "-shm", "-journal"}) {
            if (path.endsWith(side)) {
                return Optional.empty();
            }
        }
        Path base = directory.toAbsolutePath().normalize();
        Path file = base.resolve(path).normalize();
        return file.startsWith(base) && !file.equals(base) ? Optional.of(file) : Optional.empty();
    }
}
