package io.loomstream.engine.sync;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.error.EngineException;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.sync.DatabaseSync.Look;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One database with its capture, its upload and what is due for it. At any moment one look and one upload, at most, are
 * queued or running: whoever schedules them sees to it.
 */
public final class ReplicatedDatabase {
    private static final Logger log = LoggerFactory.getLogger(ReplicatedDatabase.class);
    /**
     * An upload that comes a little early goes at once. Looks, which uploads follow, come some early and some late; waiting
     * for the exact moment would keep what each one found for most of another interval.
     */
    private static final double PUNCTUAL = 0.9;

    private static final Duration SOON = Duration.ofMillis(20);

    private static final Duration MOVING_TOO_LONG = Duration.ofSeconds(30);
    private static final String NO_ROOM = "commits wait in the WAL: local files have reached max-local-bytes";
    /** Pace of tries where the options ask for no looks of their own. */
    private static final Duration UNASKED = Duration.ofSeconds(1);

    private final DatabaseSync sync;
    private final Upload upload;
    private final ReplicaClient replica;
    private final Time time;
    private final Backoff lookBackoff;
    private final Backoff uploadBackoff;
    private int looksInARow;
    private boolean moving;
    private long movingSince;
    private boolean full;
    private boolean uploadQueued;
    private long lastUploadAt;
    private long uploadDueAt;
    private boolean everUploaded;
    private final SyncCounters counters;
    private final Unreplicated unreplicated = new Unreplicated();
    private final AtomicLong looks = new AtomicLong();
    private final AtomicLong failedLooks = new AtomicLong();
    private final AtomicLong lookNanos = new AtomicLong();
    private volatile long lookedAt;
    private volatile long provenAt;
    private volatile @Nullable String lookProblem;
    private volatile @Nullable String uploadProblem;
    private volatile int uploadFailures;
    private volatile @Nullable LastError lastError;

    public ReplicatedDatabase(DatabaseSpec spec, SyncServices services) {
        this(spec, services, UploadListener.NONE);
    }

    /** A database whose uploads somebody wants to know of. */
    public ReplicatedDatabase(DatabaseSpec spec, SyncServices services, UploadListener listener) {
        this.sync = new DatabaseSync(spec.options(), services);
        this.upload = new Upload(sync, spec.replica(), services, listener);
        this.replica = spec.replica();
        this.time = services.time();
        this.counters = services.counters();
        this.lookedAt = time.nanoTime();
        this.provenAt = lookedAt;
        this.lookBackoff = new Backoff(pace(spec.options()));
        this.uploadBackoff = new Backoff(spec.options().syncInterval());
    }

    DatabaseSync sync() {
        return sync;
    }

    private static Duration pace(DatabaseOptions options) {
        return options.monitorInterval().isPositive() ? options.monitorInterval() : UNASKED;
    }

    /** What a look came to, and asks for. */
    public sealed interface Looked {
        /** Nothing new. */
        record Quiet() implements Looked {}

        /** There is no database: no file, or an empty one. */
        record Nothing(boolean fileExists) implements Looked {}

        /** Something was copied. */
        record Copied() implements Looked {}

        /** To be repeated with the permission to copy every page. */
        record WantsFullCopy() implements Looked {}

        /** To be repeated soon. */
        record Again(Duration pause, boolean fullCopy) implements Looked {}

        /** No TXID may be given before an upload has asked the replica for its position. */
        record WantsPosition(Duration pause) implements Looked {}

        /** Local files have to be uploaded before there is room for more. */
        record WantsRoom() implements Looked {}

        /** An error, kept and logged; to be repeated after the pause. */
        record Failed(EngineException failure, int failuresInARow, Duration pause) implements Looked {}
    }

    /** The pause between two looks; empty when nobody is to look without being asked. */
    public Optional<Duration> interval() {
        Duration interval = sync.options().monitorInterval();
        return interval.isPositive() ? Optional.of(interval) : Optional.empty();
    }

