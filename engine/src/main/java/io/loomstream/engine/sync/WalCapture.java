package io.loomstream.engine.sync;

import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.posix.FileStat;
import io.loomstream.engine.sqlite.DatabaseFiles;
import io.loomstream.engine.sqlite.DatabaseHeader;
import io.loomstream.engine.sqlite.WalFile;
import io.loomstream.engine.sqlite.WalHold;
import io.loomstream.engine.sqlite.WalIndex;
import io.loomstream.engine.sqlite.WalIndex.Reading;
import io.loomstream.engine.sqlite.WalIndex.Valid;
import io.loomstream.engine.sync.DatabaseSync.Look;
import io.loomstream.engine.wal.FrameChecksum;
import io.loomstream.engine.wal.PageMap;
import io.loomstream.engine.wal.WalBatch;
import io.loomstream.engine.wal.WalHeader;
import io.loomstream.engine.wal.WalPosition;
import io.loomstream.engine.wal.WalReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Copies from one WAL hold, for as long as it lasts: reads the wal-index, asks {@link Continuity}, copies, and looks again
 * whether everything stood still meanwhile. What it read is thrown away otherwise.
 *
 * <p>Used by one task at a time, under its database's lock.
 */
final class WalCapture {
    private static final Logger log = LoggerFactory.getLogger(WalCapture.class);

    private static final Duration UNSETTLED_PATIENCE = Duration.ofSeconds(1);
    private static final int UNSETTLED_READS = 1000;
    private static final int ROUNDS = 1000;

    private final DatabaseSync owner;
    private final WalHold hold;
    private final DatabaseFiles files;
    private final SyncServices services;
    private final DatabaseOptions options;
    /** The cursor was made, or proven, under this very hold. */
    private boolean proven;

    private final ForeignWrites foreign = new ForeignWrites();
    private boolean againWhenBackfilled;
    private long unsettledSince;
    private boolean unsettled;

    WalCapture(DatabaseSync owner, WalHold hold, DatabaseFiles files, SyncServices services, DatabaseOptions options) {
        this.owner = owner;
        this.hold = hold;
        this.files = files;
        this.services = services;
        this.options = options;
    }

    WalHold hold() {
        return hold;
    }

    /** Releases the hold: it is of no use any more. */
    void letGo() {
        owner.letGo(hold);
    }

    /** The cursor has to be proven again, or there is another one. */
    void forgetProof() {
        proven = false;
    }

    /** Whether the WAL holds no frame at all, also none that SQLite does not know of yet. */
    boolean hasEmptyWal() throws IOException {
        return hold.readIndex() instanceof Valid(WalIndex index) && index.lastFrame() == 0 && !hidesCommits(index);
    }

    /**
     * Whether the WAL goes on behind the last frame the wal-index knows, with whole transactions: a writer was killed
     * before it published its commit, or uses another {@code -shm} that was deleted. Deleting such a WAL could lose what
     * somebody believes committed.
     */
    boolean hidesCommits(WalIndex index) throws IOException {
        Optional<WalFile> opened = hold.openWal();
        if (opened.isEmpty()) {
            return false;
        }
        try (WalFile file = opened.get()) {
            Optional<WalHeader> header = file.header();
            if (header.isEmpty()) {
                return false;
            }
            WalPosition from = Copier.start(header.get());
            if (index.lastFrame() == 0 && index.restartedAfter(header.get().salts())) {
                return false; // the frames are those of before the reset, whose header nobody has written over yet
            }
            if (index.lastFrame() > 0) {
                if (!header.get().salts().equals(index.salts())) {
                    return true; // another WAL than the index speaks of
                }
                Optional<FrameChecksum> last = WalReader.storedChecksum(file, header.get(), index.lastFrame());
                if (last.isEmpty()) {
                    return true;
                }
                from = new WalPosition(index.lastFrame(), last.get());
            }
            return WalReader.read(file, header.get(), from, WalReader.TO_THE_END, 1) instanceof WalBatch batch
                    && batch.lastFrame() > from.frame();
        }
    }

