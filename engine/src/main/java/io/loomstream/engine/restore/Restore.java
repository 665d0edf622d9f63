package io.loomstream.engine.restore;

import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.error.EngineException;
import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileSteps;
import io.loomstream.engine.replica.MissingFileException;
import io.loomstream.engine.replica.OldFormatStore;
import io.loomstream.engine.replica.PosixFileSteps;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.ReplicaFile;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes a database file from a replica. The file gets its name only when it is complete, every LTX file that went into
 * it has passed its checksum and says in its header what its name says, and all of it is on the disk.
 *
 * <p>A damaged or vanished file is passed over when the others reach the same point without it; else the restore fails.
 * It never ends at an older point than the first plan promised.
 *
 * <p>The process must not have the output open as a database: POSIX drops all of a process's locks on a file when any
 * descriptor of it is closed, and a restore opens and closes what it replaces.
 *
 * <p>Thread-safe; each call blocks and may be interrupted, which ends it as a failure.
 */
public final class Restore {
    private static final Logger log = LoggerFactory.getLogger(Restore.class);
    /** Downloads at once, unless said otherwise. */
    public static final int PARALLELISM = 8;

    /** A replica with more bad files than this needs a person. */
    private static final int PLANS_TRIED = 8;

    private final ReplicaClient replica;
    private final LtxPages.Opener opener;
    private final FileSteps steps;
    private final RandomGenerator random;
    private final RestoreProgress progress;
    private final int parallelism;
    private final Optional<OldFormatStore> oldFormat;

    Restore(
            ReplicaClient replica,
            LtxPages.Opener opener,
            FileSteps steps,
            RandomGenerator random,
            RestoreProgress progress) {
        this(replica, opener, steps, random, progress, PARALLELISM, Optional.empty());
    }

    private Restore(
            ReplicaClient replica,
            LtxPages.Opener opener,
            FileSteps steps,
            RandomGenerator random,
            RestoreProgress progress,
            int parallelism,
            Optional<OldFormatStore> oldFormat) {
        this.replica = replica;
        this.opener = opener;
        this.steps = steps;
        this.random = random;
        this.progress = progress;
        this.parallelism = parallelism;
        this.oldFormat = oldFormat;
    }

    /** Restores from a replica to this machine's disk. */
    public static Restore from(ReplicaClient replica, RestoreProgress progress) {
        CodecResources resources = CodecResources.shared();
        return new Restore(
                replica,
                (stream, source) -> DecodedPages.open(stream, source, resources),
                new PosixFileSteps(),
                new SecureRandom(),
                progress);
    }

    /** The same, downloading so many files, or parts of them, at once. */
    public Restore inParallel(int downloads) {
        if (downloads < 1) {
            throw new IllegalArgumentException("at least one download, not " + downloads);
        }
        return new Restore(replica, opener, steps, random, progress, downloads, oldFormat);
    }

    /** The same, also using what Litestream v0.3 left where that is newer than what LTX files can give. */
    public Restore orFrom(OldFormatStore old) {
        return new Restore(replica, opener, steps, random, progress, parallelism, Optional.of(old));
    }

    /** What a restore uses. */
    public sealed interface Choice {
        /** LTX files, or the reason why there is no plan. */
        record Ltx(PlanOutcome outcome) implements Choice {}

        /** What Litestream v0.3 left. */
        record Old(OldFormatStore store, OldFormatPlan plan) implements Choice {}
    }

    /** What a restore to this target would use: all that a dry run does. */
    public Choice choose(Target target) {
        return choose(Listing.of(replica, target), target);
    }

    /**
     * LTX files, unless the old format holds a newer state at the target: what counts is the state that comes out. So a
     * replica that went on with v0.5 is restored from LTX files however few levels they have, a moment before that from
     * the old format, and one whose server went back to v0.3 from what that wrote last.
     */
    private Choice choose(Listing listing, Target target) {
        PlanOutcome outcome = RestorePlanner.plan(listing, target);
        Optional<Instant> until =
                target instanceof Target.Before before ? Optional.of(before.moment()) : Optional.empty();
        if (oldFormat.isEmpty() || target instanceof Target.AtTxid) {
            return new Choice.Ltx(outcome);
        }
        Optional<OldFormatPlan> old = OldFormatPlan.of(oldFormat.get(), until);
        Optional<Instant> reachedWithLtx = outcome instanceof PlanOutcome.Planned planned
                ? Optional.of(planned.plan().reachedAt())
                : target instanceof Target.Latest ? listing.newestTime() : Optional.empty();
        boolean oldIsNewer = old.isPresent()
                && (reachedWithLtx.isEmpty() || old.get().reachedAt().isAfter(reachedWithLtx.get()));
        return oldIsNewer ? new Choice.Old(oldFormat.get(), old.get()) : new Choice.Ltx(outcome);
    }

