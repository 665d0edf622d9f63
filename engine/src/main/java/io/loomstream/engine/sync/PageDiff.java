package io.loomstream.engine.sync;

import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.ltx.LockPage;
import io.loomstream.engine.ltx.LtxDecoder;
import io.loomstream.engine.ltx.LtxHeader;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.sync.Copier.Base;
import io.loomstream.engine.sync.Copier.Wal;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/**
 * Reads a whole database and stages the pages that are not what the page index says the replica has. Reads like
 * {@link Copier}, and whether what was read may be believed is for the caller here too.
 *
 * <p>A file always has page 1, since one without pages would be like no other, and the page of the WAL's last frame, which
 * Litestream looks for in the last file when it takes over.
 *
 * <p>For one copy, by one task.
 */
final class PageDiff {
    private final Copier copier;
    private final CodecResources resources;
    private final PageHash hash;
    private final PageIndexFile basis;
    private final long[] found = new long[2];
    private final long[] known = new long[2];
    private int differing;
    private int encoded;

    PageDiff(Copier copier, CodecResources resources, PageHash hash, PageIndexFile basis) {
        this.copier = copier;
        this.resources = resources;
        this.hash = hash;
        this.basis = basis;
    }

    /** How many pages the last file has that are not as the index says. */
    int differing() {
        return differing;
    }

    private void begin() {
        differing = 0;
        encoded = 0;
    }

    /** Stages what differs at the end of {@code base}'s frames. */
    StagedCopy copy(Txid txid, Base base, Optional<Wal> wal, ByteReader database, Path staging, IndexUpdate update)
            throws IOException, InterruptedException {
        begin();
        int pageSize = base.pageSize();
        int lockPage = LockPage.of(pageSize);
        int lastFramesPage = pageOfLastFrame(base);
        int pagesPerChunk = Math.max(1, Copier.CHUNK_BYTES / pageSize);
        byte[] chunk = new byte[Math.min(pagesPerChunk, base.commitPages()) * pageSize];
        LtxHeader ltx = copier.header(txid, base, wal);
        Copier.Encoded written = copier.encode(staging, ltx, chunk.length, PageTap.NONE, file -> {
            for (int first = 1; first <= base.commitPages(); first += pagesPerChunk) {
                int count = Math.min(pagesPerChunk, base.commitPages() - first + 1);
                int read = database.read((first - 1L) * pageSize, chunk, 0, count * pageSize);
                Arrays.fill(chunk, read, count * pageSize, (byte) 0);
                for (int i = 0; i < count; i++) {
                    int number = first + i;
                    if (number == lockPage) {
                        continue;
                    }
                    int frame = base.frames().frameOf(number);
                    if (frame != 0) {
                        Copier.readFrame(wal.orElseThrow(), frame, chunk, i * pageSize, pageSize);
                    }
                    boolean always = number == 1 || number == lastFramesPage;
                    encodeIfOther(number, chunk, i * pageSize, always, file, update);
                }
            }
        });
        return staged(txid, base, ltx, written, staging);
    }

    /**
     * Stages the same again with later frames laid over: the database file was written to while it was read. Whatever a
     * checkpoint wrote into pages meanwhile is among those frames; a page without one was read as it was.
     */
    StagedCopy layOver(StagedCopy first, Base newer, Wal wal, ByteReader database, Path staging, IndexUpdate update)
            throws IOException, InterruptedException {
        begin();
        int pageSize = newer.pageSize();
        int lockPage = LockPage.of(pageSize);
        int lastFramesPage = pageOfLastFrame(newer);
        Txid txid = first.next().txid();
        byte[] earlier = new byte[pageSize];
        byte[] page = new byte[pageSize];
        LtxHeader ltx = copier.header(txid, newer, Optional.of(wal));
        try (FileInputStream input = new FileInputStream(first.file().toFile());
                LtxDecoder decoder = new LtxDecoder(input, first.file().toString(), resources)) {
            Copier.Encoded written = copier.encode(staging, ltx, Copier.CHUNK_BYTES, PageTap.NONE, file -> {
                int earlierNumber = decoder.nextPage(earlier, 0);
                for (int number = 1; number <= newer.commitPages(); number++) {
                    if (number == lockPage) {
                        continue;
                    }
                    int frame = newer.frames().frameOf(number);
                    boolean always = number == 1 || number == lastFramesPage;
                    if (frame != 0) {
                        Copier.readFrame(wal, frame, page, 0, pageSize);
                        encodeIfOther(number, page, 0, always, file, update);
                    } else if (number == earlierNumber) {
                        encodeIfOther(number, earlier, 0, always, file, update);
                    } else if (number > first.next().commitPages()) {
                        Copier.readPage(wal, 0, database, number, page);
                        encodeIfOther(number, page, 0, always, file, update);
                    }
                    if (number == earlierNumber) {
                        earlierNumber = decoder.nextPage(earlier, 0);
                    }
                }
                while (earlierNumber != 0) {
                    if (earlierNumber <= newer.commitPages()) {
                        throw new CorruptDataException(
                                first.file().toString(), 0, "page " + earlierNumber + " is late");
                    }
                    earlierNumber = decoder.nextPage(earlier, 0);
                }
                decoder.finish();
            });
            return staged(txid, newer, ltx, written, staging);
        }
    }

    private void encodeIfOther(int number, byte[] buffer, int offset, boolean always, PageTap file, IndexUpdate update)
            throws IOException, InterruptedException {
        hash.of(basis.slot().key(), number, buffer, offset, basis.slot().pageSize(), found);
        basis.entry(number, known);
        boolean same = found[0] == known[0] && found[1] == known[1];
        if (!same) {
            differing++;
        }
        if (!same || always) {
            file.page(number, buffer, offset);
            update.put(number, found[0], found[1]);
            encoded++;
        }
    }

    private StagedCopy staged(Txid txid, Base base, LtxHeader ltx, Copier.Encoded file, Path staging) {
        return new StagedCopy(staging, Copier.cursor(txid, base, ltx.walSalts(), file.trailer()), file.stat(), encoded);
    }

    /** 0 when there is no WAL. */
    private static int pageOfLastFrame(Base base) {
        if (base.position().frame() != 0) {
            for (int number : base.frames().pageNumbersSorted()) {
                if (base.frames().frameOf(number) == base.position().frame()) {
                    return number;
                }
            }
        }
        return 0;
    }
}
