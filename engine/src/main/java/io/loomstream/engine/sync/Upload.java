package io.loomstream.engine.sync;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.replica.MissingFileException;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.ReplicaFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings one database's local L0 files to its replica, in TXID order, and removes those that arrived except the newest.
 *
 * <p>One task at a time; runs beside a look at the same database.
 */
final class Upload {
    private static final Logger log = LoggerFactory.getLogger(Upload.class);
    private static final int LEVELS = 10;
    /** Less than it takes another server to take over, to merge and to delete. */
    private static final Duration PAUSE = Duration.ofMinutes(1);

    private static final int PAGE_SIZE_OFFSET = 8;

    private final DatabaseSync database;
    private final ReplicaClient replica;
    private final Copier copier;
    private final UploadListener listener;
    private final LostReplicas lostReplicas;
    private final UsedReplicas usedReplicas;
    private final Time time;
    private @Nullable Moment lastWritten;
    private @Nullable ConflictException conflict;
    private volatile boolean snapshotWanted;

    /** By both clocks: one stands still while the machine sleeps, the other one jumps. */
    private record Moment(Instant wall, long nanos) {}

    Upload(DatabaseSync database, ReplicaClient replica, SyncServices services, UploadListener listener) {
        this.listener = listener;
        this.database = database;
        this.replica = replica;
        this.copier = services.copier();
        this.lostReplicas = services.lostReplicas();
        this.usedReplicas = services.usedReplicas();
        this.time = services.time();
    }

    /** The replica's newest TXID as far as we know. */
    Txid uploaded() {
        return database.uploaded();
    }

    /** Makes the next complete copy a snapshot of the replica, too. */
    void wantSnapshot() {
        snapshotWanted = true;
    }

    /**
     * Uploads everything that is local.
     *
     * @return whether the replica has everything now; false when a complete copy is needed first
     * @throws ConflictException when another server was met, or a writer that does not say who it is for the second time:
     *     uploads have stopped for good
     */
    boolean run() throws InterruptedException {
        Optional<ConflictException> lost = lost();
        if (lost.isPresent()) {
            throw lost.get();
        }
        try {
            if (!database.positionKnown()) {
                locate();
                usedReplicas.add(database.options().path(), replica.describe());
            }
            return uploadAll();
        } catch (ConflictException met) {
            if (conflict != null || met.withAnotherServer()) {
                ConflictException last =
                        DatabaseSync.secondWriter(database.options().path(), met);
                lostReplicas.add(database.options().path(), replica.describe(), last);
                throw last;
            }
            conflict = met;
            log.atError()
                    .addKeyValue("db", database.options().path())
                    .setCause(met)
                    .log(
                            "the replica has another file under our name: going on from its position with a complete copy");
            database.replicaWentAnotherWay();
            return false;
        } catch (IOException e) {
            throw new TransientStorageException(database.options().path() + ": " + e.getMessage(), e);
        }
    }

    /** Why uploads have stopped for good; empty while they have not. */
    Optional<ConflictException> lost() {
        return lostReplicas.find(database.options().path(), replica.describe());
    }

    private boolean uploadAll() throws IOException, InterruptedException {
        LocalFiles local = database.local();
        while (database.localMax().isAfter(uploaded())) {
            noticeLosses();
            Txid next = uploaded().next();
            Path file = local.path(next);
            if (!Files.exists(file)) {
                Txid complete = database.completeAt();
                if (complete.isAfter(uploaded()) && Files.exists(local.path(complete))) {
                    uploadSnapshot(complete);
                    next = complete;
                    file = local.path(next);
                }
                if (!Files.exists(file)) {
                    noteLocalLoss(next);
                    return false;
                }
            }
            if (isTorn(next)) {
                Files.deleteIfExists(file);
                continue; // now it is a missing one
            }
            if (changesPageSize(next)) {
                uploadSnapshot(next);
                database.uploaded(next);
            } else {
                if (snapshotWanted && next.equals(database.completeAt())) {
                    uploadSnapshot(next);
                    snapshotWanted = false;
                }
                ReplicaFile written = replica.write(Level.L0, TxidRange.of(next), file);
                database.uploaded(next);
                listener.stored(written, database.fileChecksum(next));
            }
            lastWritten = new Moment(time.now(), time.nanoTime());
            if (!next.equals(Txid.ONE)) {
                local.retire(next.previous());
            }
        }
        return true;
    }

