package io.loomstream.engine.restore;

import io.loomstream.engine.error.CorruptDataException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.function.LongConsumer;

/**
 * A database file in the making: LTX files are applied to it one after the other. That costs a second write for pages
 * that several files hold, but no memory and one open file however long the plan is, and each file's checksum is
 * verified in full.
 *
 * <p>After every file the image is complete: a file that makes the database longer must bring every new page itself,
 * since no earlier one can have had it. So a page that nobody supplied is an error here and never zeros. The one page
 * that no file holds is the lock page, the page at 1 GiB, which SQLite uses for its locks only; it reads as zeros.
 *
 * <p>Not thread-safe. What an instance wrote is worthless once any method threw.
 */
final class DatabaseImage {
    private static final long LOCK_BYTE = 0x4000_0000L;
    /** Consecutive pages are written in pieces of this size; larger ones measured no faster. */
    private static final int CHUNK_BYTES = 256 * 1024;

    private final FileChannel file;
    private final byte[] chunk = new byte[CHUNK_BYTES];
    private final LongConsumer progress;

    private int pageSizeBytes;
    private long commitPages;
    private long chunkStartBytes;
    private int chunkUsedBytes;
    private long writtenBytes;

    /**
     * An image that is empty yet.
     *
     * @param progress hears how many bytes were written so far
     */
    DatabaseImage(FileChannel emptyFile, LongConsumer progress) {
        this.file = emptyFile;
        this.progress = progress;
    }

    /** Applies one file, which must continue what was applied before, and verifies its checksum. */
    void apply(LtxPages pages, String source) throws IOException, InterruptedException {
        if (pageSizeBytes == 0) {
            pageSizeBytes = pages.pageSizeBytes();
        } else if (pages.pageSizeBytes() != pageSizeBytes) {
            throw new CorruptDataException(
                    source,
                    8,
                    "its pages have " + pages.pageSizeBytes() + " bytes, those of the files before " + pageSizeBytes);
        }
        long newCommitPages = pages.commitPages();
        long expectedNew = commitPages + 1;
        long last = 0;
        while (true) {
            if (chunkUsedBytes + pageSizeBytes > CHUNK_BYTES) {
                flush();
            }
            long number = pages.nextPage(chunk, chunkUsedBytes);
            if (number == 0) {
                break;
            }
            checkNumber(source, number, last, newCommitPages);
            if (number > commitPages) {
                if (number != skipLockPage(expectedNew)) {
                    throw missing(source, skipLockPage(expectedNew));
                }
                expectedNew = number + 1;
            }
            accept(number);
            last = number;
        }
        flush();
        if (skipLockPage(expectedNew) <= newCommitPages) {
            throw missing(source, skipLockPage(expectedNew));
        }
        pages.finish();
        commitPages = newCommitPages;
    }

    private void checkNumber(String source, long number, long last, long newCommitPages) {
        if (number <= last) {
            throw new CorruptDataException(source, 0, "page " + number + " comes after page " + last);
        }
        if (number > newCommitPages) {
            throw new CorruptDataException(
                    source, 0, "page " + number + " lies beyond the database's " + newCommitPages + " pages");
        }
        if (number == lockPage()) {
            throw new CorruptDataException(source, 0, "page " + number + " is the lock page, which holds nothing");
        }
    }

    private static CorruptDataException missing(String source, long number) {
        return new CorruptDataException(source, 0, "page " + number + " is missing: no file supplies it");
    }

    private long lockPage() {
        return LOCK_BYTE / pageSizeBytes + 1;
    }

    private long skipLockPage(long number) {
        return number == lockPage() ? number + 1 : number;
    }

    /** Takes the page that was just decoded behind the chunk's end into the chunk, or makes it the next one's start. */
    private void accept(long number) throws IOException {
        long position = (number - 1) * pageSizeBytes;
        if (chunkUsedBytes > 0 && position != chunkStartBytes + chunkUsedBytes) {
            int decodedAt = chunkUsedBytes;
            flush();
            System.arraycopy(chunk, decodedAt, chunk, 0, pageSizeBytes);
        }
        if (chunkUsedBytes == 0) {
            chunkStartBytes = position;
        }
        chunkUsedBytes += pageSizeBytes;
    }

    private void flush() throws IOException {
        if (chunkUsedBytes == 0) {
            return;
        }
        ByteBuffer bytes = ByteBuffer.wrap(chunk, 0, chunkUsedBytes);
        long position = chunkStartBytes;
        while (bytes.hasRemaining()) {
            position += file.write(bytes, position);
        }
        writtenBytes += chunkUsedBytes;
        chunkUsedBytes = 0;
        progress.accept(writtenBytes);
    }

    /**
     * Gives the file its exact length, in bytes: an earlier state may have been longer, and a lock page at the end was
     * never written.
     */
    long finish() throws IOException {
        long sizeBytes = commitPages * pageSizeBytes;
        if (file.size() > sizeBytes) {
            file.truncate(sizeBytes);
        } else if (file.size() < sizeBytes) {
            file.write(ByteBuffer.allocate(1), sizeBytes - 1);
        }
        return sizeBytes;
    }
}
