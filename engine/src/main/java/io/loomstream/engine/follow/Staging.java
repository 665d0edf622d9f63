package io.loomstream.engine.follow;

import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.ltx.LtxDecoder;
import io.loomstream.engine.ltx.LtxHeader;
import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileSteps;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.ReplicaFile;
import io.loomstream.engine.restore.ResumableInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Fetches files and verifies them before anything is written to the database: decoded to the end, checksum, header
 * against name, page size, and that a database that grows gets every new page. One thread; at most
 * {@value #MEMORY_BYTES} bytes in memory and one file on disk.
 */
final class Staging {
    private static final int MEMORY_BYTES = 8 * 1024 * 1024;
    /** So that a stop is heard in time, and a step is not too far from the last. */
    private static final int FILES = 256;

    private static final int LARGE_BYTES = 1024 * 1024;
    private static final long LOCK_BYTE = 0x4000_0000L;

    private final ReplicaClient replica;
    private final FileSteps steps;
    private final Path spool;

    private final List<StagedFile> staged = new ArrayList<>();
    private final BitSet pages = new BitSet();
    private @Nullable Refused refused;

    Staging(ReplicaClient replica, FileSteps steps, Path database) {
        this.replica = replica;
        this.steps = steps;
        this.spool = database.resolveSibling(database.getFileName() + ".following");
    }

    /** A file that may not be applied. */
    record Refused(ReplicaFile file, CorruptDataException why) {}

    /** Removes what an earlier run left. */
    void clear() throws IOException {
        steps.delete(spool);
    }

    /** Why the last {@link #stage} ended before the end of its list, if it was a file's fault. */
    @Nullable
    Refused refused() {
        return refused;
    }

    /**
     * Stages files from the beginning of a list, as many as make one step.
     *
     * @param databasePages the length of the database that they will be applied to
     * @return the files staged; none when the first one was refused
     */
    List<StagedFile> stage(List<ReplicaFile> files, int pageSizeBytes, long databasePages)
            throws IOException, InterruptedException {
        clear();
        staged.clear();
        pages.clear();
        refused = null;
        long bytes = 0;
        long commitPages = databasePages;
        for (ReplicaFile file : files) {
            boolean large = file.sizeBytes() > LARGE_BYTES;
            if (!staged.isEmpty() && (large || staged.size() == FILES || bytes + file.sizeBytes() > MEMORY_BYTES)) {
                break;
            }
            try {
                StagedFile next = verify(file, fetch(file, large), pageSizeBytes, commitPages);
                staged.add(next);
                commitPages = next.commitPages();
            } catch (CorruptDataException e) {
                refused = new Refused(file, e);
                break;
            }
            bytes += file.sizeBytes();
            if (large) {
                break;
            }
        }
        return staged;
    }

    /** What the last call staged, as one step. */
    Batch batch() {
        return new Batch(staged, pages);
    }

    private StagedFile.Content fetch(ReplicaFile file, boolean large) throws IOException {
        try (InputStream in = new ResumableInputStream(replica, file)) {
            if (large) {
                try (OutputStream out = Channels.newOutputStream(steps.create(spool, FileAccess.PRIVATE.files()))) {
                    in.transferTo(out);
                }
                return () -> Files.newInputStream(spool);
            }
            byte[] bytes = in.readAllBytes();
            return () -> new ByteArrayInputStream(bytes);
        }
    }

    private StagedFile verify(ReplicaFile file, StagedFile.Content content, int pageSizeBytes, long pagesBefore)
            throws IOException, InterruptedException {
        String source = "level " + file.level() + " " + file.range().fileName() + " of " + replica.describe();
        BitSet brought = new BitSet();
        try (InputStream in = content.open();
                LtxDecoder decoder = new LtxDecoder(in, source, CodecResources.shared())) {
            LtxHeader header = decoder.header();
            if (!header.range().equals(file.range())) {
                throw new CorruptDataException(
                        source, 16, "its header says " + header.range() + ": not the file its name stands for");
            }
            if (header.pageSize() != pageSizeBytes) {
                throw new CorruptDataException(
                        source,
                        8,
                        "its pages have " + header.pageSize() + " bytes, the database's " + pageSizeBytes
                                + ": another database's file");
            }
            if (header.commit() == 0) {
                throw new CorruptDataException(source, 12, "it would leave a database without a page");
            }
            byte[] buffer = new byte[pageSizeBytes];
            for (int page = decoder.nextPage(buffer, 0); page != 0; page = decoder.nextPage(buffer, 0)) {
                brought.set(page);
            }
            long checksum = decoder.finish().fileChecksum();
            requireComplete(source, brought, pagesBefore, header.commit(), pageSizeBytes);
            pages.or(brought);
            return new StagedFile(file, source, content, header.commit(), checksum);
        }
    }

    private static void requireComplete(
            String source, BitSet brought, long pagesBefore, int commitPages, int pageSizeBytes) {
        long lockPage = LOCK_BYTE / pageSizeBytes + 1;
        for (int page = (int) pagesBefore + 1; page <= commitPages; page++) {
            page = brought.nextClearBit(page);
            if (page <= commitPages && page != lockPage) {
                throw new CorruptDataException(source, 0, "page " + page + " is missing: no file supplies it");
            }
        }
    }
}
