package io.loomstream.engine.sync;

import java.io.IOException;

/**
 * The change of a page index that goes with one copy. It takes the pages as they are encoded; then {@link #prepare} before
 * the L0 file gets its name and {@link #complete} after. Closed without them it changes nothing.
 *
 * <p>An error ends the index, not the copy. Not thread-safe.
 */
final class IndexUpdate implements PageTap, AutoCloseable {
    private final PageIndex index;
    private final Change change;
    private final long[] hash = new long[2];
    private boolean failed;

    IndexUpdate(PageIndex index, Change change) {
        this.index = index;
        this.change = change;
    }

    /** How an index changes. */
    interface Change {
        /** Whether it wants the hashes of pages; their contents are not looked at otherwise. */
        boolean wantsHashes();

        void hash(int number, byte[] buffer, int offset, long[] hash);

        void put(int number, long low, long high) throws IOException;

        /** Writes what leaves the index of the state before as it is. */
        void prepare(Cursor next) throws IOException;

        void complete() throws IOException;

        /** Gives up what is not complete; idempotent. */
        void close() throws IOException;
    }

    @Override
    public void page(int number, byte[] buffer, int offset) {
        if (!failed && change.wantsHashes()) {
            change.hash(number, buffer, offset, hash);
            put(number, hash[0], hash[1]);
        }
    }

    /** Takes a page whose hash is known. */
    void put(int number, long low, long high) {
        run(() -> change.put(number, low, high));
    }

    /** To be called with the cursor of the copy before its L0 file gets its name. */
    void prepare(Cursor next) {
        run(() -> change.prepare(next));
    }

    /** To be called when the L0 file has its name. */
    void complete() {
        run(change::complete);
    }

    @Override
    public void close() {
        run(change::close);
    }

    private void run(Step step) {
        if (failed) {
            return;
        }
        try {
            step.run();
        } catch (IOException e) {
            failed = true;
            try {
                change.close();
            } catch (IOException second) {
                e.addSuppressed(second);
            }
            index.discard(e);
        }
    }

    @FunctionalInterface
    private interface Step {
        void run() throws IOException;
    }
}
