package io.loomstream.engine.sync;

import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Writes an index anew beside the old one, in page order and with flat memory, and puts it in the old one's place. Pages
 * that are not put are as the old index knows them, if it is the basis; else unknown.
 */
final class IndexRewrite implements IndexUpdate.Change {
    private static final int BUFFER_BYTES = 8 * 1024;

    private final LocalFiles local;
    private final PageHash hash;
    private final PageHash.Key key;
    private final int pageSize;
    private final Optional<PageIndexFile> basis;
    private final long[] entry = new long[2];
    private @Nullable DataOutputStream out;
    private int lastPage;
    private long sumLow;
    private long sumHigh;
    private boolean staged;

    IndexRewrite(LocalFiles local, PageHash hash, PageHash.Key key, int pageSize, Optional<PageIndexFile> basis) {
        this.local = local;
        this.hash = hash;
        this.key = key;
        this.pageSize = pageSize;
        this.basis = basis;
    }

    @Override
    public boolean wantsHashes() {
        return true;
    }

    @Override
    public void hash(int number, byte[] buffer, int offset, long[] result) {
        hash.of(key, number, buffer, offset, pageSize, result);
    }

    @Override
    public void put(int number, long low, long high) throws IOException {
        DataOutputStream to = out();
        fill(to, number - 1);
        write(to, number, low, high);
    }

    /** Entries of pages that were not put, up to a page. */
    private void fill(DataOutputStream to, int last) throws IOException {
        while (lastPage < last) {
            int number = lastPage + 1;
            entry[0] = 0;
            entry[1] = 0;
            if (basis.isPresent()) {
                basis.get().entry(number, entry);
            }
            write(to, number, entry[0], entry[1]);
        }
    }

    private void write(DataOutputStream to, int number, long low, long high) throws IOException {
        if (number != lastPage + 1) {
            throw new IllegalArgumentException("page " + number + " after page " + lastPage);
        }
        to.writeLong(low);
        to.writeLong(high);
        sumLow += low;
        sumHigh += high;
        lastPage = number;
    }

    private DataOutputStream out() throws IOException {
        DataOutputStream opened = out;
        if (opened == null) {
            Files.deleteIfExists(local.pagesStaging());
            // The key in it is nobody else's business, whatever the database's own permissions are.
            Files.createFile(
                    local.pagesStaging(),
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            staged = true;
            opened = new DataOutputStream(new BufferedOutputStream(
                    new FileOutputStream(local.pagesStaging().toFile()), BUFFER_BYTES));
            out = opened;
            opened.write(new byte[PageIndexFile.HEADER_BYTES]);
        }
        return opened;
    }

    @Override
    public void prepare(Cursor next) throws IOException {
        DataOutputStream to = out();
        fill(to, next.commitPages());
        to.close();
        PageIndexSlot slot =
                new PageIndexSlot(key, next.txid(), pageSize, next.commitPages(), next.ltxChecksum(), sumLow, sumHigh);
        try (RandomAccessFile file = new RandomAccessFile(local.pagesStaging().toFile(), "rw")) {
            file.seek(PageIndexFile.offsetOfSlot(next.txid()));
            file.write(slot.encode());
        }
    }

    @Override
    public void complete() throws IOException {
        local.publishPages();
        staged = false;
    }

    @Override
    public void close() throws IOException {
        if (out != null) {
            out.close();
        }
        if (staged) {
            staged = false;
            Files.deleteIfExists(local.pagesStaging());
        }
    }
}