    /** Whether each upload can follow a look at once. */
    public boolean uploadsAtPaceOfLooks() {
        return interval().isPresent()
                && sync.options().syncInterval().compareTo(interval().get()) <= 0;
    }

    /** Looks once. Never throws an engine error: it is kept, logged and part of the answer. */
    public Looked look(boolean mayCopyEverything) throws InterruptedException {
        DatabaseOptions options = sync.options();
        long start = time.nanoTime();
        looks.incrementAndGet();
        try {
            Look look = sync.look(mayCopyEverything);
            if (look == Look.COPIED) {
                counters.synced(time.nanoTime() - start);
                unreplicated.copied(sync.localMax(), start);
            }
            // The wish for a complete copy is no success: it may be that copy which fails, again and again.
            if (look != Look.NEEDS_FULL_COPY) {
                if (lookBackoff.succeeded()) {
                    log.atInfo().addKeyValue("db", options.path()).log("captured again");
                }
                lookProblem = null;
            }
            noteMoving(look);
            noteProof(look, start);
            noteRoom(look);
            return switch (look) {
                case ABSENT -> new Looked.Nothing(false);
                case EMPTY -> new Looked.Nothing(true);
                case QUIET -> settled(new Looked.Quiet());
                case COPIED -> settled(new Looked.Copied());
                case NEEDS_FULL_COPY -> new Looked.WantsFullCopy();
                case WAITS_FOR_REPLICA -> new Looked.WantsPosition(soon());
                case WAITS_FOR_UPLOADS -> settled(new Looked.WantsRoom());
                case MOVED -> new Looked.Again(soon(), mayCopyEverything);
            };
        } catch (EngineException failure) {
            failedLooks.incrementAndGet();
            lookProblem = failure.getMessage();
            noteError(failure);
            Duration wait = lookBackoff.failed();
            if (lookBackoff.worthALine(time.nanoTime())) {
                log.atError()
                        .addKeyValue("db", options.path())
                        .addKeyValue("failures", lookBackoff.failures())
                        .addKeyValue("error", failure.getMessage())
                        .log("capture failed; trying again");
            }
            return new Looked.Failed(failure, lookBackoff.failures(), wait);
        } finally {
            lookNanos.addAndGet(time.nanoTime() - start);
        }
    }

    private Looked settled(Looked looked) {
        looksInARow = 0;
        return looked;
    }

    /** How far it is, for people; nothing of it is one instant's. */
    public DatabaseStatus status() {
        return new DatabaseStatus(
                sync.localMax(),
                sync.uploaded(),
                unreplicated.lag(time.nanoTime()),
                Optional.ofNullable(problem()),
                new DatabaseStatus.Looks(
                        looks.get(),
                        failedLooks.get(),
                        Duration.ofNanos(lookNanos.get()),
                        Duration.ofNanos(Math.max(0, time.nanoTime() - provenAt))),
                sync.walProgress(),
                last());
    }

    private DatabaseStatus.Last last() {
        Verdict verdict = sync.lastVerdict();
        LastError error = lastError;
        return new DatabaseStatus.Last(
                Optional.ofNullable(verdict).map(Verdict::text),
                Optional.ofNullable(error).map(LastError::text),
                Optional.ofNullable(error).map(LastError::at));
    }

    private record LastError(String text, Instant at) {}

    private void noteError(EngineException failure) {
        lastError = new LastError(String.valueOf(failure.getMessage()), time.now());
    }

    /** The database file's absolute path. */
    public Path path() {
        return sync.options().path();
    }

    /** Where its copies go. */
    public ReplicaClient replica() {
        return replica;
    }

    /** What keeps the replica from having everything, for people; null when nothing does. */
    public @Nullable String problem() {
        return lookProblem == null ? uploadProblem : lookProblem;
    }

