package io.loomstream.engine.sync;

import io.loomstream.engine.ltx.Txid;
import java.io.IOException;

/**
 * How many bytes of local files the replica lacks, against the limit. A sum of what was copied, which is too large as soon
 * as something is uploaded: only when it passes the limit are the files themselves asked, and again only after an upload.
 *
 * <p>Used under its database's lock.
 */
final class LocalBytes {
    private final LocalFiles local;
    private final long bytesMax;
    private long bytes;
    private Txid countedAfter = Txid.ZERO;

    /** @param bytesMax the limit; 0: none */
    LocalBytes(LocalFiles local, long bytesMax) {
        this.local = local;
        this.bytesMax = bytesMax;
    }

    /** Counts the files anew. */
    void count(Txid uploaded) throws IOException {
        bytes = local.bytesAfter(uploaded);
        countedAfter = uploaded;
    }

    void added(long fileBytes) {
        bytes += fileBytes;
    }

    /** There are no local files any more. */
    void cleared() {
        bytes = 0;
    }

    /** Whether the limit is passed. */
    boolean full(Txid uploaded) throws IOException {
        if (bytesMax == 0 || bytes <= bytesMax) {
            return false;
        }
        if (!uploaded.equals(countedAfter)) {
            count(uploaded);
        }
        return bytes > bytesMax;
    }
}
