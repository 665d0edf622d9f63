package io.loomstream.engine.verify;

import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.error.EngineException;
import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.LtxDecoder;
import io.loomstream.engine.ltx.LtxHeader;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.replica.MissingFileException;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.ReplicaFile;
import io.loomstream.engine.restore.IntegrityCheck;
import io.loomstream.engine.restore.Listing;
import io.loomstream.engine.restore.PlanOutcome;
import io.loomstream.engine.restore.Restore;
import io.loomstream.engine.restore.RestoreOutcome;
import io.loomstream.engine.restore.RestorePlan;
import io.loomstream.engine.restore.RestorePlanner;
import io.loomstream.engine.restore.RestoreProgress;
import io.loomstream.engine.restore.RestoreRequest;
import io.loomstream.engine.restore.ResumableInputStream;
import io.loomstream.engine.restore.Target;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;

/**
 * Looks whether a replica holds what it should. From the listings alone: whether the newest state can be restored, and
 * what each level lacks. Deep: also every byte of every file, and a restore into a directory of ours that SQLite then
 * checks. Never writes to the replica. Single use; one thread; blocks.
 */
public final class ReplicaVerifier {
    private final ReplicaClient replica;
    private final List<Finding> findings = new ArrayList<>();

    public ReplicaVerifier(ReplicaClient replica) {
        this.replica = replica;
    }

    /**
     * Verifies from the listings.
     *
     * @throws EngineException when the replica cannot be listed: then nothing is known
     */
    public VerifyReport quick() {
        return report(list());
    }

    /**
     * Verifies everything.
     *
     * @param scratch an existing directory with room for the database
     * @throws EngineException when the replica cannot be listed
     */
    public VerifyReport deep(Path scratch) throws InterruptedException {
        Listing listing = list();
        for (ReplicaFile file : listing.files().toList()) {
            read(file);
        }
        if (!listing.isEmpty()) {
            tryRestore(scratch);
        }
        return report(listing);
    }

    private Listing list() {
        Listing listing = Listing.of(replica);
        if (listing.isEmpty()) {
            findings.add(Finding.of(
                    Finding.Kind.EMPTY, "no LTX file in " + replica.describe() + ": empty, or not a replica's path"));
            return listing;
        }
        for (int number = 0; number < Level.SNAPSHOT.number(); number++) {
            checkLevel(listing, new Level(number));
        }
        listing.files()
                .filter(file -> file.sizeBytes() < LtxHeader.SIZE_BYTES)
                .forEach(file -> findings.add(Finding.of(
                        Finding.Kind.TRUNCATED, file, "has " + file.sizeBytes() + " bytes, less than a header")));
        switch (RestorePlanner.plan(listing, new Target.Latest())) {
            case PlanOutcome.Planned planned -> checkReached(listing, planned.plan());
            case PlanOutcome.Broken broken -> findings.add(Finding.of(Finding.Kind.HOLE, broken.message()));
            case PlanOutcome.NotAvailable none -> findings.add(Finding.of(Finding.Kind.HOLE, none.message()));
        }
        return listing;
    }

    /** A level 9 file that does not start the history may be all that holds the newest TXIDs. */
    private void checkReached(Listing listing, RestorePlan plan) {
        Txid newest = listing.newest().orElse(Txid.ZERO);
        if (newest.isAfter(plan.reached())) {
            findings.add(Finding.of(
                    Finding.Kind.HOLE,
                    "files go up to TXID " + newest + ", only TXID " + plan.reached() + " can be restored"));
        }
    }

    private void checkLevel(Listing listing, Level level) {
        ReplicaFile furthest = null;
        for (ReplicaFile file : listing.level(level)) {
            if (furthest != null) {
                Txid reached = furthest.range().max();
                if (!file.range().min().isAfter(reached)) {
                    findings.add(Finding.of(
                            Finding.Kind.OVERLAP,
                            file,
                            "begins before " + furthest.range().fileName() + " ends"));
                } else if (file.range().min().isAfter(reached.next())) {
                    hole(
                            listing,
                            level,
                            file,
                            reached.next(),
                            file.range().min().previous());
                }
            }
            if (furthest == null || file.range().max().isAfter(furthest.range().max())) {
                furthest = file;
            }
        }
    }