    /** Copies until nothing is left, or until the rest came after this call began. */
    Look copyRounds(boolean mayCopyEverything) throws IOException, InterruptedException {
        return copyRounds(mayCopyEverything, owner.fingerprint());
    }

    /**
     * The same.
     *
     * @param atFirst how the database looked a moment ago
     */
    Look copyRounds(boolean mayCopyEverything, FileFingerprint atFirst) throws IOException, InterruptedException {
        boolean copied = false;
        for (int round = 0; round < ROUNDS; round++) {
            if (round > 0 && !hold.intact()) {
                return Look.MOVED;
            }
            FileFingerprint database = round == 0 ? atFirst : owner.fingerprint();
            if (!(hold.readIndex() instanceof Valid(WalIndex index))) {
                return waitForIndex();
            }
            unsettled = false;
            doubtAfterForeignWrites(database, index);
            if (proven && nothingNew(index)) {
                settle(database, index);
                return copied ? Look.COPIED : Look.QUIET;
            }
            if (owner.full()) {
                return Look.WAITS_FOR_UPLOADS;
            }
            Step step = stepUnlessMoved(database, index, mayCopyEverything);
            switch (step) {
                case IN_SYNC -> {
                    return copied ? Look.COPIED : Look.QUIET;
                }
                case COPIED -> {
                    settleNow();
                    return Look.COPIED;
                }
                case COPIED_A_PART -> copied = true;
                case DISCARDED -> {
                    if (round > 3) {
                        return Look.MOVED;
                    }
                }
                case NEEDS_FULL_COPY -> {
                    return Look.NEEDS_FULL_COPY;
                }
                case WAITS -> {
                    return Look.WAITS_FOR_REPLICA;
                }
            }
        }
        return Look.COPIED;
    }

    /**
     * Whoever writes past SQLite leaves nothing behind that the WAL could tell: every page has to be copied. Once more when
     * the WAL is in the file: until then its frames lie over what was written, and of those only the ones that were not in
     * the file yet get there.
     */
    private void doubtAfterForeignWrites(FileFingerprint database, WalIndex index) throws IOException {
        boolean seen = foreign.seen(database, index, hold::checkpointRunning);
        if (seen) {
            log.atWarn()
                    .addKeyValue("db", options.path())
                    .log("the database file was changed, yet not by SQLite: somebody wrote over it");
        }
        if (seen || (againWhenBackfilled && index.fullyBackfilled())) {
            againWhenBackfilled = !index.fullyBackfilled();
            proven = false;
            if (owner.cursor().isPresent()) {
                owner.observed(owner.cursor().get().unproven());
            }
        }
        foreign.note(database, index, hold::checkpointRunning, owner::fingerprint);
    }

    private enum Step {
        IN_SYNC,
        COPIED,
        COPIED_A_PART,
        DISCARDED,
        NEEDS_FULL_COPY,
        WAITS
    }

    private boolean nothingNew(WalIndex index) {
        if (index.lastFrame() == 0) {
            return true;
        }
        Optional<Cursor> cursor = owner.cursor();
        return cursor.isPresent()
                && index.salts().equals(cursor.get().walSalts())
                && index.lastFrame() == cursor.get().frame();
    }

    /**
     * Seals the cursor, durably, if everything in the WAL is copied and in the database file by now. To be called before the
     * WAL is let go: the seal is what makes the reset that follows provable.
     */
    boolean seal() throws IOException {
        settleNow();
        return hold.readIndex() instanceof Valid(WalIndex index) && sealedBy(index);
    }

    /** The cursor is sealed, and this reading of the index shows nothing later. */
    boolean sealedBy(WalIndex index) {
        Optional<Cursor> cursor = owner.cursor();
        return proven
                && cursor.isPresent()
                && cursor.get().sealed()
                && index.lastFrame() == cursor.get().frame()
                && index.salts().equals(cursor.get().walSalts())
                && index.fullyBackfilled();
    }

