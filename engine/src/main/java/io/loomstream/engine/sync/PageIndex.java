package io.loomstream.engine.sync;

import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.ltx.LtxDecoder;
import io.loomstream.engine.ltx.LtxHeader;
import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What each page of a database is on its replica, as 16 bytes a page in the meta directory: with it a RESYNC uploads only
 * the pages that differ. It is never trusted beyond what it proves: an index counts when it names the cursor's TXID and the
 * file checksum of that L0 file, and all its entries add up to the sums it names. So a write that a kill or a power cut
 * took away is noticed, and nothing needs to be synced to disk.
 *
 * <p>Losing an index costs one copy of every page, so errors here are logged and end the index, never a copy.
 *
 * <p>Keeps nothing open or in memory between calls; used by one task at a time.
 */
final class PageIndex {
    private static final Logger log = LoggerFactory.getLogger(PageIndex.class);

    /** A database of at most this many bytes has no index: all its pages cost hardly more than those that differ. */
    static final int SMALL_DATABASE_BYTES = 16 * 1024;

    private final LocalFiles local;
    private final Hashing hashing;
    private final CodecResources resources;
    /** There is none for certain: a small database does without at each copy, and asks the file system once. */
    private boolean none;

    PageIndex(LocalFiles local, Hashing hashing, CodecResources resources) {
        this.local = local;
        this.hashing = hashing;
        this.resources = resources;
    }

    /** What page hashes are made with, and where their keys come from. */
    record Hashing(PageHash hash, SecureRandom keys) {
        PageHash.Key newKey() {
            return new PageHash.Key(keys.nextLong(), keys.nextLong());
        }
    }

    Path path() {
        return local.pagesFile();
    }

    private static boolean tooSmall(int pageSize, int commitPages) {
        return (long) pageSize * commitPages <= SMALL_DATABASE_BYTES;
    }

    /**
     * The index, proven to describe the cursor's state; to be closed. One whose last writes are missing is completed from
     * the newest local L0 file.
     *
     * @return empty when there is none that is proven
     */
    Optional<PageIndexFile> proven(Cursor cursor) throws InterruptedException {
        try {
            Optional<PageIndexFile> opened = openProven(cursor);
            if (opened.isEmpty() && complete(cursor)) {
                opened = openProven(cursor);
            }
            return opened;
        } catch (IOException | CorruptDataException e) {
            log.atDebug().addKeyValue("index", path()).setCause(e).log("the page index cannot be used");
            return Optional.empty();
        }
    }

    private Optional<PageIndexFile> openProven(Cursor cursor) throws IOException {
        Optional<PageIndexFile> opened = PageIndexFile.open(path(), cursor);
        boolean proven = false;
        try {
            proven = opened.isPresent() && opened.get().addsUp();
            return proven ? opened : Optional.empty();
        } finally {
            if (!proven && opened.isPresent()) {
                opened.get().close();
            }
        }
    }

    /** Writes the entries of the L0 file that made the cursor's state once more: a kill may have come before they were. */
    private boolean complete(Cursor cursor) throws IOException, InterruptedException {
        Optional<PageIndexFile> opened = PageIndexFile.open(path(), cursor);
        if (opened.isEmpty()) {
            return false;
        }
        Path file = local.path(cursor.txid());
        try (PageIndexFile index = opened.get();
                FileInputStream input = new FileInputStream(file.toFile());
                LtxDecoder decoder = new LtxDecoder(input, file.toString(), resources)) {
            LtxHeader ltx = decoder.header();
            if (ltx.pageSize() != cursor.pageSize() || ltx.commit() != cursor.commitPages()) {
                return false;
            }
            byte[] page = new byte[ltx.pageSize()];
            long[] hash = new long[2];
            PageHashes hashes = new PageHashes();
            for (int number = decoder.nextPage(page, 0); number != 0; number = decoder.nextPage(page, 0)) {
                if (hashes.full()) {
                    return false;
                }
                hashing.hash().of(index.slot().key(), number, page, 0, page.length, hash);
                hashes.add(number, hash[0], hash[1]);
            }
            if (decoder.finish().fileChecksum() != cursor.ltxChecksum()) {
                return false;
            }
            index.writeEntries(hashes, cursor.commitPages());
            return true;
        } catch (FileNotFoundException uploadedAndGone) {
            return false;
        }
    }

    /**
     * What the index needs for a copy that goes on from the cursor: the entries of its pages, or, where there is no index,
     * one that knows only the pages of this copy.
     *
     * @param commitPages database size after the copy
     */
    IndexUpdate follow(Cursor cursor, int commitPages) {
        try {
            Optional<PageIndexFile> opened =
                    tooSmall(cursor.pageSize(), commitPages) ? Optional.empty() : PageIndexFile.open(path(), cursor);
            if (opened.isPresent()) {
                none = false;
                if (opened.get().hasItsLength()) {
                    return new IndexUpdate(this, new IndexRoll(opened.get(), hashing.hash()));
                }
                opened.get().close();
            }
        } catch (IOException e) {
            log.atDebug().addKeyValue("index", path()).setCause(e).log("the page index cannot be followed");
        }
        return rewrite(cursor.pageSize(), commitPages, Optional.empty());
    }

    /**
     * An index for a copy of the whole database.
     *
     * @param basis the index that describes the pages that are not copied; when there is none they are unknown
     */
    IndexUpdate rewrite(int pageSize, int commitPages, Optional<PageIndexFile> basis) {
        if (tooSmall(pageSize, commitPages)) {
            return new IndexUpdate(this, new NoIndex(this));
        }
        none = false;
        PageHash.Key key = basis.isPresent() ? basis.get().slot().key() : hashing.newKey();
        return new IndexUpdate(this, new IndexRewrite(local, hashing.hash(), key, pageSize, basis));
    }

    /** Ends the index after an error. */
    void discard(IOException because) {
        log.atWarn().addKeyValue("index", path()).setCause(because).log("the page index is given up");
        try {
            delete();
        } catch (IOException e) {
            // It stays, and will not be believed.
            log.atDebug().addKeyValue("index", path()).setCause(e).log("the page index cannot be deleted");
        }
    }

    /** The meta directory may have been another's. */
    void lookAgain() {
        none = false;
    }

    void delete() throws IOException {
        if (!none) {
            Files.deleteIfExists(local.pagesStaging());
            Files.deleteIfExists(path());
            none = true;
        }
    }
}
