package io.loomstream.engine.sync;

/**
 * Turns a page into 128 bits that stand for it in the page index. Whoever chooses page contents must not be able to make
 * two pages with one hash: the hash depends on a secret key. Thread-safe.
 */
interface PageHash {
    int BYTES = 16;

    /**
     * Hashes a page together with its number.
     *
     * @param hash takes the two halves
     */
    void of(Key key, int number, byte[] buffer, int offset, int pageSize, long[] hash);

    /** 128 secret bits, drawn anew for each index that is built from nothing. */
    record Key(long low, long high) {
        @Override
        public String toString() {
            return "secret";
        }
    }
}
