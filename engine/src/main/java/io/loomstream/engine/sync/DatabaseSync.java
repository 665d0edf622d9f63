package io.loomstream.engine.sync;

import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.error.UnsupportedDatabaseException;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.posix.FileStat;
import io.loomstream.engine.sqlite.DatabaseFiles;
import io.loomstream.engine.sqlite.HoldTaker;
import io.loomstream.engine.sqlite.HoldTaker.Technique;
import io.loomstream.engine.sqlite.WalHold;
import io.loomstream.engine.sync.Observation.ReplicaPosition;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Captures one database: looks at it, and whenever something was committed writes the next local L0 file. Knows the
 * replica's position only as a number; uploading is {@link Upload}'s.
 *
 * <p>Thread-safe: a lock lets one task at a time look, and a look never waits for the replica. Errors are
 * {@link io.loomstream.engine.error.EngineException}s; after one the hold may be gone, the cursor is as it was.
 */
final class DatabaseSync implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(DatabaseSync.class);

    private static final int PROOF_ATTEMPTS = 4;
    private static final Duration PROOF_PAUSE = Duration.ofMillis(30);

    private final DatabaseOptions options;
    private final DatabaseFiles files;
    private final LocalFiles local;
    private final LocalBytes localBytes;
    private final PageIndex pageIndex;
    private final SyncServices services;
    private final ReentrantLock lock = new ReentrantLock();
    private final RollbackCapture rollback;
    private final WalMaintenance maintenance;
    private final WalLimit limit;

    private final Ownership ownership;

    private Optional<Cursor> cursor = Optional.empty();
    private volatile ReplicaPosition replica = new ReplicaPosition.Unknown();
    private boolean chainBroken;
    private boolean adoptionTried;
    private @Nullable WalCapture capture;
    private @Nullable Outside left;
    private volatile Txid localMax = Txid.ZERO;
    private volatile @Nullable Written lastWritten;
    private volatile @Nullable Verdict lastVerdict;
    private volatile DatabaseStatus.WalProgress walProgress = new DatabaseStatus.WalProgress(0, 0);
    private volatile Txid foundAtStart = Txid.ZERO;
    private volatile Txid completeAt = Txid.ZERO;
    private volatile Txid uploaded = Txid.ZERO;
    private Txid remembered = Txid.ZERO;

    DatabaseSync(DatabaseOptions options, SyncServices services) {
        this.options = options;
        this.services = services;
        this.files = services.files(options.path());
        this.local = new LocalFiles(options.metaPath());
        this.localBytes = new LocalBytes(local, options.localBytesMax());
        this.pageIndex = services.pageIndex(local);
        this.rollback = new RollbackCapture(this, files, services);
        this.maintenance = new WalMaintenance(options, files, services);
        this.limit = new WalLimit(options, files, services);
        this.ownership = new Ownership(options, files, services);
    }

    /** What came of a look. */
    enum Look {
        /** There is no database file. */
        ABSENT,
        /** The database file has no content yet. */
        EMPTY,
        /** Nothing was committed since the last one. */
        QUIET,
        /** At least one L0 file was written. */
        COPIED,
        /** Every page has to be copied; look again with the permission to. */
        NEEDS_FULL_COPY,
        /** No TXID may be given before the replica has told its position. */
        WAITS_FOR_REPLICA,
        /** There is something new, and no room for it until local files are uploaded. */
        WAITS_FOR_UPLOADS,
        /** Something moved while it was read; look again soon. */
        MOVED
    }

    /** The database and its WAL as they were when nobody of ours held them. */
    private record Outside(FileFingerprint database, FileFingerprint wal) {}

    /** The L0 file that was written last, with its checksum: the upload need not read it for that. */
    private record Written(Txid txid, long fileChecksum) {}

    DatabaseOptions options() {
        return options;
    }

    LocalFiles local() {
        return local;
    }

    PageIndex pageIndex() {
        return pageIndex;
    }

    /**
     * Whether what waits for its upload has reached its limit. Not when the chain is broken: then the complete copy that
     * mends it is what the uploads wait for.
     */
    boolean full() throws IOException {
        return !chainBroken && localBytes.full(uploaded);
    }

    /** The newest TXID that has a local file. */
    Txid localMax() {
        return localMax;
    }

    /** The file checksum of a local L0 file; 0 when there is no such file. */
    long fileChecksum(Txid txid) throws IOException {
        Written last = lastWritten;
        return last != null && last.txid().equals(txid)
                ? last.fileChecksum()
                : local.fileChecksum(txid).orElse(0L);
    }

    /** Counts a verdict, and keeps it for those who look. */
    void decided(Verdict verdict) {
        services.counters().decided(verdict);
        lastVerdict = verdict;
    }

    /** The last verdict since it is served; null before the first. */
    @Nullable
    Verdict lastVerdict() {
        return lastVerdict;
    }

    /** What was copied of the WAL. */
    DatabaseStatus.WalProgress walProgress() {
        return walProgress;
    }

    /** The newest TXID that the replica has for certain; {@link Txid#ZERO} when it was not asked yet. */
    Txid uploaded() {
        return uploaded;
    }

    /** Takes note of an upload; kept with the next cursor that is stored. */
    void uploaded(Txid txid) {
        uploaded = txid;
    }

    /** The newest TXID whose local file an earlier process may have written; a power cut may have torn it. */
    Txid foundAtStart() {
        return foundAtStart;
    }

    /**
     * The TXID of the last copy of every page; files before it may be missing locally. {@link Txid#ZERO} when none was made
     * by this process.
     */
    Txid completeAt() {
        return completeAt;
    }

    /**
     * Looks at the database and copies what is new.
     *
     * @param mayCopyEverything whether a copy of every page may be made now
     */
    Look look(boolean mayCopyEverything) throws InterruptedException {
        lock.lockInterruptibly();
        boolean complete = false;
        try {
            Look look = lookLocked(mayCopyEverything);
            complete = true;
            return look;
        } catch (ConflictException anothers) {
            dropHold();
            throw anothers;
        } catch (IOException e) {
            throw new TransientStorageException(options.path() + ": " + e.getMessage(), e);
        } finally {
            if (!complete) {
                dropHoldUnlessIntact();
                reopenIfMetaIsGone();
            }
            lock.unlock();
        }
    }

    /**
     * Somebody removed the meta directory while we ran: nothing in it counts any more, and the next look makes it again. Only
     * asked after a failure: until something is to be written there it is not missed.
     */
    private void reopenIfMetaIsGone() {
        if (ownership.cursorFile() == null || Files.exists(local.cursorFile())) {
            return;
        }
        log.atError()
                .addKeyValue("db", options.path())
                .addKeyValue("meta", options.metaPath())
                .log("the meta directory was removed: going on from the replica's position");
        dropHold();
        ownership.closeMeta();
        replica = new ReplicaPosition.Unknown();
        cursor = Optional.empty();
        lastWritten = null;
        localMax = Txid.ZERO;
        foundAtStart = Txid.ZERO;
        completeAt = Txid.ZERO;
        remembered = Txid.ZERO;
        adoptionTried = false;
        left = null;
    }

    /** A full disk is no reason to let go of the WAL, unless the WAL grows too large; a hold in doubt is worse than none. */
    private void dropHoldUnlessIntact() {
        try {
            if (capture != null && capture.hold().intact() && !limit.exceededWhileFailing(capture.hold())) {
                return;
            }
        } catch (IOException inDoubt) {
            log.atDebug().addKeyValue("db", options.path()).setCause(inDoubt).log("the hold is in doubt");
        }
        dropHold();
    }

    private Look lookLocked(boolean mayCopyEverything) throws IOException, InterruptedException {
        if (capture == null || files.throughLink()) {
            files.follow();
        }
        Instant now = services.time().now();
        Optional<FileStat> found = files.statDatabase();
        if (found.isEmpty() || found.get().sizeBytes() == 0) {
            dropHold();
            ownership.disclaim();
            left = null;
            return found.isEmpty() ? Look.ABSENT : Look.EMPTY;
        }
        own(found.get());
        open();
        if (capture == null && left != null) {
            Outside again = outside();
            if (left.database().proves(again.database()) && left.wal().proves(again.wal())) {
                return Look.QUIET;
            }
            left = null;
        }
        if (capture == null && limit.letGo() && limit.keepsWaiting(positionKnown())) {
            return positionKnown() ? Look.QUIET : Look.WAITS_FOR_REPLICA;
        }
        if (capture != null && !capture.hold().intact(found.get())) {
            log.atWarn().addKeyValue("db", options.path()).log("the files under the hold were replaced");
            dropHold();
        }
        FileFingerprint database = FileFingerprint.of(found, now);
        if (capture == null) {
            Look instead = takeHold(mayCopyEverything);
            if (instead != null) {
                return instead;
            }
            database = fingerprint();
        }
        Outside before = options.hold() == HoldMode.NONE ? outside() : null;
        WalCapture held = capture;
        if (held == null) {
            return Look.MOVED;
        }
        Look look = held.copyRounds(mayCopyEverything, database);
        if (look == Look.WAITS_FOR_REPLICA && limit.exceeded(held)) {
            dropHold();
        }
        if (look == Look.MOVED || look == Look.WAITS_FOR_REPLICA || look == Look.NEEDS_FULL_COPY) {
            return look;
        }
        if (look == Look.WAITS_FOR_UPLOADS) {
            if (options.hold() == HoldMode.NONE) {
                dropHold();
            }
            return look;
        }
        if (before != null) {
            awaitProof(held);
            dropHold();
            left = before;
            return look;
        }
        switch (maintenance.afterLook(held, look == Look.COPIED)) {
            case KEEP -> {
                if (!held.hold().released() && limit.exceededWhileCopied(held)) {
                    dropHold();
                }
            }
            case REST -> rest(held);
            case RENEW -> dropHold(); // whoever opens it first, we or an application, recovers the wal-index
        }
        return look;
    }

    /** No two databases of this process may work on one file, whatever their paths are. */
    private void own(FileStat found) {
        if (!ownership.has(found)) {
            dropHold(); // of the file that was here before
            ownership.claim(found);
        }
    }

    private Outside outside() throws IOException {
        Instant now = services.time().now();
        return new Outside(
                FileFingerprint.of(files.statDatabase(), now), FileFingerprint.ofContent(files.statWal(), now));
    }

    FileFingerprint fingerprint() throws IOException {
        Instant now = services.time().now();
        return FileFingerprint.of(files.statDatabase(), now);
    }

    /** The next look takes the hold again, however large the WAL is. */
    void holdAgain() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            limit.end();
        } finally {
            lock.unlock();
        }
    }

    /** Null when the hold was taken; else what the look comes to without it. */
    private @Nullable Look takeHold(boolean mayCopyEverything) throws IOException, InterruptedException {
        Technique technique = switch (options.hold()) {
            case AUTO, NONE -> Technique.AUTO;
            case OFD -> Technique.LOCKS;
            case CONNECTION -> Technique.CONNECTION;
        };
        return switch (services.taker().take(files, technique, options.busyTimeout())) {
            case HoldTaker.Taken(WalHold hold) -> {
                capture = new WalCapture(this, hold, files, services, options); // from here on an error releases it
                sayOurs(hold);
                yield null;
            }
            case HoldTaker.Absent absent -> Look.MOVED;
            case HoldTaker.NotWal notWal -> withoutWal(mayCopyEverything);
            case HoldTaker.NotSqlite notSqlite ->
                throw new UnsupportedDatabaseException(options.path() + ": not an SQLite 3 database");
            case HoldTaker.Unavailable(String why) ->
                throw new TransientStorageException(options.path() + ": cannot be held: " + why);
        };
    }

    private void sayOurs(WalHold hold) throws IOException {
        boolean said = false;
        try {
            ownership.sayBy(hold);
            said = true;
        } finally {
            if (!said) {
                dropHold();
            }
        }
    }

    /** Releases a hold that is of no use any more. */
    void letGo(WalHold hold) {
        files.drain();
        ownership.holdGoes();
        hold.release();
    }

    private @Nullable Look withoutWal(boolean mayCopyEverything) throws IOException, InterruptedException {
        if (options.journalPolicy() == JournalPolicy.REQUIRE) {
            throw new UnsupportedDatabaseException(
                    options.path() + ": not in WAL mode, and journal-mode is \"require\"");
        }
        // A database that has been replicated in WAL mode and is not any more was changed on purpose: it stays so.
        if (options.journalPolicy() == JournalPolicy.WAL && cursor.isEmpty()) {
            if (!services.taker().convertToWal(files)) {
                throw new TransientStorageException(
                        options.path() + ": could not be switched to WAL mode; somebody has it locked");
            }
            log.atInfo().addKeyValue("db", options.path()).log("switched to WAL mode");
            return Look.MOVED;
        }
        return full() ? Look.WAITS_FOR_UPLOADS : rollback.look(mayCopyEverything);
    }

    /** Nobody has the database open: the WAL, all copied, goes, as when its last application closed. */
    private void rest(WalCapture held) throws IOException, InterruptedException {
        capture = null;
        ownership.holdGoes();
        services.taker().lastClose(files, held.hold());
        left = new Outside(cursor.map(Cursor::database).orElse(FileFingerprint.ABSENT), FileFingerprint.ABSENT);
    }

    /**
     * Leaves the database alone, if everything is copied. The fingerprints are taken first, then the wal-index is read that
     * they vouch for, then the hold is given up; only if the files still look the same the database is proven clean. When
     * nobody else has it open this is its last close, which takes the WAL away, as an application's would.
     *
     * <p>The caller sees to it that everything copied is uploaded.
     */
    Departure depart() throws InterruptedException {
        lock.lockInterruptibly();
        boolean complete = false;
        try {
            Departure departure = departLocked();
            complete = true;
            return departure;
        } catch (IOException e) {
            throw new TransientStorageException(options.path() + ": " + e.getMessage(), e);
        } finally {
            if (!complete) {
                dropHoldUnlessIntact();
            }
            lock.unlock();
        }
    }

    private Departure departLocked() throws IOException, InterruptedException {
        WalCapture held = capture;
        if (held == null) {
            return departWithoutHold();
        }
        if (!held.hold().intact()) {
            dropHold();
            return new Departure.Dirty();
        }
        if (!held.seal()) {
            services.taker().checkpointPassive(files);
            if (held.copyRounds(false) != Look.QUIET) {
                return new Departure.NotYet();
            }
        }
        files.drain();
        boolean attached = held.hold().applicationAttached();
        Outside before = outside();
        // A WAL that goes with the last close need not prove anything.
        if (before.database().racy() || (attached && before.wal().racy())) {
            services.time().sleep(PROOF_PAUSE.multipliedBy(2));
            before = outside();
        }
        boolean racy = before.database().racy() || (attached && before.wal().racy());
        if (racy || !held.settledFor(before.database())) {
            return new Departure.NotYet();
        }
        boolean sealed = cursor.isPresent() && cursor.get().sealed();
        if (!attached && !sealed) {
            return new Departure.NotYet(); // a WAL with frames must not lie about without anybody
        }
        if (cursor.isPresent()) {
            opened().store(cursor.get(), uploaded);
        }
        local.deleteSpare();
        capture = null;
        ownership.holdGoes();
        if (attached) {
            held.hold().release();
        } else {
            services.taker().lastClose(files, held.hold());
        }
        Outside after = outside();
        boolean same = before.database().proves(after.database())
                && (before.wal().proves(after.wal()) || (sealed && after.wal().isAbsent()));
        return same ? new Departure.Clean(after.database(), after.wal()) : new Departure.Dirty();
    }

    /** Without a hold there is nothing to give up: the files must be as they were when everything was copied. */
    private Departure departWithoutHold() throws IOException {
        Outside now = outside();
        Outside then = left;
        if (then == null) {
            boolean rollbackMode = cursor.isPresent() && now.wal().isAbsent() && !files.hasJournal();
            then = rollbackMode ? new Outside(cursor.get().database(), FileFingerprint.ABSENT) : null;
        }
        boolean same = then != null
                && then.database().proves(now.database())
                && then.wal().proves(now.wal());
        CursorFile cursorFile = ownership.cursorFile();
        if (same && cursorFile != null && cursor.isPresent()) {
            cursorFile.store(cursor.get(), uploaded); // what is on the replica by now: it spares a listing later
            local.deleteSpare();
        }
        return same ? new Departure.Clean(now.database(), now.wal()) : new Departure.Dirty();
    }

    private void dropHold() {
        files.drain(); // before the hold goes: closing it is not to be a last close
        if (capture != null) {
            letGo(capture.hold());
            capture = null;
        }
    }

    // ---- position -----------------------------------------------------------------------------------------------

    private void open() throws IOException, InterruptedException {
        if (ownership.cursorFile() != null) {
            return;
        }
        local.createDirectories(options.path());
        CursorFile store = ownership.openMeta(local);
        boolean complete = false;
        try {
            forgetPosition(); // if it is opened again, it was another's meanwhile
            local.deleteUnfinished();
            NavigableSet<Txid> txids = local.list();
            if (!txids.isEmpty()) {
                Txid newest = txids.last();
                Optional<Long> checksum = local.fileChecksum(newest);
                Optional<CursorFile.Slot> slot =
                        checksum.isPresent() ? store.load(newest, checksum.get()) : Optional.empty();
                cursor = slot.map(CursorFile.Slot::cursor);
                localMax = newest;
                remembered = usable(slot.map(CursorFile.Slot::uploaded).orElse(Txid.ZERO), newest, txids);
                foundAtStart = newest;
            }
            if (localMax.isAfter(remembered)) {
                localBytes.count(remembered);
            } else {
                localBytes.cleared();
            }
            complete = true;
        } finally {
            if (!complete) {
                ownership.closeMeta();
            }
        }
    }

    private void forgetPosition() {
        pageIndex.lookAgain();
        lastWritten = null;
        cursor = Optional.empty();
        replica = new ReplicaPosition.Unknown();
        localMax = Txid.ZERO;
        chainBroken = false;
        adoptionTried = false;
    }

    /** Only if everything after it is at hand: else the chain has to be bridged, which needs the replica's listing. */
    private static Txid usable(Txid remembered, Txid localMax, NavigableSet<Txid> txids) {
        boolean complete = !remembered.isZero()
                && !remembered.isAfter(localMax)
                && txids.tailSet(remembered, true).size() == localMax.value() - remembered.value() + 1;
        return complete ? remembered : Txid.ZERO;
    }

    /**
     * The newest TXID that the replica had when it was last written down; {@link Txid#ZERO} when that is of no use. It has it
     * still, unless somebody emptied it or the configuration names another replica now: one look at that file tells.
     */
    Txid rememberedUpload() throws IOException, InterruptedException {
        lock.lockInterruptibly();
        try {
            open();
            return remembered;
        } finally {
            lock.unlock();
        }
    }

    Optional<Cursor> cursor() {
        return cursor;
    }

    ReplicaPosition replica() {
        return replica;
    }

    boolean chainBroken() {
        return chainBroken;
    }

    /** Whether the replica has said where it stands. */
    boolean positionKnown() {
        return replica instanceof ReplicaPosition.At;
    }

    /** The newest local TXID, looked up now if nothing was looked at before. */
    Txid newestLocal() throws IOException, InterruptedException {
        lock.lockInterruptibly();
        try {
            open();
            return localMax;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Takes note of where the replica stands, once it is known.
     *
     * @param position its newest TXID
     * @param newestIsOurs false when the replica's file of that TXID has other bytes than the local one
     * @param fetched that file, downloaded beside the local ones, if it was
     */
    void replicaStandsAt(Txid position, boolean newestIsOurs, @Nullable Path fetched)
            throws IOException, InterruptedException {
        lock.lockInterruptibly();
        try {
            open();
            if (position.isAfter(localMax)) {
                overtaken(position, fetched);
            } else if (!newestIsOurs) {
                log.atWarn()
                        .addKeyValue("db", options.path())
                        .addKeyValue("txid", position)
                        .log("the replica's newest file is not ours");
                overtaken(position, null);
            } else if (position.compareTo(localMax) < 0 && !hasAllAfter(position)) {
                chainBroken = true;
            }
            replica = new ReplicaPosition.At(position.max(localMax));
        } finally {
            lock.unlock();
        }
    }

    private boolean hasAllAfter(Txid position) throws IOException {
        NavigableSet<Txid> txids = local.list();
        for (Txid txid = position.next(); !txid.isAfter(localMax); txid = txid.next()) {
            if (!txids.contains(txid)) {
                return false;
            }
        }
        return true;
    }

    /** The replica has a history that the local files do not know: they count for nothing any more. */
    private void overtaken(Txid position, @Nullable Path fetched) throws IOException {
        lastWritten = null;
        local.clear();
        localBytes.cleared();
        cursor = Optional.empty();
        adoptionTried = fetched == null;
        capture = releaseProof();
        if (fetched != null) {
            Optional<FileStat> database = files.statDatabase();
            if (database.isPresent()) {
                local.publish(fetched, position, database.get());
            }
        }
        localMax = fetched == null ? Txid.ZERO : position;
    }

    private @Nullable WalCapture releaseProof() {
        if (capture != null) {
            capture.forgetProof();
        }
        return capture;
    }

    /** A local file that the replica needs is gone: the next copy is complete. */
    void localChainBroke() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            chainBroken = true;
            left = null; // also of a database at rest every page is read again
            releaseProof();
        } finally {
            lock.unlock();
        }
    }

    /** Somebody else wrote to the replica: what it has counts, its position has to be asked for again. */
    void replicaWentAnotherWay() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            replica = new ReplicaPosition.Unknown();
            lastWritten = null;
            local.clear();
            localBytes.cleared();
            cursor = Optional.empty();
            localMax = Txid.ZERO;
            adoptionTried = true;
            releaseProof();
        } catch (IOException e) {
            throw new TransientStorageException(options.path() + ": " + e.getMessage(), e);
        } finally {
            lock.unlock();
        }
    }

    // ---- what the captures do -----------------------------------------------------------------------------------

    /** A cursor from the newest local L0 file, if it can be proven to be the state of this WAL; tried once. */
    Optional<Cursor> adopt(Copier.Wal wal, ByteReader database, FileFingerprint fingerprint)
            throws IOException, InterruptedException {
        if (adoptionTried || localMax.isZero()) {
            return Optional.empty();
        }
        adoptionTried = true;
        try {
            Optional<Cursor> adopted = services.adoption().adopt(local.path(localMax), wal, database, fingerprint);
            if (adopted.isPresent()) {
                log.atInfo()
                        .addKeyValue("db", options.path())
                        .addKeyValue("txid", localMax)
                        .log("position adopted");
                observed(adopted.get());
            }
            return adopted;
        } catch (CorruptDataException damaged) {
            log.atWarn().addKeyValue("db", options.path()).setCause(damaged).log("the newest local file is damaged");
            return Optional.empty();
        }
    }

    /** Applies a copy: from here on it is what the database's history says. */
    void apply(StagedCopy copy, boolean complete, IndexUpdate index) throws IOException {
        Optional<FileStat> database = files.statDatabase();
        if (database.isEmpty()) {
            Files.deleteIfExists(copy.file());
            throw new TransientStorageException(options.path() + ": the database went away while it was copied");
        }
        apply(copy, complete, index, database.get());
    }

    /**
     * The same.
     *
     * @param database its file, whose permissions the copy gets
     */
    void apply(StagedCopy copy, boolean complete, IndexUpdate index, FileStat database) throws IOException {
        Txid txid = copy.next().txid();
        opened().store(copy.next(), uploaded);
        index.prepare(copy.next());
        local.publish(copy, database);
        index.complete();
        walProgress = walProgress.after(cursor, copy.next());
        localBytes.added(copy.bytes());
        cursor = Optional.of(copy.next());
        chainBroken = false;
        if (complete) {
            completeAt = txid;
        }
        lastWritten = new Written(txid, copy.next().ltxChecksum());
        localMax = txid;
    }

    /** Keeps the same position, observed again. */
    void observed(Cursor again) throws IOException {
        if (!cursor.equals(Optional.of(again))) {
            opened().store(again, uploaded);
            cursor = Optional.of(again);
        }
    }

    private CursorFile opened() {
        CursorFile store = ownership.cursorFile();
        if (store == null) {
            throw new ConflictException(options.metaPath() + ": lost to another replicator");
        }
        return store;
    }

    /**
     * Ends the capture in order; what was committed since the last look is not copied any more. A WAL with frames stays, so
     * that another replicator can take over from it; one without was made by us.
     */
    void shutDown() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            WalCapture held = capture;
            if (held != null) {
                awaitProof(held);
            }
            capture = null;
            if (held != null) {
                ownership.holdGoes();
            }
            CursorFile cursorFile = ownership.cursorFile();
            files.drain();
            if (held != null && held.hasEmptyWal() && !held.hold().applicationAttached()) {
                services.taker().lastClose(files, held.hold());
            } else if (held != null) {
                held.hold().release();
            }
            if (cursorFile != null && cursor.isPresent()) {
                local.deleteSpare();
                services.syncToDisk(local.path(localMax));
                cursorFile.storeClean(cursor.get(), uploaded);
            }
        } catch (IOException e) {
            log.atWarn().addKeyValue("db", options.path()).setCause(e).log("the capture could not end in order");
        } finally {
            lock.unlock();
        }
    }

    /** A fingerprint too young to prove anything would cost a copy of every page when the hold is taken again. */
    private void awaitProof(WalCapture held) throws IOException, InterruptedException {
        for (int attempt = 0; attempt < PROOF_ATTEMPTS; attempt++) {
            held.settleNow();
            if (cursor.isEmpty() || !cursor.get().database().racy()) {
                return;
            }
            services.time().sleep(PROOF_PAUSE);
        }
    }

    /** Gives everything up at once; idempotent. */
    @Override
    public void close() {
        lock.lock();
        try {
            files.drain();
            if (capture != null) {
                capture.hold().release();
                capture = null;
            }
            ownership.end();
        } finally {
            lock.unlock();
        }
    }

    static ConflictException secondWriter(Path database, ConflictException cause) {
        return new ConflictException(
                database + ": another process writes to the same replica; uploads stop: " + cause.getMessage(), cause);
    }
}
