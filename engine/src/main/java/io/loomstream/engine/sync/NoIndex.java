package io.loomstream.engine.sync;

import java.io.IOException;

/** The index of a database too small to need one: none, also when it had one. */
final class NoIndex implements IndexUpdate.Change {
    private final PageIndex index;

    NoIndex(PageIndex index) {
        this.index = index;
    }

    @Override
    public boolean wantsHashes() {
        return false;
    }

    @Override
    public void hash(int number, byte[] buffer, int offset, long[] hash) {
        throw new IllegalStateException("no hashes wanted");
    }

    @Override
    public void put(int number, long low, long high) {
        // Nothing is kept.
    }

    @Override
    public void prepare(Cursor next) {
        // Nothing is written.
    }

    @Override
    public void complete() throws IOException {
        index.delete();
    }

    @Override
    public void close() {
        // Nothing is open.
    }
}
