package io.loomstream.engine.sync;

import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.sync.Copier.Base;
import io.loomstream.engine.sync.Copier.Wal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One copy of a whole database, in up to two tries: the pages that differ where a page index is proven to say what the
 * replica has, every page otherwise. Goes with the index that follows from it.
 *
 * <p>For one copy, by one task; to be closed.
 */
final class WholeCopy implements AutoCloseable {
    private final SyncServices services;
    private final PageIndex index;
    private final Txid txid;
    private final @Nullable Cursor cursor;
    private @Nullable PageIndexFile basis;
    private @Nullable PageDiff diff;
    private @Nullable IndexUpdate update;
    private int pagesRead;

    private WholeCopy(SyncServices services, PageIndex index, Txid txid, @Nullable Cursor cursor) {
        this.services = services;
        this.index = index;
        this.txid = txid;
        this.cursor = cursor;
    }

    /** A copy of every page. */
    static WholeCopy everyPage(SyncServices services, PageIndex index, Txid txid) {
        return new WholeCopy(services, index, txid, null);
    }

    /**
     * A copy of whatever differs.
     *
     * @param seen what the verdict was made from; a file of differences needs the whole chain before it, up to the cursor
     */
    static WholeCopy resync(SyncServices services, PageIndex index, Txid txid, Observation seen)
            throws InterruptedException {
        Optional<Cursor> cursor = seen.cursor()
                .filter(from -> seen.localChainComplete()
                        && from.txid().next().equals(txid)
                        && from.pageSize() == seen.pageSize());
        if (cursor.isEmpty()) {
            return everyPage(services, index, txid);
        }
        WholeCopy copy = new WholeCopy(services, index, txid, cursor.get());
        copy.basis = index.proven(cursor.get()).orElse(null);
        return copy;
    }

    /** Whether only what differs was copied. */
    boolean differencesOnly() {
        return diff != null;
    }

    /** The first try: pages of the file with {@code base}'s frames laid over. */
    StagedCopy read(Base base, Optional<Wal> wal, ByteReader database, Path staging)
            throws IOException, InterruptedException {
        PageIndexFile from = basis;
        pagesRead = base.commitPages();
        if (from == null || from.slot().pageSize() != base.pageSize()) {
            IndexUpdate built = renewUpdate(base, Optional.empty());
            return services.copier().copyEverything(txid, base, wal, database, staging, built);
        }
        PageDiff differences = services.differences(from);
        diff = differences;
        return differences.copy(txid, base, wal, database, staging, renewUpdate(base, Optional.of(from)));
    }

    /** The second try, with the frames after the first. */
    StagedCopy layOver(StagedCopy first, Base newer, Wal wal, ByteReader database, Path staging)
            throws IOException, InterruptedException {
        PageDiff differences = diff;
        if (differences == null) {
            IndexUpdate built = renewUpdate(newer, Optional.empty());
            return services.copier().layOver(first, newer, wal, database, staging, built);
        }
        return differences.layOver(
                first, newer, wal, database, staging, renewUpdate(newer, Optional.ofNullable(basis)));
    }

    private IndexUpdate renewUpdate(Base base, Optional<PageIndexFile> from) {
        closeUpdate();
        IndexUpdate renewed = index.rewrite(base.pageSize(), base.commitPages(), from);
        update = renewed;
        return renewed;
    }

    /**
     * The cursor to go on with when the copy turned out to hold nothing that the replica lacks: the TXID and the L0 file
     * it had, at the place in the WAL that was read now.
     */
    Optional<Cursor> unchanged(Cursor copied) {
        PageDiff differences = diff;
        Cursor before = cursor;
        if (differences == null
                || before == null
                || differences.differing() > 0
                || copied.commitPages() != before.commitPages()) {
            return Optional.empty();
        }
        return Optional.of(copied.asOf(before.txid(), before.ltxChecksum()));
    }

    /** Applies the copy, or keeps the cursor where nothing differs; the staged file is gone afterwards either way. */
    boolean apply(StagedCopy copy, DatabaseSync owner) throws IOException {
        PageDiff differences = diff;
        services.counters()
                .copiedWhole(
                        differences != null, pagesRead, differences == null ? copy.pages() : differences.differing());
        Optional<Cursor> same = unchanged(copy.next());
        if (same.isPresent()) {
            owner.observed(same.get());
            Files.delete(copy.file());
            return false;
        }
        IndexUpdate built = update;
        if (built == null) {
            throw new IllegalStateException("nothing was read");
        }
        owner.apply(copy, differences == null, built);
        return true;
    }

    private void closeUpdate() {
        if (update != null) {
            update.close();
            update = null;
        }
    }

    @Override
    public void close() throws IOException {
        closeUpdate();
        if (basis != null) {
            basis.close();
            basis = null;
        }
    }
}