    /**
     * Restores.
     *
     * @throws io.loomstream.engine.error.ConflictException when something stands in the way and may not be replaced
     * @throws CorruptDataException when the replica is damaged beyond what it holds twice, or SQLite's check fails
     * @throws TransientStorageException when the replica or the disk fails; the output is as it was
     */
    public RestoreOutcome run(RestoreRequest request) throws InterruptedException {
        Destination destination = new Destination(request.output(), steps, random);
        if (request.existing() == RestoreRequest.Existing.KEEP && destination.occupied()) {
            return new RestoreOutcome.AlreadyThere(request.output());
        }
        boolean force = request.existing() == RestoreRequest.Existing.REPLACE;
        destination.requireReplaceable(force);

        List<ReplicaFile> passedOver = new ArrayList<>();
        Txid promised = Txid.ZERO;
        BadFile failure = null;
        while (true) {
            PlanOutcome outcome;
            switch (choose(Listing.of(replica, request.target()).without(passedOver), request.target())) {
                case Choice.Old old -> {
                    if (failure != null) {
                        throw failure.problem();
                    }
                    return carryOut(old, request, destination, force);
                }
                case Choice.Ltx ltx -> outcome = ltx.outcome();
            }
            if (failure != null && !reaches(outcome, promised)) {
                throw failure.problem();
            }
            switch (outcome) {
                case PlanOutcome.NotAvailable none -> {
                    return new RestoreOutcome.NotAvailable(none);
                }
                case PlanOutcome.Broken broken -> {
                    return new RestoreOutcome.Broken(broken);
                }
                case PlanOutcome.Planned planned -> {
                    promised = promised.max(planned.plan().reached());
                    Attempt attempt = carryOut(planned.plan(), request, destination, force);
                    if (attempt instanceof Done done) {
                        return new RestoreOutcome.Restored(
                                planned.plan(), done.sizeBytes(), passedOver, done.setAside());
                    }
                    failure = (BadFile) attempt;
                    passedOver.add(failure.file());
                    if (passedOver.size() == PLANS_TRIED) {
                        throw failure.problem();
                    }
                    log.warn("passing over a bad file: {}", failure.problem().getMessage());
                }
            }
        }
    }

    private static boolean reaches(PlanOutcome outcome, Txid promised) {
        return outcome instanceof PlanOutcome.Planned planned
                && !promised.isAfter(planned.plan().reached());
    }

    private sealed interface Attempt permits Done, BadFile {}

    private record Done(long sizeBytes, List<Path> setAside) implements Attempt {}

    /** One file of the plan cannot be used; others may do instead. */
    private record BadFile(ReplicaFile file, EngineException problem) implements Attempt {}

    private Attempt carryOut(RestorePlan plan, RestoreRequest request, Destination destination, boolean force)
            throws InterruptedException {
        progress.planned(plan);
        FileAccess.Grant grant = destination.grantOr(request.access());
        Destination.Temporary temporary = destination.createTemporary();
        boolean installed = false;
        try {
            long sizeBytes;
            try (FileChannel channel = temporary.channel();
                    PlannedStreams streams = new PlannedStreams(replica, plan, parallelism)) {
                DatabaseImage image = new DatabaseImage(channel, written -> {
                    progress.written(written);
                    progress.read(streams.readBytes());
                });
                BadFile bad = applyAll(plan, streams, image);
                if (bad != null) {
                    return bad;
                }
                sizeBytes = image.finish();
                request.preparation().prepare(plan, temporary.path());
                grant.applyTo(temporary.path());
                steps.force(channel);
            }
            request.check().run(temporary.path());
            List<Path> setAside = destination.install(temporary.path(), force);
            installed = true;
            return new Done(sizeBytes, setAside);
        } catch (IOException e) {
            throw new TransientStorageException("cannot restore to " + request.output() + ": " + e.getMessage(), e);
        } finally {
            progress.ended();
            if (!installed) {
                destination.discard(temporary.path());
            }
        }
    }

    private @Nullable BadFile applyAll(RestorePlan plan, PlannedStreams streams, DatabaseImage image)
            throws IOException, InterruptedException {
        for (ReplicaFile file : plan.files()) {
            String source = "level " + file.level() + " " + file.range().fileName() + " of " + replica.describe();
            try (LtxPages pages = opener.open(streams.next(), source)) {
                if (!pages.range().equals(file.range())) {
                    throw new CorruptDataException(
                            source, 16, "its header says " + pages.range() + ": not the file its name stands for");
                }
                image.apply(pages, source);
            } catch (MissingFileException e) {
                return new BadFile(file, new TransientStorageException(source + ": vanished while restoring", e));
            } catch (CorruptDataException e) {
                return new BadFile(file, e);
            }
            progress.applied(file);
        }
        return null;
    }

    private RestoreOutcome carryOut(Choice.Old old, RestoreRequest request, Destination destination, boolean force) {
        progress.planned(old.plan());
        FileAccess.Grant grant = destination.grantOr(request.access());
        Destination.Temporary wal = destination.createTemporary();
        Destination.Temporary temporary = destination.createTemporary();
        boolean installed = false;
        try {
            long sizeBytes;
            try (FileChannel channel = temporary.channel()) {
                wal.channel().close();
                sizeBytes = new OldFormatImage(old.store(), channel, wal.path(), progress).write(old.plan());
                grant.applyTo(temporary.path());
                steps.force(channel);
            }
            request.check().run(temporary.path());
            List<Path> setAside = destination.install(temporary.path(), force);
            installed = true;
            return new RestoreOutcome.RestoredOldFormat(old.plan(), sizeBytes, setAside);
        } catch (IOException e) {
            throw new TransientStorageException("cannot restore to " + request.output() + ": " + e.getMessage(), e);
        } finally {
            progress.ended();
            destination.discard(wal.path());
            if (!installed) {
                destination.discard(temporary.path());
            }
        }
    }
}
