package io.loomstream.engine.compaction;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.error.EngineException;
import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.error.UnsupportedDatabaseException;
import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.replica.MissingFileException;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes the {@link Turn}s of units, and sees to it that one that fails is taken again. Thread-safe; one thread a unit. */
final class Turns {
    private static final Logger log = LoggerFactory.getLogger(Turns.class);
    private static final Duration LINE_INTERVAL = Duration.ofSeconds(30);

    private final Waiting waiting;
    private final Time time;
    private final CodecResources codec;
    private final CompactionCounters counters = new CompactionCounters();
    private final WaryClock clock;

    Turns(Waiting waiting, Time time, CodecResources codec) {
        this.waiting = waiting;
        this.time = time;
        this.codec = codec;
        this.clock = new WaryClock(time);
    }

    CompactionCounters counters() {
        return counters;
    }

    /** Takes a turn in the calling thread; the unit is not running any more when this returns or throws. */
    void take(Unit unit, boolean maySnapshot) throws InterruptedException {
        Unit.News news = waiting.takeNews(unit);
        List<Request> requests = waiting.takeRequests(unit, maySnapshot);
        Runnable end = () -> waiting.failed(unit, news);
        Subject subject = null;
        Turn turn = null;
        try {
            Optional<Subject> found = unit.site().subject();
            Optional<EngineException> refusal = refusal(unit, found);
            if (found.isEmpty() || refusal.isPresent()) {
                refusal.ifPresent(why -> refuse(requests, why));
                end = () -> waiting.dismissed(unit);
                return;
            }
            subject = found.get();
            Levels levels = subject.levels();
            Turn taken = new Turn(subject, unit, context());
            turn = taken;
            end = () -> waiting.failed(unit, taken.newsWritten() ? Unit.News.NONE : news);
            Turn.Result result = turn.take(news, requests, maySnapshot);
            end = () -> waiting.ended(unit, levels, result);
            succeeded(unit, subject, news, result);
        } catch (EngineException | IOException failure) {
            interruptedIf(failure);
            failed(unit, subject, turn, failure);
        } catch (RuntimeException unexpected) {
            failed(unit, subject, turn, unexpected);
        } finally {
            end.run();
        }
    }

    /** Why nothing is to be done, and will not be until somebody says something new of the database. */
    private static Optional<EngineException> refusal(Unit unit, Optional<Subject> subject) {
        if (subject.isEmpty() || !Files.isDirectory(subject.get().meta())) {
            return Optional.of(new UnsupportedDatabaseException(
                    unit.site().name() + ": nothing is compacted here: it is not replicated, or not yet"));
        }
        return subject.get().lost().map(EngineException.class::cast);
    }

    private static void refuse(List<Request> requests, EngineException why) {
        requests.forEach(request -> request.done().completeExceptionally(why));
    }

    /** A file channel and an S3 client report an interruption as a failure: only a stop interrupts. */
    private static void interruptedIf(Exception failure) throws InterruptedException {
        boolean interrupted = Thread.currentThread().isInterrupted();
        for (Throwable cause = failure; cause != null && !interrupted; cause = cause.getCause()) {
            interrupted = cause instanceof ClosedByInterruptException || cause instanceof InterruptedException;
        }
        if (interrupted) {
            InterruptedException stop = new InterruptedException("stopped while merging or deleting");
            stop.initCause(failure);
            throw stop;
        }
    }

    /** What turns share, now. */
    Turn.Context context() {
        return new Turn.Context(time.now(), clock.now(), codec, counters, waiting::told);
    }

    private void succeeded(Unit unit, Subject subject, Unit.News news, Turn.Result result) throws InterruptedException {
        if (unit.failures > 0) {
            unit.failures = 0;
            log.atInfo().addKeyValue("db", subject.database()).log("compacting again");
        }
        if (news.bringsSnapshot()) {
            unit.everAsked = false;
        }
        String broken = result.broken();
        long nanos = time.nanoTime();
        if (broken != null && (!unit.everAsked || nanos - unit.askedAtNanos >= Unit.ASK_AGAIN.toNanos())) {
            unit.everAsked = true;
            unit.askedAtNanos = nanos;
            counters.brokenChains.increment();
            log.atError()
                    .addKeyValue("db", subject.database())
                    .addKeyValue("problem", broken)
                    .log("the replica has a hole; a complete copy of the database is made");
            unit.site().wantsCompleteCopy(broken);
        }
    }

    private void failed(Unit unit, @Nullable Subject subject, @Nullable Turn turn, Exception failure) {
        // A backlog that shrinks, however slowly, is not waited for ever longer.
        unit.failures = turn != null && turn.merged() ? 1 : unit.failures + 1;
        counters.failures.increment();
        if (failure instanceof MissingFileException || failure instanceof ConflictException) {
            forgetIndex(subject);
        }
        long nanos = time.nanoTime();
        if (!unit.everSaid || nanos - unit.saidAtNanos >= LINE_INTERVAL.toNanos()) {
            unit.everSaid = true;
            unit.saidAtNanos = nanos;
            boolean unexpected = !(failure instanceof EngineException || failure instanceof IOException);
            log.atError()
                    .addKeyValue("db", unit.site().name())
                    .addKeyValue("failures", unit.failures)
                    .addKeyValue("error", unexpected ? failure.toString() : failure.getMessage())
                    .setCause(unexpected ? failure : null)
                    .log("compaction or retention failed; trying again");
        }
    }

    /** What the index says is not what the replica has: it is listed the next time. */
    private static void forgetIndex(@Nullable Subject subject) {
        if (subject != null) {
            try {
                Files.deleteIfExists(subject.indexFile());
            } catch (IOException e) {
                throw new TransientStorageException(subject.indexFile() + ": " + e.getMessage(), e);
            }
        }
    }
}
