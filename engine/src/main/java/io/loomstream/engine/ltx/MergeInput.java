package io.loomstream.engine.ltx;

import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.error.UnsupportedDatabaseException;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/** One open file of a merge, at one of its pages. */
final class MergeInput implements Closeable {
    private static final int PAGE_SIZE_OFFSET = 8;
    private static final int COMMIT_OFFSET = 12;
    private static final int TXIDS_OFFSET = 16;

    private final String name;
    private final int order;
    private final InputStream stream;
    private final LtxDecoder decoder;
    private final LtxHeader header;
    private final Txid firstMax;
    private final byte[] buffer;
    /** Database size before this file; 0 when that is not known. */
    private final int pagesBefore;
    /** Page that the database does not have before this file and that comes next among those. */
    private int nextNew;

    private int page;
    private boolean closed;

    private MergeInput(
            MergePart part, @Nullable MergeInput before, InputStream stream, LtxDecoder decoder, LtxHeader header) {
        this.name = part.input().name();
        this.order = before == null ? 0 : before.order + 1;
        this.stream = stream;
        this.decoder = decoder;
        this.header = header;
        Txid known = part.firstMax();
        this.firstMax = known == null ? header.range().max() : known;
        // Of the first file nobody says what it builds on; a snapshot is complete by the decoder's own check.
        this.pagesBefore = before == null ? header.commit() : before.header.commit();
        this.nextNew = skipLockPage(pagesBefore + 1);
        this.buffer = new byte[header.pageSize()];
    }

    /**
     * Opens a file and checks that it follows another.
     *
     * @param before the file it must follow; null for the first
     */
    static MergeInput open(MergePart part, @Nullable MergeInput before, CodecResources resources) throws IOException {
        InputStream stream = part.input().opener().open();
        try {
            LtxDecoder decoder = new LtxDecoder(stream, part.input().name(), resources);
            LtxHeader header = decoder.header();
            if (header.tracksChecksums()) {
                throw new UnsupportedDatabaseException(part.input().name()
                        + ": tracks rolling checksums of the database (LTX flags 0); such files cannot be merged");
            }
            MergeInput input = new MergeInput(part, before, stream, decoder, header);
            if (before != null) {
                input.checkFollows(before);
            }
            return input;
        } catch (IOException | RuntimeException | Error e) {
            closeAfter(e, stream);
            throw e;
        }
    }

    private static void closeAfter(Throwable failure, InputStream stream) {
        try {
            stream.close();
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }

    private void checkFollows(MergeInput before) {
        if (header.pageSize() != before.header.pageSize()) {
            throw new CorruptDataException(
                    name,
                    PAGE_SIZE_OFFSET,
                    "page size " + header.pageSize() + ", where " + before.name + " has " + before.header.pageSize());
        }
        Txid reached = before.header.range().max();
        if (header.range().min().isAfter(reached.next()) || !firstMax.isAfter(reached)) {
            throw new CorruptDataException(
                    name,
                    TXIDS_OFFSET,
                    "TXIDs " + new TxidRange(header.range().min(), firstMax) + " do not follow " + before.header.range()
                            + " of " + before.name);
        }
    }

    LtxHeader header() {
        return header;
    }

    /** Where the first of the inputs in this file ends. */
    Txid firstMax() {
        return firstMax;
    }

    /** Position among the inputs; a higher one is newer. */
    int order() {
        return order;
    }

    int page() {
        return page;
    }

    byte[] buffer() {
        return buffer;
    }

    /** Goes to the next page; false after the last one, when the file has been verified and closed. */
    boolean advance() throws IOException, InterruptedException {
        page = decoder.nextPage(buffer, 0);
        if (page > pagesBefore) {
            if (page != nextNew) {
                throw missing();
            }
            nextNew = skipLockPage(page + 1);
        }
        if (page != 0) {
            return true;
        }
        if (nextNew > 0 && nextNew <= header.commit()) {
            throw missing();
        }
        decoder.finish();
        close();
        return false;
    }

    private CorruptDataException missing() {
        return new CorruptDataException(
                name,
                COMMIT_OFFSET,
                "page " + nextNew + " is missing, though the database grew from " + pagesBefore + " to "
                        + header.commit() + " pages");
    }

    private int skipLockPage(int number) {
        return number == LockPage.of(header.pageSize()) ? number + 1 : number;
    }

    /** Stops reading and closes the stream. Idempotent. */
    @Override
    public void close() throws IOException {
        if (!closed) {
            closed = true;
            try {
                decoder.close();
            } finally {
                stream.close();
            }
        }
    }
}
