package io.loomstream.engine.follow;

import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileSteps;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;

/**
 * A rollback journal in SQLite's own format (sqlite.org/fileformat2.html, "The Rollback Journal"; pager.c,
 * {@code writeJournalHdr}, {@code pager_cksum}). While it exists, whoever opens the database and finds no writer alive
 * puts the old pages back first: that is what makes our writing of many pages one step, for readers of every kind and
 * without our help after a kill. Deleting it is the commit.
 */
final class RollbackJournal {
    private static final long MAGIC = 0xd9d505f920a163d7L;
    /** The least that SQLite accepts; one header takes a whole sector. */
    private static final int SECTOR_BYTES = 512;

    private static final int RECORD_COUNT_OFFSET = 8;
    private static final int CHECKSUM_STRIDE = 200;
    private static final int CHUNK_BYTES = 256 * 1024;

    private RollbackJournal() {}

    static Path of(Path database) {
        return database.resolveSibling(database.getFileName() + "-journal");
    }

    /** Whether SQLite would take the file for the journal of a writer that died: it starts with anything but zero. */
    static boolean hot(Path database) throws IOException {
        Path journal = of(database);
        if (Files.notExists(journal)) {
            return false;
        }
        try (var in = Files.newInputStream(journal)) {
            return in.read() > 0;
        }
    }

    /**
     * Saves pages as they are in the database and makes them durable; the directory is the caller's to force.
     *
     * @param pages which; those beyond the database's end are left out, since a rollback cuts them off
     */
    static void write(
            FileSteps steps,
            Path database,
            FileAccess.Grant grant,
            FileChannel pagesFrom,
            int pageSizeBytes,
            long databasePages,
            BitSet pages,
            int nonce)
            throws IOException {
        try (FileChannel journal = steps.create(of(database), grant)) {
            ByteBuffer chunk = ByteBuffer.allocate(Math.max(CHUNK_BYTES, pageSizeBytes + 2 * Integer.BYTES));
            chunk.putLong(MAGIC).putInt(0).putInt(nonce).putInt((int) databasePages);
            chunk.putInt(SECTOR_BYTES).putInt(pageSizeBytes).position(SECTOR_BYTES);
            int records = 0;
            for (int page = pages.nextSetBit(1); page > 0 && page <= databasePages; page = pages.nextSetBit(page + 1)) {
                if (chunk.remaining() < pageSizeBytes + 2 * Integer.BYTES) {
                    drain(chunk, journal);
                }
                chunk.putInt(page);
                int start = chunk.position();
                read(pagesFrom, (page - 1L) * pageSizeBytes, chunk, pageSizeBytes);
                chunk.putInt(checksum(chunk.array(), start, pageSizeBytes, nonce));
                records++;
            }
            drain(chunk, journal);
            steps.force(journal);
            // Only now may it count for anything: SQLite replays as many records as the header says.
            ByteBuffer count =
                    ByteBuffer.allocate(Integer.BYTES).putInt(records).flip();
            while (count.hasRemaining()) {
                journal.write(count, RECORD_COUNT_OFFSET + count.position());
            }
            steps.force(journal);
        }
    }

    private static void read(FileChannel from, long position, ByteBuffer into, int length) throws IOException {
        ByteBuffer page = into.slice(into.position(), length);
        while (page.hasRemaining()) {
            if (from.read(page, position + page.position()) < 0) {
                throw new IOException("the database ended at byte " + (position + page.position()));
            }
        }
        into.position(into.position() + length);
    }

    private static int checksum(byte[] bytes, int start, int pageSizeBytes, int nonce) {
        int sum = nonce;
        for (int i = pageSizeBytes - CHECKSUM_STRIDE; i > 0; i -= CHECKSUM_STRIDE) {
            sum += bytes[start + i] & 0xff;
        }
        return sum;
    }

    private static void drain(ByteBuffer chunk, FileChannel to) throws IOException {
        chunk.flip();
        while (chunk.hasRemaining()) {
            to.write(chunk);
        }
        chunk.clear();
    }
}