    /**
     * Whether everything that SQLite regards as committed is copied, and nothing is about to be committed without touching a
     * file once more: a writer between its last frame and the wal-index has a commit in the WAL that nobody sees yet.
     *
     * @param database taken before this call; the cursor then says that it vouches for this state
     */
    boolean settledFor(FileFingerprint database) throws IOException {
        if (!proven || !(hold.readIndex() instanceof Valid(WalIndex index)) || !nothingNew(index)) {
            return false;
        }
        if (holdsUnpublishedCommit(index)) {
            return false;
        }
        settle(database, index);
        return true;
    }

    private boolean holdsUnpublishedCommit(WalIndex index) throws IOException {
        try (WalFile wal = hold.openWal().orElse(null)) {
            Optional<WalHeader> header = wal == null ? Optional.empty() : wal.header();
            if (wal == null || header.isEmpty() || !header.get().salts().equals(index.salts())) {
                return false; // frames under another header are of the past
            }
            Optional<Cursor> cursor = owner.cursor();
            WalPosition from = index.lastFrame() > 0 && cursor.isPresent()
                    ? new WalPosition(cursor.get().frame(), cursor.get().frameChecksum())
                    : Copier.start(header.get());
            return WalReader.read(wal, header.get(), from, WalReader.TO_THE_END, 1) instanceof WalBatch batch
                    && batch.lastFrame() > from.frame();
        }
    }

    /** Whether the last close would lose nothing, and the fingerprint will tell what happens after it. */
    boolean canRest(WalIndex index) {
        Optional<Cursor> cursor = owner.cursor();
        return cursor.isPresent()
                && cursor.get().sealed()
                && !cursor.get().database().racy()
                && proven
                && nothingNew(index)
                && index.fullyBackfilled();
    }

    private Look waitForIndex() throws IOException, InterruptedException {
        long now = services.time().nanoTime();
        if (!unsettled) {
            unsettled = true;
            unsettledSince = now;
        } else if (now - unsettledSince > UNSETTLED_PATIENCE.toNanos()) {
            // A writer died inside the update. Any connection that reads repairs that.
            boolean recovered = services.taker().recover(files);
            log.atInfo()
                    .addKeyValue("db", options.path())
                    .addKeyValue("recovered", recovered)
                    .log("the wal-index was left half-written");
            unsettled = false;
        }
        return Look.MOVED;
    }

    /** Notes how the files look now, if everything the WAL holds is copied. */
    void settleNow() throws IOException {
        FileFingerprint database = owner.fingerprint();
        if (hold.readIndex() instanceof Valid(WalIndex index) && nothingNew(index)) {
            settle(database, index);
        }
    }

    /**
     * Everything the WAL holds is copied. The fingerprint was taken before the index was read: what it vouches for can only
     * be older.
     */
    private void settle(FileFingerprint database, WalIndex index) throws IOException {
        // A cursor that nothing proves must keep its old fingerprint: a new one would prove it at the next start.
        if (!proven || owner.cursor().isEmpty()) {
            return;
        }
        Cursor cursor = owner.cursor().get();
        if (index.lastFrame() == 0) {
            // Nothing in the WAL: what was sealed before stays sealed, and nobody wrote since.
            if (cursor.sealed() && !cursor.database().proves(database)) {
                owner.observed(cursor.observed(database, true));
            }
            return;
        }
        boolean sealed = index.fullyBackfilled();
        if (sealed != cursor.sealed() || !cursor.database().proves(database)) {
            owner.observed(cursor.observed(database, sealed));
        }
    }

    /** A WAL that was reset while it was read looks damaged; then what was read counts for nothing. */
    private Step stepUnlessMoved(FileFingerprint database, WalIndex index, boolean mayCopyEverything)
            throws IOException, InterruptedException {
        try {
            return step(database, index, mayCopyEverything);
        } catch (CorruptDataException damaged) {
            boolean sameWal = hold.intact()
                    && hold.readIndex() instanceof Valid(WalIndex now)
                    && now.salts().equals(index.salts());
            if (sameWal) {
                throw damaged;
            }
            return Step.DISCARDED;
        }
    }

