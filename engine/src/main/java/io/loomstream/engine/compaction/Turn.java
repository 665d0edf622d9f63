package io.loomstream.engine.compaction;

import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.ReplicaFile;
import io.loomstream.engine.restore.Listing;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One turn of a database: writes down what came to its replica, does what is due, and says when the next turn is. For one
 * thread, one use.
 */
final class Turn {
    private static final Logger log = LoggerFactory.getLogger(Turn.class);

    private final Subject subject;
    private final Unit unit;
    private final Context context;
    private boolean newsWritten;
    private boolean merged;

    /**
     * What turns share.
     *
     * @param now the wall clock
     * @param toldMeanwhile the newest TXID that came to a replica since its turn began; zero when none did
     * @param retentionNow the wall clock without its jumps forward: what it says has expired has
     */
    record Context(
            Instant now,
            Instant retentionNow,
            CodecResources codec,
            CompactionCounters counters,
            Function<Unit, Txid> toldMeanwhile) {}

    /**
     * How a turn ended.
     *
     * @param due when the next one is; empty: not before the database changes
     * @param snapshot whether it needs the permission to make a snapshot
     * @param broken why a complete copy of the database is needed; null when none is
     */
    record Result(
            Optional<Instant> due,
            boolean snapshot,
            @Nullable String broken) {}

    Turn(Subject subject, Unit unit, Context context) {
        this.subject = subject;
        this.unit = unit;
        this.context = context;
    }

    /**
     * Takes the turn.
     *
     * @param news what was told; written down when this returns
     * @param requests carried out first; each has ended when this returns, also with an exception
     * @param maySnapshot whether a snapshot may be made now
     */
    Result take(Unit.News news, List<Request> requests, boolean maySnapshot) throws IOException, InterruptedException {
        try (LevelIndex index = index(news);
                WorkFiles files = new WorkFiles(subject.meta())) {
            newsWritten = true;
            unit.known = index.newest();
            LevelWork work = work(index, files);
            work.settleIntent();
            Doing doing = new Doing(index, work, maySnapshot);
            for (Request request : requests) {
                doing.carryOut(request);
            }
            return doing.all();
        } catch (IOException | InterruptedException | RuntimeException | Error e) {
            requests.forEach(request -> request.done().completeExceptionally(e));
            throw e;
        }
    }

    private LevelWork work(LevelIndex index, WorkFiles files) {
        return new LevelWork(
                subject,
                index,
                unit.unusable,
                files,
                context.codec(),
                context.counters(),
                () -> context.toldMeanwhile().apply(unit));
    }

    /** Whether the news are in the index, also when the turn failed after that. */
    boolean newsWritten() {
        return newsWritten;
    }

    /** Whether it has merged something, also when it failed after that. */
    boolean merged() {
        return merged;
    }

    /** Makes a snapshot, deletes old ones, whatever is due; for a run that ends after it. */
    void demand(Unit.News news, boolean snapshot, boolean retention)
            throws IOException, InterruptedException, LevelWork.BrokenChain {
        try (LevelIndex index = index(news);
                WorkFiles files = new WorkFiles(subject.meta())) {
            LevelWork work = work(index, files);
            work.settleIntent();
            if (snapshot && index.newest().isAfter(index.reached(Level.SNAPSHOT))) {
                work.snapshot();
            }
            if (retention) {
                work.trimSnapshots(context.retentionNow()
                        .minus(subject.levels().snapshots().retention()));
            }
            index.end(Schedule.first(schedule().all(index)));
        }
    }

    /** Writes the news down where that takes no listing; else the next turn lists. */
    void writeDown(Unit.News news) throws IOException {
        Optional<LevelIndex> kept =
                LevelIndex.open(subject.indexFile(), subject.replica().describe());
        if (kept.isPresent()) {
            try (LevelIndex index = kept.get()) {
                if (fits(index, news)) {
                    index.added(news.files());
                    index.end(Schedule.first(schedule().all(index)));
                    return;
                }
            }
            Files.delete(subject.indexFile());
        } else if (begins(news)) {
            try (LevelIndex index =
                    LevelIndex.create(subject.indexFile(), subject.replica().describe(), news.files())) {
                index.end(Schedule.first(schedule().all(index)));
            }
        }
    }

