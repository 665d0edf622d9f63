package io.loomstream.engine.sync;

import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.sqlite.DatabaseFiles;
import io.loomstream.engine.sqlite.DatabaseFiles.DatabaseReader;
import io.loomstream.engine.sqlite.DatabaseHeader;
import io.loomstream.engine.sync.DatabaseSync.Look;
import io.loomstream.engine.sync.Observation.Wal;
import io.loomstream.engine.wal.PageMap;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Copies a database that is in a rollback-journal mode. There is no WAL to follow: whenever the file changed, all of it is
 * read, and what differs is copied. Without any lock while it is at rest; a writer that never rests is kept from committing for the length of a copy.
 *
 * <p>Used by one task at a time, under its database's lock.
 */
final class RollbackCapture {
    private static final Logger log = LoggerFactory.getLogger(RollbackCapture.class);

    private static final Duration REST = Duration.ofMillis(60);
    private static final int TRIES_WITHOUT_LOCK = 5;

    private final DatabaseSync owner;
    private final DatabaseFiles files;
    private final SyncServices services;
    private int failedTries;
    private boolean reported;

    RollbackCapture(DatabaseSync owner, DatabaseFiles files, SyncServices services) {
        this.owner = owner;
        this.files = files;
        this.services = services;
    }

    Look look(boolean mayCopyEverything) throws IOException, InterruptedException {
        if (!reported) {
            reported = true;
            log.atWarn()
                    .addKeyValue("db", files.database())
                    .log("not in WAL mode: the whole database is copied after each change");
        }
        FileFingerprint before = owner.fingerprint();
        Observation seen = observe(before);
        Verdict verdict = Continuity.decide(seen);
        owner.decided(verdict);
        return switch (verdict) {
            case Verdict.InSync inSync -> Look.QUIET;
            case Verdict.Wait wait -> Look.WAITS_FOR_REPLICA;
            case Verdict.Full(Txid txid) -> {
                if (!mayCopyEverything) {
                    yield Look.NEEDS_FULL_COPY;
                }
                try (WholeCopy whole = WholeCopy.everyPage(services, owner.pageIndex(), txid)) {
                    yield copy(txid, whole);
                }
            }
            case Verdict.Resync(Txid txid, Verdict.Reason reason) -> {
                if (!mayCopyEverything) {
                    yield Look.NEEDS_FULL_COPY;
                }
                try (WholeCopy whole = WholeCopy.resync(services, owner.pageIndex(), txid, seen)) {
                    yield copy(txid, whole);
                }
            }
            case Verdict.Continue(int frame) -> throw new IllegalStateException("there is no WAL to continue in");
        };
    }

    private Observation observe(FileFingerprint before) throws IOException {
        Optional<Cursor> cursor = owner.cursor();
        return new Observation(
                cursor,
                owner.replica(),
                false,
                cursor.isPresent() && cursor.get().database().sameFile(before),
                header().pageSize(),
                !owner.chainBroken(),
                new Wal.Nothing(),
                false,
                cursor.isPresent() && cursor.get().database().proves(before));
    }

    private DatabaseHeader header() throws IOException {
        return services.taker()
                .readHeader(files)
                .orElseThrow(() -> new TransientStorageException(files.database() + ": its header is being changed"));
    }

    private Look copy(Txid txid, WholeCopy whole) throws IOException, InterruptedException {
        FileFingerprint before = owner.fingerprint();
        if (before.racy()) {
            services.time().sleep(REST);
            before = owner.fingerprint();
        }
        if (failedTries >= TRIES_WITHOUT_LOCK) {
            return services.taker().underReadLock(files, () -> copyUnchanged(txid, whole, owner.fingerprint(), true));
        }
        if (before.racy() || files.hasJournal()) {
            failedTries++;
            return Look.MOVED;
        }
        return copyUnchanged(txid, whole, before, false);
    }

    /** Copies, and keeps the copy if the file is the same before and after. */
    private Look copyUnchanged(Txid txid, WholeCopy whole, FileFingerprint before, boolean locked)
            throws IOException, InterruptedException {
        Path staging = owner.local().staging(txid);
        try (DatabaseReader database = files.openDatabase()) {
            byte[] bytes = new byte[DatabaseHeader.SIZE_BYTES];
            Optional<DatabaseHeader> header = DatabaseHeader.parse(bytes, database.read(0, bytes, 0, bytes.length));
            if (header.isEmpty() || header.get().walMode()) {
                return Look.MOVED;
            }
            int pageSize = header.get().pageSize();
            int commit = Math.toIntExact(database.sizeBytes() / pageSize);
            Copier.Base base = new Copier.Base(pageSize, commit, new PageMap(), Copier.nowhere());
            StagedCopy copy = whole.read(base, Optional.empty(), database::read, staging);
            boolean same = before.looksLike(owner.fingerprint()) && (locked || !files.hasJournal());
            if (!same) {
                Files.deleteIfExists(staging);
                failedTries++;
                return Look.MOVED;
            }
            Cursor next = copy.next().observed(before, true);
            boolean changed = whole.apply(copy.withNext(next), owner);
            failedTries = 0;
            return changed ? Look.COPIED : Look.QUIET;
        }
    }
}