    /**
     * Leaves the database alone if everything is copied and uploaded; see {@link Departure}.
     *
     * @return {@code Dirty} too when that failed: what is in doubt is never clean
     */
    public Departure depart() throws InterruptedException {
        if (behind()) {
            return new Departure.NotYet();
        }
        try {
            return sync.depart();
        } catch (EngineException failure) {
            log.atWarn()
                    .addKeyValue("db", sync.options().path())
                    .addKeyValue("error", failure.getMessage())
                    .log("could not be left in order");
            return new Departure.Dirty();
        }
    }

    private void noteRoom(Look look) {
        if (look == Look.WAITS_FOR_UPLOADS) {
            lookProblem = NO_ROOM;
            if (!full) {
                full = true;
                log.atWarn()
                        .addKeyValue("db", sync.options().path())
                        .addKeyValue("max-local-bytes", sync.options().localBytesMax())
                        .log("nothing more is captured until uploads succeed; commits wait in the WAL, which grows");
            }
        } else if (full && (look == Look.COPIED || look == Look.QUIET)) {
            full = false;
            log.atInfo().addKeyValue("db", sync.options().path()).log("uploads have made room: captured again");
        }
    }

    /** A database that can never be read while it stands still is not copied: nobody must take that for health. */
    private void noteMoving(Look look) {
        if (look != Look.MOVED) {
            moving = false;
            return;
        }
        long now = time.nanoTime();
        if (!moving) {
            moving = true;
            movingSince = now;
        } else if (now - movingSince > MOVING_TOO_LONG.toNanos()) {
            movingSince = now;
            log.atWarn()
                    .addKeyValue("db", sync.options().path())
                    .log(
                            "not captured for {} s: it changes, or its WAL and wal-index disagree",
                            MOVING_TOO_LONG.toSeconds());
        }
    }

    /** A look that got to the end of what was committed proves something, at once or when its copy is uploaded. */
    private void noteProof(Look look, long start) {
        switch (look) {
            case QUIET, COPIED, ABSENT, EMPTY -> {
                lookedAt = start;
                if (!behind()) {
                    provenAt = start;
                }
            }
            case MOVED, NEEDS_FULL_COPY, WAITS_FOR_REPLICA, WAITS_FOR_UPLOADS -> {}
        }
    }

    /** Quickly at first, then at the pace of looks. */
    private Duration soon() {
        Duration interval = pace(sync.options());
        Duration wait = SOON.multipliedBy(1L << Math.min(looksInARow++, 6));
        return wait.compareTo(interval) < 0 ? wait : interval;
    }

    /** When an upload may begin, if none is queued yet; null when one is. */
    public synchronized @Nullable Duration queueUpload() {
        if (uploadQueued) {
            return null;
        }
        uploadQueued = true;
        long now = time.nanoTime();
        long since = now - lastUploadAt;
        long pause = sync.options().syncInterval().toNanos();
        long wait = everUploaded && since < pause * PUNCTUAL ? pause - since : 0;
        uploadDueAt = now + wait;
        return Duration.ofNanos(wait);
    }

    /** Has the next look copy every page, and the copy uploaded as a snapshot too. */
    public void wantCompleteCopy() throws InterruptedException {
        upload.wantSnapshot();
        sync.localChainBroke();
    }

    /** Uploads once; the wait before the next try, or null when there is nothing left to do. */
    public @Nullable Duration upload() throws InterruptedException {
        if (behind()) {
            beginUpload(); // asking for the position only is no upload that the next one has to keep away from
        }
        Duration again = null;
        try {
            long proofOfUpload = lookedAt; // before it: what a later look finds may not be part of it
            boolean complete = upload.run();
            unreplicated.uploaded(upload.uploaded(), time.nanoTime(), counters.lags());
            if (complete && !behind()) {
                provenAt = proofOfUpload;
            }
            if (uploadBackoff.succeeded()) {
                log.atInfo().addKeyValue("db", sync.options().path()).log("uploading again");
            }
            uploadFailures = 0;
            uploadProblem = complete ? null : "waits for a complete copy";
        } catch (EngineException failure) {
            uploadProblem = failure.getMessage();
            noteError(failure);
            again = uploadBackoff.failed();
            uploadFailures = uploadBackoff.failures();
            if (uploadBackoff.worthALine(time.nanoTime())) {
                log.atError()
                        .addKeyValue("db", sync.options().path())
                        .addKeyValue("failures", uploadBackoff.failures())
                        .addKeyValue("error", failure.getMessage())
                        .log(
                                upload.lost().isPresent()
                                        ? "uploads have stopped until a restart"
                                        : "upload failed; trying again");
            }
        }
        return again;
    }