    /** Whether the news begin with the first file of an empty replica. */
    private static boolean begins(Unit.News news) {
        return !news.contradictory()
                && Txid.ZERO.equals(news.located())
                && !news.files().isEmpty()
                && news.files().getFirst().min().equals(Txid.ONE);
    }

    private Schedule schedule() {
        return new Schedule(subject.levels(), unit.share(), context.now());
    }

    // ---- the index

    /** The index with the news written down; listed anew when it and the news do not fit together. */
    private LevelIndex index(Unit.News news) throws IOException {
        Optional<LevelIndex> kept =
                LevelIndex.open(subject.indexFile(), subject.replica().describe());
        if (kept.isPresent() && fits(kept.get(), news)) {
            boolean complete = false;
            try {
                kept.get().added(news.files());
                complete = true;
                return kept.get();
            } finally {
                if (!complete) {
                    kept.get().close();
                }
            }
        }
        if (kept.isPresent()) {
            kept.get().close();
        }
        // Before the listing: should it fail, what does not fit must not be believed the next time.
        Files.deleteIfExists(subject.indexFile());
        Map<String, Stored> files = new LinkedHashMap<>();
        if (kept.isPresent() || !begins(news)) {
            context.counters().listings.increment();
            List<ReplicaFile> listed = Listing.of(subject.replica()).files().toList();
            refuseWhatIsNotOurs(listed, news);
            listed.forEach(file -> files.put(Unusable.name(file), new Stored(file, 0)));
        }
        news.files().forEach(stored -> files.put(Unusable.name(stored.file()), stored));
        return LevelIndex.create(subject.indexFile(), subject.replica().describe(), files.values());
    }

    /**
     * A file that was missing is why this is listed anew. Where the replica has come further than by us meanwhile, it was
     * another server that deleted it, and what the listing says must not become what we may merge and delete.
     */
    private void refuseWhatIsNotOurs(List<ReplicaFile> listed, Unit.News news) {
        Txid ours = unit.known
                .max(news.reached())
                .max(news.located() == null ? Txid.ZERO : news.located())
                .max(context.toldMeanwhile().apply(unit));
        for (ReplicaFile file : listed) {
            if (!unit.known.isZero() && file.range().max().isAfter(ours)) {
                throw new ConflictException(subject.database() + ": files of the replica are missing, and it has "
                        + file.range() + " at level " + file.level() + ", which this server did not upload: nothing is"
                        + " merged or deleted there");
            }
        }
    }

    private static boolean fits(LevelIndex index, Unit.News news) {
        if (news.contradictory()) {
            return false;
        }
        Txid newest = index.newest();
        Txid located = news.located();
        return (located == null || located.equals(newest))
                && (news.files().isEmpty() || !news.files().getFirst().min().isAfter(newest.next()));
    }

    // ---- what is due

    private final class Doing {
        private final LevelIndex index;
        private final LevelWork work;
        private final boolean maySnapshot;
        private final Set<Schedule.Task> tried = new HashSet<>();
        private @Nullable String broken;
        private @Nullable TransientStorageException failure;

        Doing(LevelIndex index, LevelWork work, boolean maySnapshot) {
            this.index = index;
            this.work = work;
            this.maySnapshot = maySnapshot;
        }

        Result all() throws IOException, InterruptedException {
            boolean snapshotWaits = false;
            while (true) {
                List<Schedule.Due> all = schedule().all(index);
                Optional<Schedule.Task> next = Optional.empty();
                for (Schedule.Due due : all) {
                    boolean isDue = !due.at().isAfter(context.now()) && !tried.contains(due.task());
                    if (isDue && due.task() instanceof Schedule.Task.Snapshot && !maySnapshot) {
                        snapshotWaits = true;
                    } else if (isDue && next.isEmpty()) {
                        next = Optional.of(due.task());
                    }
                }
                if (next.isEmpty()) {
                    if (failure != null) {
                        throw failure;
                    }
                    validate();
                    Optional<Instant> due = snapshotWaits ? Optional.of(context.now()) : next(all);
                    index.end(due);
                    return new Result(due, snapshotWaits, broken);
                }
                tryTo(next.get());
            }
        }

