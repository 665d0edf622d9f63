package io.loomstream.engine.sync;

import java.io.IOException;

/**
 * Rolls an index forward in place by one copy. The new slot, with the sums that the entries will have, is written before
 * the L0 file has its name and the entries after: whenever a kill comes, either the old slot and its entries are whole, or
 * the new slot tells that entries are missing and the L0 file beside it has their pages.
 */
final class IndexRoll implements IndexUpdate.Change {
    private final PageIndexFile file;
    private final PageHash hash;
    private final PageHashes changed = new PageHashes();
    private int commitPages;

    IndexRoll(PageIndexFile file, PageHash hash) {
        this.file = file;
        this.hash = hash;
    }

    @Override
    public boolean wantsHashes() {
        return true;
    }

    @Override
    public void hash(int number, byte[] buffer, int offset, long[] result) {
        hash.of(file.slot().key(), number, buffer, offset, file.slot().pageSize(), result);
    }

    @Override
    public void put(int number, long low, long high) throws IOException {
        if (changed.full()) {
            throw new IOException("a copy of more than " + PageHashes.MOST + " pages");
        }
        changed.add(number, low, high);
    }

    @Override
    public void prepare(Cursor next) throws IOException {
        PageIndexSlot slot = file.slot();
        long low = slot.sumLow();
        long high = slot.sumHigh();
        long[] entry = new long[2];
        for (int i = 0; i < changed.size(); i++) {
            file.entry(changed.number(i), entry);
            low += changed.low(i) - entry[0];
            high += changed.high(i) - entry[1];
        }
        for (int number = next.commitPages() + 1; number <= slot.commitPages(); number++) {
            file.entry(number, entry);
            low -= entry[0];
            high -= entry[1];
        }
        commitPages = next.commitPages();
        file.writeSlot(new PageIndexSlot(
                slot.key(), next.txid(), slot.pageSize(), commitPages, next.ltxChecksum(), low, high));
    }

    @Override
    public void complete() throws IOException {
        file.writeEntries(changed, commitPages);
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
