package io.loomstream.engine.restore;

import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.ReplicaFile;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;

/**
 * Chooses the files to restore from: a pure function of a listing. The choice is Litestream's: the newest snapshot that
 * the target admits, then always the file that reaches furthest without leaving a hole.
 *
 * <p>Differences: a level 9 file that does not start the history is passed over, and a history that breaks off before a
 * target in time is reported with the plan instead of being silent.
 */
public final class RestorePlanner {
    private static final Comparator<ReplicaFile> BETTER_LAST = Comparator.comparing(
                    (ReplicaFile file) -> file.range().max())
            .thenComparing(file -> file.range().min(), Comparator.reverseOrder())
            .thenComparing(ReplicaFile::level)
            .thenComparing(ReplicaFile::createdAt, Comparator.reverseOrder());

    private final Listing listing;
    private final Target target;
    private final List<ReplicaFile> chosen = new ArrayList<>();
    private final int[] next = new int[Level.SNAPSHOT.number()];
    private Txid reached = Txid.ZERO;

    private RestorePlanner(Listing listing, Target target) {
        this.listing = listing;
        this.target = target;
    }

    /** The plan for a target, or why there is none. */
    public static PlanOutcome plan(Listing listing, Target target) {
        return new RestorePlanner(listing, target).plan();
    }

    private PlanOutcome plan() {
        newestSnapshot().ifPresent(this::choose);
        while (!complete()) {
            Optional<ReplicaFile> furthest = furthest();
            if (furthest.isEmpty()) {
                break;
            }
            choose(furthest.get());
        }
        Optional<RestorePlan.Hole> hole = hole();
        return switch (target) {
            case Target.Latest latest
            when !chosen.isEmpty() && hole.isPresent() -> new PlanOutcome.Broken(reached, hole.get());
            case Target.AtTxid at when !complete() -> new PlanDiagnosis(listing).unavailable(at.txid());
            case Target.Latest latest when chosen.isEmpty() -> new PlanDiagnosis(listing).unavailable();
            case Target.Before before when chosen.isEmpty() -> new PlanDiagnosis(listing).unavailable(before.moment());
            case Target.AtTxid at -> new PlanOutcome.Planned(new RestorePlan(target, chosen, Optional.empty()));
            case Target.Latest latest -> new PlanOutcome.Planned(new RestorePlan(target, chosen, hole));
            case Target.Before before -> new PlanOutcome.Planned(new RestorePlan(target, chosen, hole));
        };
    }

    private Optional<ReplicaFile> newestSnapshot() {
        return listing.level(Level.SNAPSHOT).stream()
                .filter(file -> file.range().min().equals(Txid.ONE) && target.admits(file))
                .reduce((earlier, later) -> later);
    }

    private void choose(ReplicaFile file) {
        chosen.add(file);
        reached = file.range().max();
    }

    private boolean complete() {
        return target instanceof Target.AtTxid at && reached.equals(at.txid());
    }

    /**
     * The best of the files that start no later than one after the point reached. Those passed over end no later than
     * the best, so no level is ever walked twice.
     */
    private Optional<ReplicaFile> furthest() {
        ReplicaFile best = null;
        for (int number = next.length - 1; number >= 0; number--) {
            List<ReplicaFile> files = listing.level(new Level(number));
            while (next[number] < files.size() && !startsBeyondReach(files.get(next[number]))) {
                ReplicaFile file = files.get(next[number]++);
                boolean advances = file.range().max().isAfter(reached) && target.admits(file);
                if (advances && (best == null || BETTER_LAST.compare(file, best) > 0)) {
                    best = file;
                }
            }
        }
        return Optional.ofNullable(best);
    }

    private boolean startsBeyondReach(ReplicaFile file) {
        return file.range().min().isAfter(reached.next());
    }

    /** What is missing between the point reached and the first later file that the target admits. */
    private Optional<RestorePlan.Hole> hole() {
        return listing.files()
                .filter(file -> !file.level().equals(Level.SNAPSHOT) && startsBeyondReach(file) && target.admits(file))
                .map(file -> file.range().min())
                .min(Comparator.naturalOrder())
                .map(first -> new RestorePlan.Hole(reached.next(), first.previous()));
    }

    /** Finds out why a target cannot be restored, and what could be instead. */
    private record PlanDiagnosis(Listing listing, NavigableSet<Txid> points) {
        PlanDiagnosis(Listing listing) {
            this(listing, listing.restorablePoints());
        }

        PlanOutcome unavailable() {
            return listing.isEmpty()
                    ? nothingStored()
                    : answer(PlanOutcome.Reason.CHAIN_BROKEN, "no file starts the history", Txid.ZERO);
        }

        PlanOutcome unavailable(Instant moment) {
            if (points.isEmpty()) {
                return unavailable();
            }
            return answer(
                    PlanOutcome.Reason.AGED_OUT, "nothing that can be restored was made before " + moment, Txid.ZERO);
        }

        PlanOutcome unavailable(Txid txid) {
            if (listing.isEmpty()) {
                return nothingStored();
            }
            Txid newest = listing.newest().orElse(Txid.ZERO);
            if (txid.isAfter(newest)) {
                return answer(
                        PlanOutcome.Reason.NOT_THERE_YET,
                        "TXID " + txid + " is not there yet, the newest is " + newest,
                        txid);
            }
            Txid below = Optional.ofNullable(points.lower(txid)).orElse(Txid.ZERO);
            boolean merged = listing.files()
                    .anyMatch(file -> file.range().contains(txid)
                            && points.contains(file.range().max())
                            && !file.range().min().isAfter(below.next()));
            if (merged) {
                return answer(
                        PlanOutcome.Reason.AGED_OUT,
                        "TXID " + txid + " aged out: it is kept only merged with later ones",
                        txid);
            }
            return answer(
                    PlanOutcome.Reason.CHAIN_BROKEN,
                    "files are missing on the way to TXID " + txid + ", after " + below,
                    txid);
        }

        private static PlanOutcome nothingStored() {
            return new PlanOutcome.NotAvailable(
                    PlanOutcome.Reason.NOTHING_STORED,
                    "the replica holds no LTX file",
                    Optional.empty(),
                    Optional.empty());
        }

        private PlanOutcome answer(PlanOutcome.Reason reason, String what, Txid around) {
            Optional<Txid> before = Optional.ofNullable(points.lower(around));
            Optional<Txid> after = Optional.ofNullable(points.higher(around));
            String nearest =
                    before.map(point -> "; nearest before it: " + point).orElse("")
                            + after.map(point -> "; nearest after it: " + point).orElse("");
            return new PlanOutcome.NotAvailable(reason, what + nearest, before, after);
        }
    }
}
