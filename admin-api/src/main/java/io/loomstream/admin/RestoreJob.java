package io.loomstream.admin;

import io.loomstream.engine.error.EngineException;
import io.loomstream.engine.fleet.DatabaseId;
import io.loomstream.engine.replica.FileSteps;
import io.loomstream.engine.replica.PosixFileSteps;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.restore.Restore;
import io.loomstream.engine.restore.RestoreOutcome;
import io.loomstream.engine.restore.RestoreProgress;
import io.loomstream.engine.restore.RestoreRequest;
import io.loomstream.engine.restore.Target;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One restore that somebody asked for. The file is made complete and durable under another name beside its own, then linked
 * to it: a link never replaces anything, whoever came in between. What is left of a restore that failed is removed.
 */
final class RestoreJob {
    private static final Logger log = LoggerFactory.getLogger(RestoreJob.class);

    private final String id;
    private final DatabaseId database;
    private final RestorePlace place;
    private final Target target;
    private final Instant began;
    private volatile long writtenBytes;
    private volatile State state = new State.Running();

    RestoreJob(String id, DatabaseId database, RestorePlace place, Target target, Instant began) {
        this.id = id;
        this.database = database;
        this.place = place;
        this.target = target;
        this.began = began;
    }

    /** How far it is. */
    sealed interface State {
        record Running() implements State {}

        /** The file is in place. */
        record Restored(Optional<String> txid, long sizeBytes) implements State {}

        /** There is no file; why, in words. */
        record Failed(String why) implements State {}
    }

    String id() {
        return id;
    }

    DatabaseId database() {
        return database;
    }

    String output() {
        return place.shown();
    }

    Path outputFile() {
        return place.output();
    }

    Instant began() {
        return began;
    }

    /** Bytes of pages written so far; pages that several files hold count each time. */
    long writtenBytes() {
        return writtenBytes;
    }

    State state() {
        return state;
    }

    boolean isRunning() {
        return state instanceof State.Running;
    }

    /** Does it. Never throws: what goes wrong is the job's state. */
    void run(ReplicaClient replica) {
        List<Path> made = place.missingDirectories();
        State end;
        try {
            end = restore(replica);
        } catch (FileAlreadyExistsException e) {
            end = new State.Failed("something came to the output's place meanwhile, and nothing is ever replaced");
        } catch (Problem | EngineException e) {
            end = new State.Failed(String.valueOf(e.getMessage()));
        } catch (IOException e) {
            end = new State.Failed("the file cannot be put in place: " + e.getMessage());
        } catch (InterruptedException e) {
            end = new State.Failed("the server stopped");
        } catch (RuntimeException | Error e) {
            log.atError().setCause(e).addKeyValue("db", database.path()).log("a restore failed");
            end = new State.Failed("an error of the program; its log says more");
        }
        if (end instanceof State.Failed) {
            made.reversed().forEach(RestoreJob::removeIfEmpty);
        }
        state = end;
        log.atInfo()
                .addKeyValue("db", database.path())
                .addKeyValue("output", place.output())
                .addKeyValue("result", end instanceof State.Failed failed ? failed.why() : "restored")
                .log("restore over the API ended");
    }

    private State restore(ReplicaClient replica) throws IOException, InterruptedException {
        Path hidden = place.output().resolveSibling("." + place.output().getFileName() + ".restored-" + id);
        try {
            RestoreOutcome outcome = Restore.from(replica, new RestoreProgress() {
                        @Override
                        public void written(long totalBytes) {
                            writtenBytes = totalBytes;
                        }
                    })
                    .run(RestoreRequest.latest(hidden).to(target));
            return switch (outcome) {
                case RestoreOutcome.Restored restored -> {
                    putInPlace(hidden);
                    yield new State.Restored(
                            Optional.of(restored.plan().reached().toString()), restored.sizeBytes());
                }
                case RestoreOutcome.RestoredOldFormat restored -> {
                    putInPlace(hidden);
                    yield new State.Restored(Optional.empty(), restored.sizeBytes());
                }
                case RestoreOutcome.AlreadyThere there -> new State.Failed("there is something at this place");
                case RestoreOutcome.NotAvailable none ->
                    new State.Failed(none.why().message());
                case RestoreOutcome.Broken broken ->
                    new State.Failed(broken.why().message());
            };
        } finally {
            Files.deleteIfExists(hidden);
        }
    }

    private void putInPlace(Path complete) throws IOException {
        place.requireFree();
        Files.createLink(place.output(), complete);
        Files.delete(complete);
        FileSteps steps = new PosixFileSteps();
        steps.forceDirectory(complete.resolveSibling(""));
    }

    private static void removeIfEmpty(Path directory) {
        try {
            Files.deleteIfExists(directory);
        } catch (DirectoryNotEmptyException usedByOthers) {
            return;
        } catch (IOException e) {
            log.debug("{} stays", directory, e);
        }
    }
}