    private synchronized void beginUpload() {
        long now = time.nanoTime();
        // One that had to wait for its permit counts from when it was due: else the next look would be out of step with
        // it.
        lastUploadAt = uploadQueued && uploadDueAt - now < 0 ? uploadDueAt : now;
        everUploaded = true;
    }

    public synchronized void uploadEnded() {
        uploadQueued = false;
    }

    /** How many uploads have failed in a row. */
    public int uploadFailures() {
        return uploadFailures;
    }

    /** Whether an upload is queued or running. */
    public synchronized boolean uploadPending() {
        return uploadQueued;
    }

    /** Whether something that was copied is not on the replica yet. */
    public boolean behind() {
        return sync.localMax().isAfter(upload.uploaded());
    }

    /**
     * The last look and the last uploads, as often as it takes.
     *
     * @param uploadTimeout how long to go on trying to upload; zero for a single try
     * @param retryInterval pause between tries
     */
    public Outcome finish(Duration uploadTimeout, Duration retryInterval, Gates gates) throws InterruptedException {
        long deadline = time.nanoTime() + uploadTimeout.toNanos();
        boolean located = false;
        String problem;
        while (true) {
            problem = null;
            Look look = lastLook(gates);
            if ((look == Look.ABSENT || look == Look.EMPTY) && !behind()) {
                break;
            }
            if (look == null || look == Look.MOVED) {
                problem = lookProblem == null ? "it kept changing while it was read" : lookProblem;
            }
            if (gates.upload(() -> {
                upload();
                return uploadProblem == null && !behind();
            })) {
                if (problem == null && (look == Look.QUIET || look == Look.COPIED || look == Look.ABSENT)) {
                    break;
                }
            } else {
                problem = uploadProblem == null ? "not everything is uploaded" : uploadProblem;
            }
            if (look == Look.WAITS_FOR_UPLOADS) {
                if (problem == null) {
                    continue; // everything local is uploaded: there is room now
                }
                problem = NO_ROOM + ": " + problem;
            }
            if (upload.lost().isPresent()) {
                break;
            }
            if (look == Look.WAITS_FOR_REPLICA && uploadProblem == null && !located) {
                located = true; // now a TXID can be given
                continue;
            }
            if (time.nanoTime() + retryInterval.toNanos() > deadline) {
                break;
            }
            time.sleep(retryInterval);
        }
        sync.shutDown();
        sync.close();
        Txid local = sync.localMax();
        return new Outcome(sync.options().path(), local, upload.uploaded(), problem);
    }

    private @Nullable Look lastLook(Gates gates) throws InterruptedException {
        try {
            Look look = Look.MOVED;
            sync.holdAgain();
            for (int i = 0; i < 50 && look == Look.MOVED; i++) {
                if (i > 0) {
                    time.sleep(SOON);
                }
                look = gates.monitor(() -> sync.look(false));
                if (look == Look.NEEDS_FULL_COPY) {
                    look = gates.snapshot(() -> sync.look(true));
                }
            }
            return look;
        } catch (EngineException failure) {
            lookProblem = failure.getMessage();
            return null;
        }
    }

    /** Gives everything up at once, without a last look; idempotent. */
    public void close() {
        sync.close();
    }
}