    private void noteLocalLoss(Txid missing) throws InterruptedException {
        if (database.localMax().isAfter(uploaded())
                && !Files.exists(database.local().path(missing))) {
            log.atWarn()
                    .addKeyValue("db", database.options().path())
                    .addKeyValue("txid", missing)
                    .log("a local file that the replica lacks is gone");
            database.localChainBroke();
        }
    }

    /**
     * A replica that somebody emptied while we ran would get files that nothing can be restored from. And another server may
     * have gone on while we were paused, and have deleted at level 0 what we would meet; then it has deleted our last file
     * there before. Where it costs a request, that is asked only after a pause in which it can have happened.
     */
    private void noticeLosses() {
        Txid last = uploaded();
        if (last.isZero()
                || !(replica.findIsCheap() || paused())
                || replica.find(Level.L0, TxidRange.of(last)).isPresent()) {
            return;
        }
        Txid newest = newestOf(replica);
        if (newest.isAfter(last)) {
            throw ConflictException.withAnotherServer(replica.describe() + ": goes up to TXID " + newest
                    + ", and what this server uploaded last, TXID " + last + ", was deleted by another one");
        }
        if (newest.compareTo(last) < 0) {
            log.atError()
                    .addKeyValue("db", database.options().path())
                    .addKeyValue("replica", replica.describe())
                    .addKeyValue("uploaded", last)
                    .addKeyValue("found", newest)
                    .log("files that were uploaded are gone from the replica: it gets a complete copy");
            database.uploaded(newest);
        }
    }

    private boolean paused() {
        Moment last = lastWritten;
        return last != null
                && (time.nanoTime() - last.nanos() > PAUSE.toNanos()
                        || Duration.between(last.wall(), time.now()).compareTo(PAUSE) > 0);
    }

    private static Txid newestOf(ReplicaClient replica) {
        Txid newest = Txid.ZERO;
        for (int number = 0; number < LEVELS; number++) {
            for (ReplicaFile file : replica.list(new Level(number), Txid.ZERO)) {
                newest = LocalFiles.hasNext(file.range())
                        ? newest.max(file.range().max())
                        : newest;
            }
        }
        return newest;
    }

    /**
     * Whether the local file's pages have another size than those of the file before it. It holds every page then, but as
     * the next file of the history no restore could apply it; as a snapshot it begins one.
     */
    private boolean changesPageSize(Txid txid) throws IOException {
        boolean mayBeComplete = !txid.isAfter(database.completeAt()) || !txid.isAfter(database.foundAtStart());
        if (txid.equals(Txid.ONE) || !mayBeComplete) {
            return false;
        }
        LocalFiles local = database.local();
        Txid before = txid.previous();
        int pageSize;
        try (InputStream file = Files.newInputStream(local.path(txid))) {
            pageSize = pageSizeOf(file);
        }
        if (Files.exists(local.path(before))) {
            try (InputStream file = Files.newInputStream(local.path(before))) {
                return pageSizeOf(file) != pageSize;
            }
        }
        for (int number = 0; number < LEVELS; number++) {
            for (ReplicaFile file : replica.list(new Level(number), Txid.ZERO)) {
                if (file.range().max().equals(before)) {
                    try (InputStream header = replica.open(file.level(), file.range(), 0)) {
                        return pageSizeOf(header) != pageSize;
                    }
                }
            }
        }
        return false;
    }

    /** In the header at byte 8; 0 of a file too short to have one. */
    private static int pageSizeOf(InputStream ltxFile) throws IOException {
        byte[] start = ltxFile.readNBytes(PAGE_SIZE_OFFSET + Integer.BYTES);
        return start.length < PAGE_SIZE_OFFSET + Integer.BYTES
                ? 0
                : ByteBuffer.wrap(start).getInt(PAGE_SIZE_OFFSET);
    }

    /**
     * Whether a file that was there before this process is not what it was when it got its name: local files are not synced
     * to disk, so a power cut may leave a name with other bytes behind it.
     */
    private boolean isTorn(Txid txid) throws IOException, InterruptedException {
        if (txid.isAfter(database.foundAtStart())) {
            return false;
        }
        try {
            copier.verify(database.local().path(txid), TxidRange.of(txid));
            return false;
        } catch (CorruptDataException torn) {
            log.atWarn()
                    .addKeyValue("db", database.options().path())
                    .addKeyValue("txid", txid)
                    .setCause(torn)
                    .log("a local file is damaged and is not uploaded");
            return true;
        }
    }