    private Step step(FileFingerprint database, WalIndex index, boolean mayCopyEverything)
            throws IOException, InterruptedException {
        Optional<WalFile> opened = hold.openWal();
        try {
            Optional<WalHeader> header = opened.isPresent() ? opened.get().header() : Optional.empty();
            boolean readable = header.isPresent() && header.get().salts().equals(index.salts());
            if (index.lastFrame() > 0 && !readable) {
                return Step.DISCARDED; // caught between the two; if it lasts, nobody can read this database
            }
            Optional<Copier.Wal> wal = index.lastFrame() > 0 && opened.isPresent() && header.isPresent()
                    ? Optional.of(new Copier.Wal(
                            opened.get(), header.get(), files.wal().toString(), index.lastFrame()))
                    : Optional.empty();
            if (owner.cursor().isEmpty() && wal.isPresent()) {
                if (owner.adopt(wal.get(), hold::readDatabase, database).isPresent()) {
                    proven = true;
                }
            }
            Observation seen = observe(database, index, wal);
            Verdict verdict = Continuity.decide(seen);
            owner.decided(verdict);
            return switch (verdict) {
                case Verdict.InSync inSync -> {
                    proven = true;
                    settle(database, index);
                    yield Step.IN_SYNC;
                }
                case Verdict.Wait wait -> Step.WAITS;
                case Verdict.Continue(int frame) -> {
                    if (frame == index.lastFrame()) {
                        proven = true;
                        settle(database, index);
                        yield Step.IN_SYNC;
                    }
                    yield copyFrames(wal.orElseThrow(), frame);
                }
                case Verdict.Full(Txid txid) -> {
                    if (!mayCopyEverything) {
                        yield Step.NEEDS_FULL_COPY;
                    }
                    try (WholeCopy whole = WholeCopy.everyPage(services, owner.pageIndex(), txid)) {
                        yield copyWhole(txid, whole, database, index, wal);
                    }
                }
                case Verdict.Resync(Txid txid, Verdict.Reason reason) -> {
                    if (!mayCopyEverything) {
                        yield Step.NEEDS_FULL_COPY;
                    }
                    log.atLevel(reason == Verdict.Reason.BROKEN_INVARIANT ? Level.ERROR : Level.INFO)
                            .addKeyValue("db", options.path())
                            .addKeyValue("reason", reason.text())
                            .addKeyValue("txid", txid)
                            .log("reading every page again");
                    try (WholeCopy whole = WholeCopy.resync(services, owner.pageIndex(), txid, seen)) {
                        yield copyWhole(txid, whole, database, index, wal);
                    }
                }
            };
        } finally {
            opened.ifPresent(WalFile::close);
        }
    }

    private Observation observe(FileFingerprint database, WalIndex index, Optional<Copier.Wal> wal) throws IOException {
        Optional<Cursor> cursor = owner.cursor();
        boolean frameAtCursor = cursor.isPresent() && wal.isPresent() && reaches(wal.get(), cursor.get());
        return new Observation(
                cursor,
                owner.replica(),
                proven,
                cursor.isPresent() && cursor.get().database().sameFile(database),
                index.pageSize() != 0 ? index.pageSize() : pageSizeOfFile(),
                !owner.chainBroken(),
                wal.isPresent()
                        ? new Observation.Wal.Present(wal.get().header().salts())
                        : new Observation.Wal.Nothing(),
                frameAtCursor,
                cursor.isPresent() && cursor.get().database().proves(database));
    }

