package io.loomstream.engine.sync;

import io.loomstream.engine.ltx.Txid;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A page index that is open: two slots that take turns, as the cursor's do, and sixteen bytes a page. Ascending page
 * numbers are read through a small window. Closed after every use; not thread-safe.
 */
final class PageIndexFile implements AutoCloseable {
    static final int HEADER_BYTES = 2 * PageIndexSlot.SIZE_BYTES;

    private static final int SMALL_WINDOW_ENTRIES = 64;
    private static final int LARGE_WINDOW_ENTRIES = 4096;

    private final RandomAccessFile file;
    private final PageIndexSlot slot;
    private byte[] window = new byte[0];
    private int windowFirst;
    private int windowCount;

    private PageIndexFile(RandomAccessFile file, PageIndexSlot slot) {
        this.file = file;
        this.slot = slot;
    }

    /**
     * Opens an index whose slot says that it describes the cursor's state. Whether its entries add up is not looked at.
     *
     * @return empty when there is no file, or one of another state
     */
    static Optional<PageIndexFile> open(Path path, Cursor cursor) throws IOException {
        RandomAccessFile file;
        try {
            file = new RandomAccessFile(path.toFile(), "rw");
        } catch (FileNotFoundException e) {
            return Optional.empty();
        }
        boolean kept = false;
        try {
            byte[] bytes = new byte[PageIndexSlot.SIZE_BYTES];
            file.seek(offsetOfSlot(cursor.txid()));
            if (!readFully(file, bytes, bytes.length)) {
                return Optional.empty();
            }
            Optional<PageIndexSlot> slot = PageIndexSlot.parse(bytes).filter(found -> found.describes(cursor));
            kept = slot.isPresent();
            return slot.map(found -> new PageIndexFile(file, found));
        } finally {
            if (!kept) {
                file.close();
            }
        }
    }

    static long offsetOfSlot(Txid txid) {
        return (txid.value() & 1) * PageIndexSlot.SIZE_BYTES;
    }

    private static boolean readFully(RandomAccessFile file, byte[] bytes, int length) throws IOException {
        for (int read = 0; read < length; ) {
            int n = file.read(bytes, read, length - read);
            if (n < 0) {
                return false;
            }
            read += n;
        }
        return true;
    }

    PageIndexSlot slot() {
        return slot;
    }

    /** Whether the file is as long as its entries are. */
    boolean hasItsLength() throws IOException {
        return file.length() == lengthOf(slot.commitPages());
    }

    static long lengthOf(int commitPages) {
        return HEADER_BYTES + (long) commitPages * PageHash.BYTES;
    }

    /** Reads every entry and compares with the sums in the slot: the proof that no write is missing or torn. */
    boolean addsUp() throws IOException {
        if (!hasItsLength()) {
            return false;
        }
        long[] entry = new long[2];
        long low = 0;
        long high = 0;
        for (int number = 1; number <= slot.commitPages(); number++) {
            entry(number, LARGE_WINDOW_ENTRIES, entry);
            low += entry[0];
            high += entry[1];
        }
        return low == slot.sumLow() && high == slot.sumHigh();
    }

    /** The hash of a page, both halves 0 where it is unknown. */
    void entry(int number, long[] entry) throws IOException {
        entry(number, SMALL_WINDOW_ENTRIES, entry);
    }

    private void entry(int number, int ahead, long[] entry) throws IOException {
        if (number > slot.commitPages()) {
            entry[0] = 0;
            entry[1] = 0;
            return;
        }
        if (number < windowFirst || number >= windowFirst + windowCount) {
            fillWindow(number, Math.min(ahead, slot.commitPages() - number + 1));
        }
        ByteBuffer bytes = ByteBuffer.wrap(window);
        int at = (number - windowFirst) * PageHash.BYTES;
        entry[0] = bytes.getLong(at);
        entry[1] = bytes.getLong(at + Long.BYTES);
    }

    private void fillWindow(int first, int count) throws IOException {
        if (window.length < count * PageHash.BYTES) {
            window = new byte[count * PageHash.BYTES];
        }
        windowCount = 0;
        file.seek(offsetOfEntry(first));
        if (!readFully(file, window, count * PageHash.BYTES)) {
            throw new IOException("the page index is cut short");
        }
        windowFirst = first;
        windowCount = count;
    }

    private static long offsetOfEntry(int number) {
        return HEADER_BYTES + (number - 1L) * PageHash.BYTES;
    }

    /** Writes the slot of a state; that of the state before stays. */
    void writeSlot(PageIndexSlot next) throws IOException {
        file.seek(offsetOfSlot(next.txid()));
        file.write(next.encode());
    }

    /** Puts entries in their places and gives the file the length of a state. */
    void writeEntries(PageHashes changed, int commitPages) throws IOException {
        windowCount = 0;
        for (int from = 0; from < changed.size(); ) {
            int to = from + 1;
            while (to < changed.size() && to - from < LARGE_WINDOW_ENTRIES && changed.follows(to)) {
                to++;
            }
            ByteBuffer run = ByteBuffer.allocate((to - from) * PageHash.BYTES);
            for (int i = from; i < to; i++) {
                run.putLong(changed.low(i)).putLong(changed.high(i));
            }
            file.seek(offsetOfEntry(changed.number(from)));
            file.write(run.array());
            from = to;
        }
        if (file.length() != lengthOf(commitPages)) {
            file.setLength(lengthOf(commitPages));
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
