package io.loomstream.engine.follow;

import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.MissingFileException;
import io.loomstream.engine.replica.ReplicaFile;
import io.loomstream.engine.restore.Listing;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A follower from one failure to the next: the open database, where it stands, and looks at the replica.
 *
 * <p>A look lists level 0 only. The other levels are listed when level 0 has a hole, and now and then while it has
 * nothing new: what a follower that slept too long needs is then only in them. Such looks come after 1, 2, 4 and so on
 * idle ones, and every {@value #IDLE_LOOKS_MOST} at the latest: an idle follower costs one LIST a look, and cannot stall
 * unnoticed.
 */
final class Session implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Session.class);
    private static final int IDLE_LOOKS_MOST = 64;
    private static final int TRAILER_CHECKSUM_BYTES = 8;

    private final Follower follower;
    private final FollowedDatabase database;
    private final FollowState state;
    private final Staging staging;
    private Position position;
    private FollowedDatabase.Shape shape;
    private @Nullable ReplicaFile lastListed;
    private int idleLooks;
    private int idleLooksUntilFull = 1;

    private Session(
            Follower follower,
            FollowedDatabase database,
            FollowState state,
            Position position,
            FollowedDatabase.Shape shape) {
        this.follower = follower;
        this.database = database;
        this.state = state;
        this.position = position;
        this.shape = shape;
        this.staging = new Staging(follower.replica(), follower.steps(), follower.output());
    }

    /** Opens the database that is there and finds out where it stands. */
    static Session resume(Follower follower) throws IOException, InterruptedException {
        Path output = follower.output();
        FollowState state = new FollowState(output, follower.steps());
        Optional<Txid> txid = state.txid();
        Optional<FollowState.Step> step = state.step();
        if (txid.isEmpty() && step.isEmpty()) {
            throw new CorruptDataException(
                    output.toString(),
                    0,
                    "it exists and " + output + "-txid does not: not made by restore -f. Delete it to begin anew");
        }
        FollowedDatabase database = FollowedDatabase.open(output, follower.opener(), follower.steps(), follower.time());
        boolean complete = false;
        try {
            FollowedDatabase.Shape shape = database.look();
            Position position = position(output, txid, step, shape.changeCounter());
            if (!txid.equals(Optional.of(position.txid()))) {
                state.writeTxid(position.txid());
            }
            Session session = new Session(follower, database, state, position, shape);
            session.staging.clear();
            complete = true;
            return session;
        } finally {
            if (!complete) {
                database.close();
            }
        }
    }

    /** The change counter decides; the sidecar alone counts where Litestream followed last. */
    private static Position position(
            Path output, Optional<Txid> sidecar, Optional<FollowState.Step> step, int changeCounter) {
        if (step.isPresent()) {
            Position before = step.get().before();
            Position after = step.get().after();
            if (changeCounter == after.changeCounter()) {
                return after;
            }
            if (changeCounter == before.changeCounter()) {
                return before;
            }
            boolean ours = sidecar.isEmpty()
                    || sidecar.get().equals(before.txid())
                    || sidecar.get().equals(after.txid());
            if (ours) {
                throw new ConflictException(output + " was changed by somebody else after it was restored to TXID "
                        + before.txid() + ": it cannot be followed on. Delete it to begin anew");
            }
        }
        return new Position(
                sidecar.orElseThrow(() -> new CorruptDataException(output + "-txid", 0, "it is gone")),
                changeCounter,
                Optional.empty());
    }

    Position position() {
        return position;
    }

    /**
     * One look at the replica, and at most one step.
     *
     * @return whether there may be more at once
     */
    boolean poll() throws IOException, InterruptedException {
        Set<ReplicaFile> refused = new HashSet<>();
        CorruptDataException firstRefusal = null;
        while (true) {
            List<ReplicaFile> next = next(refused, firstRefusal);
            if (next.isEmpty()) {
                return false;
            }
            List<StagedFile> staged;
            try {
                staged = staging.stage(next, shape.pageSizeBytes(), shape.pages());
            } catch (MissingFileException e) {
                throw new TransientStorageException(e.getMessage() + " (deleted while it was about to be applied)", e);
            }
            Staging.Refused bad = staging.refused();
            if (!staged.isEmpty()) {
                apply(staging.batch());
                // A bridge was chosen without what lies behind it; level 0 alone was applied to its end.
                boolean bridged = next.stream().anyMatch(file -> !file.level().equals(Level.L0));
                return bridged || bad != null || next.size() > staged.size();
            }
            if (bad == null) {
                throw new IllegalStateException("nothing staged, nothing refused");
            }
            log.warn("passing over a bad file: {}", bad.why().getMessage());
            firstRefusal = firstRefusal == null ? bad.why() : firstRefusal;
            refused.add(bad.file());
        }
    }

    private void apply(Batch batch) throws IOException, InterruptedException {
        int counter = follower.random().nextInt();
        if (counter == position.changeCounter()) {
            counter++;
        }
        Position after =
                new Position(batch.reached(), counter, Optional.of(batch.last().applied()));
        FollowState.Step step = new FollowState.Step(position, after);
        database.apply(batch, shape, counter, follower.random().nextInt(), () -> state.writeStep(step));
        position = after;
        shape = new FollowedDatabase.Shape(shape.pageSizeBytes(), batch.commitPages(), counter, false);
        lastListed = batch.last().file();
        staging.clear();
        state.writeTxid(after.txid());
        idleLooks = 0;
        idleLooksUntilFull = 1;
        log.atDebug()
                .addKeyValue("path", follower.output())
                .addKeyValue("txid", after.txid())
                .addKeyValue("files", batch.files().size())
                .log("applied");
    }

    /** What to apply next; empty when the database is up to date. */
    private List<ReplicaFile> next(Set<ReplicaFile> refused, @Nullable CorruptDataException refusal)
            throws IOException {
        // From the position itself on: the file that led there, while it lasts, must still be the same one.
        List<ReplicaFile> level0 = new ArrayList<>(follower.replica().list(Level.L0, position.txid()));
        for (ReplicaFile file : level0) {
            requireSame(file);
        }
        level0.removeAll(refused);
        List<ReplicaFile> chain = FollowPlan.chain(position.txid(), level0);
        if (!chain.isEmpty()) {
            return chain;
        }
        boolean hole = FollowPlan.hole(position.txid(), level0).isPresent();
        if (!hole && refusal == null && idleLooks++ < idleLooksUntilFull - 1) {
            return List.of();
        }
        idleLooks = 0;
        idleLooksUntilFull = Math.min(2 * idleLooksUntilFull, IDLE_LOOKS_MOST);
        return bridge(refused, refusal);
    }

    private List<ReplicaFile> bridge(Set<ReplicaFile> refused, @Nullable CorruptDataException refusal) {
        Listing all = Listing.of(follower.replica());
        List<ReplicaFile> files = all.without(refused).files().toList();
        List<ReplicaFile> chain = FollowPlan.chain(position.txid(), files);
        if (!chain.isEmpty()) {
            return chain;
        }
        Optional<FollowPlan.Hole> hole = FollowPlan.hole(position.txid(), files);
        Optional<ReplicaFile> snapshot = FollowPlan.rebase(position.txid(), hole, files);
        if (snapshot.isPresent()) {
            log.atWarn()
                    .addKeyValue("path", follower.output())
                    .addKeyValue("txid", position.txid())
                    .log(
                            "going on from the snapshot of TXID {}: {}",
                            snapshot.get().range().max(),
                            hole.map(FollowPlan.Hole::toString).orElse("the files up to there are gone"));
            return List.of(snapshot.get());
        }
        throwIfStuck(all, hole, refusal);
        return List.of();
    }

    private void throwIfStuck(Listing all, Optional<FollowPlan.Hole> hole, @Nullable CorruptDataException refusal) {
        if (refusal != null) {
            throw refusal;
        }
        if (hole.isPresent()) {
            throw new ConflictException("the replica's history breaks off after TXID " + position.txid() + ": "
                    + hole.get() + " from every level, and no snapshot leads past them");
        }
        Txid newest = all.files()
                .map(file -> file.range().max())
                .max(Comparator.naturalOrder())
                .orElse(Txid.ZERO);
        if (position.txid().isAfter(newest)) {
            String what = newest.isZero() ? "holds no file" : "ends at TXID " + newest;
            throw new ConflictException("the replica " + what + ", before this database's " + position.txid()
                    + ": it was emptied or begun anew. Delete the database to follow the new history");
        }
    }

    /** Another file under the name of the one that led here means that the replica's history was replaced. */
    private void requireSame(ReplicaFile listed) throws IOException {
        boolean known = position.applied()
                .filter(applied -> applied.level().equals(listed.level()))
                .filter(applied -> applied.range().equals(listed.range()))
                .isPresent();
        if (!known || listed.equals(lastListed)) {
            return;
        }
        long expected = position.applied().orElseThrow().fileChecksum();
        long found;
        try (InputStream in = follower.replica()
                .open(listed.level(), listed.range(), Math.max(0, listed.sizeBytes() - TRAILER_CHECKSUM_BYTES))) {
            byte[] bytes = in.readNBytes(TRAILER_CHECKSUM_BYTES);
            found = bytes.length < TRAILER_CHECKSUM_BYTES
                    ? 0
                    : ByteBuffer.wrap(bytes).getLong();
        } catch (MissingFileException gone) {
            return;
        }
        if (found != expected) {
            throw new ConflictException("level 0 " + listed.range().fileName() + " of "
                    + follower.replica().describe()
                    + " is not the file that was applied: the replica's history was replaced");
        }
        lastListed = listed;
    }

    /** Gives up the database's locks. */
    @Override
    public void close() throws IOException {
        database.close();
    }
}