    /** Whether the WAL still has the cursor's frame where it was. */
    private static boolean reaches(Copier.Wal wal, Cursor cursor) throws IOException {
        boolean within = cursor.frame() > 0 && cursor.frame() <= wal.lastFrame();
        if (!within || !wal.header().salts().equals(cursor.walSalts())) {
            return false;
        }
        return WalReader.storedChecksum(wal.source(), wal.header(), cursor.frame())
                .filter(cursor.frameChecksum()::equals)
                .isPresent();
    }

    private int pageSizeOfFile() throws IOException {
        byte[] bytes = new byte[DatabaseHeader.SIZE_BYTES];
        int length = hold.readDatabase(0, bytes, 0, bytes.length);
        return DatabaseHeader.parse(bytes, length)
                .orElseThrow(() -> new CorruptDataException(options.path().toString(), 0, "no database header"))
                .pageSize();
    }

    private Step copyFrames(Copier.Wal wal, int from) throws IOException, InterruptedException {
        Cursor cursor = owner.cursor().orElseThrow();
        WalPosition start = from == 0 ? Copier.start(wal.header()) : new WalPosition(from, cursor.frameChecksum());
        WalBatch batch = services.copier().map(wal, start, options.syncWalBytesMax());
        if (batch.lastFrame() == from) {
            throw new CorruptDataException(
                    wal.name(), wal.header().endOfFrame(from), "no commit up to frame " + wal.lastFrame());
        }
        Path staging = owner.local().stagingFromSpare(cursor.txid().next());
        StagedCopy copy;
        try (IndexUpdate update = owner.pageIndex().follow(cursor, batch.commitPages())) {
            copy = services.copier().copyFrames(cursor, wal, from, batch, hold::readDatabase, staging, update);
            Optional<FileStat> database = files.statDatabase();
            if (database.isEmpty() || !stoodStill(wal, database.get())) {
                Files.deleteIfExists(copy.file());
                return Step.DISCARDED;
            }
            owner.apply(copy, false, update, database.get());
        }
        proven = true;
        log.atDebug()
                .addKeyValue("db", options.path())
                .addKeyValue("txid", copy.next().txid())
                .addKeyValue("frames", batch.lastFrame() - from)
                .addKeyValue("pages", copy.pages())
                .addKeyValue("bytes", copy.bytes())
                .log("copied");
        return batch.limited() ? Step.COPIED_A_PART : Step.COPIED;
    }

    /** Whether the WAL that was read is still the one of this hold. */
    private boolean stoodStill(Copier.Wal wal) throws IOException {
        Optional<FileStat> database = files.statDatabase();
        return database.isPresent() && stoodStill(wal, database.get());
    }

    /** The same, with what is at the database's path. */
    private boolean stoodStill(Copier.Wal wal, FileStat database) throws IOException {
        byte[] bytes = new byte[WalHeader.SIZE_BYTES];
        return wal.source().read(0, bytes, 0, bytes.length) == bytes.length
                && WalHeader.parse(bytes).filter(wal.header()::equals).isPresent()
                && hold.intact(database)
                && settledIndex() instanceof Valid(WalIndex now)
                && now.salts().equals(wal.header().salts());
    }

    /** The index, read again if a writer was just inside its update: no reason to throw a long copy away. */
    private Reading settledIndex() throws IOException {
        Reading reading = hold.readIndex();
        for (int i = 0; i < UNSETTLED_READS && !(reading instanceof Valid); i++) {
            Thread.onSpinWait();
            reading = hold.readIndex();
        }
        return reading;
    }