    /** Bridges TXIDs whose files are lost: a complete copy as one file for all of them. */
    private void uploadSnapshot(Txid complete) throws IOException, InterruptedException {
        LocalFiles local = database.local();
        TxidRange range = new TxidRange(Txid.ONE, complete);
        Path staging = local.staging(complete).resolveSibling(range.fileName() + ".tmp");
        try {
            copier.asSnapshot(local.path(complete), staging);
            listener.stored(replica.write(Level.SNAPSHOT, range, staging), 0);
        } finally {
            Files.deleteIfExists(staging);
        }
    }

    /** Asks the replica where it stands; with nothing local, fetches its newest L0 file to go on from. */
    private void locate() throws IOException, InterruptedException {
        Txid remembered = database.rememberedUpload();
        if (!remembered.isZero() && isThere(remembered)) {
            database.uploaded(remembered);
            listener.located(remembered);
            database.replicaStandsAt(remembered, true, null);
            return;
        }
        Txid newest = Txid.ZERO;
        boolean single = false;
        for (int number = 0; number < LEVELS; number++) {
            List<ReplicaFile> files = replica.list(new Level(number), Txid.ZERO);
            for (ReplicaFile file : files) {
                Txid max = file.range().max();
                boolean asL0 = number == 0 && file.range().min().equals(max);
                if (max.isAfter(newest) && LocalFiles.hasNext(file.range())) {
                    newest = max;
                    single = asL0;
                }
            }
        }
        boolean ours = !single || newest.isAfter(database.newestLocal()) || hasOurs(newest);
        requireNobodyElse(newest, ours);
        Optional<Path> fetched = single && newest.isAfter(database.newestLocal()) ? fetch(newest) : Optional.empty();
        database.uploaded(newest);
        listener.located(newest);
        database.replicaStandsAt(newest, ours, fetched.orElse(null));
        if (!newest.isZero()) {
            database.local().deleteBefore(newest.isAfter(database.localMax()) ? database.localMax() : newest);
        }
    }

    /** What this process itself has left there cannot have gone on, nor have become another's. */
    private void requireNobodyElse(Txid newest, boolean ours) throws IOException, InterruptedException {
        Txid local = database.newestLocal();
        boolean wentOn = !local.isZero() && (newest.isAfter(local) || !ours);
        if (wentOn && usedReplicas.contains(database.options().path(), replica.describe())) {
            String owner = replica.writer(Level.L0, TxidRange.of(newest)).orElse("which does not say who it is");
            throw ConflictException.withAnotherServer(replica.describe() + " goes up to TXID " + newest
                    + ", which this server did not upload: another writer uses this replica, " + owner);
        }
    }

    /** One request instead of a listing of every level. */
    private boolean isThere(Txid txid) throws IOException {
        return Files.exists(database.local().path(txid))
                && checksumOnReplica(txid).equals(database.local().fileChecksum(txid));
    }

    /** Whether the replica's file has the local one's checksum; also when one of them is not there any more. */
    private boolean hasOurs(Txid txid) throws IOException {
        Optional<Long> ours = database.local().fileChecksum(txid);
        if (ours.isEmpty()) {
            return !Files.exists(database.local().path(txid));
        }
        Optional<Long> theirs = checksumOnReplica(txid);
        return theirs.isEmpty() || theirs.equals(ours);
    }

    /** What stands where a file as long as the local one has its checksum; empty when there is no such file. */
    private Optional<Long> checksumOnReplica(Txid txid) throws IOException {
        long size = Files.size(database.local().path(txid));
        try (InputStream file = replica.open(Level.L0, TxidRange.of(txid), Math.max(0, size - Long.BYTES))) {
            byte[] theirs = file.readNBytes(Long.BYTES);
            boolean asLong = theirs.length == Long.BYTES && file.read() < 0;
            return Optional.of(asLong ? ByteBuffer.wrap(theirs).getLong() : 0);
        } catch (MissingFileException gone) {
            return Optional.empty();
        }
    }

    private Optional<Path> fetch(Txid txid) throws IOException {
        Path staging = database.local().staging(txid);
        try (InputStream file = replica.open(Level.L0, TxidRange.of(txid), 0)) {
            Files.copy(file, staging, StandardCopyOption.REPLACE_EXISTING);
            return Optional.of(staging);
        } catch (MissingFileException gone) {
            return Optional.empty();
        }
    }
}