    /**
     * L0 files go one by one, and what cannot be restored for the lack of one is found by the plan. A level above loses its
     * oldest files only; it has a hole where what came then was replaced by a complete copy, a snapshot of that moment.
     */
    private void hole(Listing listing, Level level, ReplicaFile behind, Txid first, Txid last) {
        String lacks = "level " + level + " lacks TXIDs " + first + " to " + last;
        boolean replaced = listing.level(Level.SNAPSHOT).stream()
                .map(snapshot -> snapshot.range().max())
                .anyMatch(made -> made.equals(last) || made.equals(last.next()));
        if (level.number() > 0 && !replaced) {
            String name = new TxidRange(first, last).fileName();
            findings.add(
                    Finding.of(Finding.Kind.GAP, behind, lacks + " before it: " + name + " or several in its place"));
        } else if (listing.restorablePoints().ceiling(last) != null) {
            findings.add(Finding.of(Finding.Kind.COVERED_HOLE, lacks + ", which other levels hold"));
        }
    }

    private void read(ReplicaFile file) throws InterruptedException {
        if (file.sizeBytes() < LtxHeader.SIZE_BYTES) {
            return; // found already
        }
        String source = "level " + file.level() + " " + file.range().fileName() + " of " + replica.describe();
        try (InputStream in = new ResumableInputStream(replica, file);
                LtxDecoder decoder = new LtxDecoder(in, source, CodecResources.shared())) {
            LtxHeader header = decoder.header();
            if (!header.range().equals(file.range())) {
                findings.add(Finding.of(Finding.Kind.MISNAMED, file, "its header says " + header.range()));
            }
            Instant recorded = Instant.ofEpochMilli(header.timestampMillis());
            boolean keepsTimes = replica.type().equals("file");
            if (keepsTimes && file.createdAt().toEpochMilli() != header.timestampMillis()) {
                findings.add(Finding.of(
                        Finding.Kind.TIME, file, "was recorded at " + recorded + ", its time is " + file.createdAt()));
            }
            byte[] page = new byte[header.pageSize()];
            while (decoder.nextPage(page, 0) != 0) {
                // Checked by the decoder.
            }
            decoder.finish();
        } catch (CorruptDataException e) {
            findings.add(Finding.of(Finding.Kind.CORRUPT, file, String.valueOf(e.getMessage())));
        } catch (MissingFileException e) {
            // A server's retention at work is no problem; a file that is listed and not there is one.
            if (replica.list(file.level(), file.range().min()).contains(file)) {
                findings.add(Finding.of(Finding.Kind.UNREADABLE, file, String.valueOf(e.getMessage())));
            }
        } catch (IOException | EngineException e) {
            findings.add(Finding.of(Finding.Kind.UNREADABLE, file, String.valueOf(e.getMessage())));
        }
    }

    private void tryRestore(Path scratch) throws InterruptedException {
        try {
            Path own = Files.createTempDirectory(scratch, "loomstream-verify-");
            try {
                tryRestoreTo(own.resolve("trial.db"));
            } finally {
                Files.deleteIfExists(own.resolve("trial.db"));
                Files.delete(own);
            }
        } catch (IOException | EngineException e) {
            findings.add(Finding.of(Finding.Kind.NOT_RESTORABLE, "the trial restore failed: " + e.getMessage()));
        }
    }

    private void tryRestoreTo(Path output) throws InterruptedException {
        RestoreOutcome outcome = Restore.from(replica, RestoreProgress.NONE)
                .run(RestoreRequest.latest(output).checked(IntegrityCheck.FULL));
        switch (outcome) {
            case RestoreOutcome.Restored restored -> {}
            case RestoreOutcome.RestoredOldFormat restored -> {}
            case RestoreOutcome.AlreadyThere there ->
                findings.add(Finding.of(Finding.Kind.NOT_RESTORABLE, there.output() + " is in the way"));
            case RestoreOutcome.NotAvailable(PlanOutcome.NotAvailable why) ->
                findings.add(Finding.of(Finding.Kind.NOT_RESTORABLE, why.message()));
            case RestoreOutcome.Broken(PlanOutcome.Broken why) ->
                findings.add(Finding.of(Finding.Kind.NOT_RESTORABLE, why.message()));
        }
    }

    private VerifyReport report(Listing listing) {
        NavigableSet<Txid> points = listing.restorablePoints();
        return new VerifyReport(
                (int) listing.files().count(),
                listing.files().mapToLong(ReplicaFile::sizeBytes).sum(),
                listing.newest(),
                points.isEmpty() ? Optional.empty() : Optional.of(points.last()),
                findings);
    }
}