    /**
     * Copies the whole database while applications go on. Frames up to M0, the last one at the start, are laid over the database
     * file. If nothing later was, or is being, written into the file by a checkpoint the copy is exact at M0. Otherwise it
     * is a mixture, which the frames after M0, laid over it, make exact at the last of them.
     */
    private Step copyWhole(Txid txid, WholeCopy whole, FileFingerprint before, WalIndex index, Optional<Copier.Wal> wal)
            throws IOException, InterruptedException {
        Path staging = owner.local().staging(txid);
        Copier.Base base = base(wal, index);
        StagedCopy copy = whole.read(base, wal, hold::readDatabase, staging);
        boolean kept = false;
        try {
            // In this order: a checkpoint that ends between the two shows in the index.
            boolean running = hold.checkpointRunning();
            if (!(settledIndex() instanceof Valid(WalIndex after)) || (wal.isPresent() && !stoodStill(wal.get()))) {
                return Step.DISCARDED;
            }
            int copied = base.position().frame();
            boolean untouched = !running && after.backfilled() <= copied && after.backfillAttempted() <= copied;
            Cursor next;
            if (untouched || after.lastFrame() == copied) {
                if (!hold.intact()) {
                    return Step.DISCARDED;
                }
                next = copy.next().observed(before, index.fullyBackfilled());
            } else {
                Optional<StagedCopy> exact = layOver(whole, copy, base, after);
                if (exact.isEmpty()) {
                    return Step.DISCARDED;
                }
                Files.delete(copy.file());
                copy = exact.get();
                next = copy.next().observed(before, false);
            }
            boolean changed = whole.apply(copy.withNext(next), owner);
            kept = true;
            proven = true;
            log.atInfo()
                    .addKeyValue("db", options.path())
                    .addKeyValue("txid", owner.localMax())
                    .addKeyValue("pages", changed ? copy.pages() : 0)
                    .addKeyValue("bytes", changed ? copy.bytes() : 0)
                    .log(whole.differencesOnly() ? "what differs copied" : "every page copied");
            return changed ? Step.COPIED : Step.IN_SYNC;
        } finally {
            if (!kept) {
                Files.deleteIfExists(copy.file());
            }
        }
    }

    /**
     * What the copy starts from. Where everything is in the database file, that file alone is the database, for SQLite's
     * readers too: should somebody have restored a backup over it, the WAL's frames would hide that.
     */
    private Copier.Base base(Optional<Copier.Wal> wal, WalIndex index) throws IOException {
        if (wal.isEmpty()) {
            int pageSize = pageSizeOfFile();
            return new Copier.Base(pageSize, pagesOfFile(pageSize), new PageMap(), Copier.nowhere());
        }
        WalBatch batch = services.copier().map(wal.get(), Copier.start(wal.get().header()), 0);
        int pageSize = wal.get().header().pageSize();
        WalPosition position = new WalPosition(batch.lastFrame(), batch.checksum());
        return index.fullyBackfilled()
                ? new Copier.Base(pageSize, pagesOfFile(pageSize), new PageMap(), position)
                : new Copier.Base(pageSize, batch.commitPages(), batch.pages(), position);
    }

    private int pagesOfFile(int pageSize) throws IOException {
        return Math.toIntExact(hold.databaseSizeBytes() / pageSize);
    }

    /** Empty when the WAL is not the one the first try saw. */
    private Optional<StagedCopy> layOver(WholeCopy whole, StagedCopy first, Copier.Base base, WalIndex after)
            throws IOException, InterruptedException {
        try (WalFile file = hold.openWal().orElse(null)) {
            Optional<WalHeader> header = file == null ? Optional.empty() : file.header();
            if (file == null || header.isEmpty() || !header.get().salts().equals(after.salts())) {
                return Optional.empty();
            }
            Copier.Wal wal = new Copier.Wal(file, header.get(), files.wal().toString(), after.lastFrame());
            WalPosition from = base.position().frame() == 0 ? Copier.start(header.get()) : base.position();
            WalBatch batch = services.copier().map(wal, from, 0);
            Copier.Base newer = new Copier.Base(
                    base.pageSize(),
                    batch.commitPages(),
                    batch.pages(),
                    new WalPosition(batch.lastFrame(), batch.checksum()));
            Path staging = first.file().resolveSibling(first.file().getFileName() + ".tmp");
            StagedCopy exact = whole.layOver(first, newer, wal, hold::readDatabase, staging);
            if (!stoodStill(wal)) {
                Files.deleteIfExists(exact.file());
                return Optional.empty();
            }
            return Optional.of(exact);
        }
    }
}