        /** What goes wrong with it fails the turn as well, which then is tried again. */
        void carryOut(Request request) throws IOException, InterruptedException {
            try {
                switch (request.kind()) {
                    case COMPACT -> {
                        for (int number = 1;
                                number <= subject.levels().highest().number();
                                number++) {
                            boolean more = true;
                            while (more) {
                                more = run(new Schedule.Task.Compact(new Level(number)));
                            }
                        }
                    }
                    case SNAPSHOT -> {
                        if (index.newest().isAfter(index.reached(Level.SNAPSHOT))) {
                            run(new Schedule.Task.Snapshot());
                        }
                    }
                }
                request.done().complete(index.newest());
            } catch (LevelWork.BrokenChain chain) {
                broken = String.valueOf(chain.getMessage());
                request.done()
                        .completeExceptionally(new CorruptDataException(
                                subject.replica().describe(), 0, broken + "; a complete copy of the database is made"));
            }
        }

        private void tryTo(Schedule.Task task) throws IOException, InterruptedException {
            int damaged = unit.unusable.files().size();
            try {
                if (!run(task)) {
                    tried.add(task);
                }
            } catch (LevelWork.BrokenChain chain) {
                tried.add(task);
                broken = String.valueOf(chain.getMessage());
            } catch (TransientStorageException trouble) {
                // One request that fails, again and again perhaps, must not keep the rest from being done; a second one
                // says that the replica is out of reach.
                if (failure != null) {
                    throw trouble;
                }
                failure = trouble;
                tried.add(task);
            } catch (CorruptDataException found) {
                if (unit.unusable.files().size() == damaged) {
                    throw found;
                }
                log.atError()
                        .addKeyValue("db", subject.database())
                        .addKeyValue("error", found.getMessage())
                        .log("a file of the replica is damaged; going on without it");
            }
        }

        /** Does it; whether it may have to be done again at once. */
        private boolean run(Schedule.Task task) throws IOException, InterruptedException, LevelWork.BrokenChain {
            Levels levels = subject.levels();
            switch (task) {
                case Schedule.Task.Compact(Level level) -> {
                    boolean more = work.compact(level);
                    merged |= more;
                    if (more && levels.verifies() && work.lookOver(level) > 0) {
                        context.counters().verifyFailed(subject.database());
                    }
                    return more;
                }
                case Schedule.Task.TrimL0 trim ->
                    work.trimL0(context.retentionNow().minus(levels.l0().retention()));
                case Schedule.Task.Snapshot snapshot -> work.snapshot();
                case Schedule.Task.TrimSnapshots trim ->
                    work.trimSnapshots(
                            context.retentionNow().minus(levels.snapshots().retention()));
            }
            return false;
        }

        /** What was tried and is still due has its next try at the next boundary: it will not be any different before. */
        private Optional<Instant> next(List<Schedule.Due> all) {
            List<Schedule.Due> later = new ArrayList<>();
            for (Schedule.Due due : all) {
                Instant at = due.at().isAfter(context.now())
                        ? due.at()
                        : Levels.boundaryAfter(context.now(), interval(due.task()));
                later.add(new Schedule.Due(due.task(), at));
            }
            Optional<Instant> first = Schedule.first(later);
            Instant validation = unit.validateAt;
            if (validation != null && (first.isEmpty() || validation.isBefore(first.get()))) {
                return Optional.of(validation);
            }
            return first;
        }

        /** Litestream's validation; only after something changed, since what nobody touches stays as it was found. */
        private void validate() {
            Instant at = unit.validateAt;
            if (at == null || at.isAfter(context.now())) {
                return;
            }
            unit.validateAt = null;
            for (int number = 0; number < Level.SNAPSHOT.number(); number++) {
                context.counters().validationErrors.add(work.lookOver(new Level(number)));
            }
        }
    }

    private Duration interval(Schedule.Task task) {
        Levels levels = subject.levels();
        return switch (task) {
            case Schedule.Task.Compact(Level level) -> levels.interval(level);
            case Schedule.Task.TrimL0 trim -> levels.l0().checkInterval();
            case Schedule.Task.Snapshot snapshot -> levels.snapshots().interval();
            case Schedule.Task.TrimSnapshots trim -> levels.snapshots().interval();
        };
    }
}
