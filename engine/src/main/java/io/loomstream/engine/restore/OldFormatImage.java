package io.loomstream.engine.restore;

import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.replica.OldFormatStore;
import io.loomstream.engine.sqlite.DatabaseHeader;
import io.loomstream.engine.wal.PageMap;
import io.loomstream.engine.wal.WalBatch;
import io.loomstream.engine.wal.WalHeader;
import io.loomstream.engine.wal.WalPosition;
import io.loomstream.engine.wal.WalReader;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import net.jpountz.lz4.LZ4FrameInputStream;
import org.jspecify.annotations.Nullable;

/**
 * Makes a database file from a v0.3 snapshot and WALs. The frames are read by our own WAL reader instead of being left
 * to SQLite's recovery: that one takes a damaged frame for the end of the WAL and says nothing, while v0.3 stored whole
 * transactions only, so every frame up to the last byte has to be valid. One thread; memory does not grow with the
 * database, but for 12 bytes a page of one WAL.
 */
final class OldFormatImage {
    private static final int CHUNK_BYTES = 256 * 1024;

    private final OldFormatStore store;
    private final FileChannel image;
    private final Path walSpool;
    private final byte[] chunk = new byte[CHUNK_BYTES];
    private final RestoreProgress progress;
    /** The image's first bytes as the snapshot has them; the image itself is write-only. */
    private final byte[] firstBytes = new byte[DatabaseHeader.SIZE_BYTES];

    private long writtenBytes;

    /**
     * An empty image.
     *
     * @param walSpool an empty file for one decompressed WAL at a time
     */
    OldFormatImage(OldFormatStore store, FileChannel image, Path walSpool, RestoreProgress progress) {
        this.store = store;
        this.image = image;
        this.walSpool = walSpool;
        this.progress = progress;
    }

    /** Writes the database; returns its length in bytes. */
    long write(OldFormatPlan plan) throws IOException {
        OldFormatStore.Snapshot snapshot = plan.snapshot();
        String source =
                "snapshot " + snapshot.index() + " of generation " + snapshot.generation() + " of " + store.describe();
        copy(store.open(snapshot), source, image, 0);
        int pageSizeBytes = pageSize(source);
        List<OldFormatStore.WalSegment> segments = plan.segments();
        long index = snapshot.index();
        for (int from = 0; from < segments.size(); index++) {
            int to = from;
            while (to < segments.size() && segments.get(to).index() == index) {
                to++;
            }
            if (to == from) {
                throw missing(snapshot.generation(), index, 0);
            }
            apply(segments.subList(from, to), pageSizeBytes);
            from = to;
        }
        return image.size();
    }

    private int pageSize(String source) {
        int length = (int) Math.min(writtenBytes, DatabaseHeader.SIZE_BYTES);
        return DatabaseHeader.parse(firstBytes, length)
                .orElseThrow(() -> new CorruptDataException(source, 0, "not an SQLite database"))
                .pageSize();
    }

    private void apply(List<OldFormatStore.WalSegment> segments, int pageSizeBytes) throws IOException {
        String generation = segments.getFirst().generation();
        long index = segments.getFirst().index();
        try (FileChannel wal = FileChannel.open(
                walSpool, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            long size = 0;
            for (OldFormatStore.WalSegment segment : segments) {
                if (segment.offset() != size) {
                    throw missing(generation, index, size);
                }
                size = copy(store.open(segment), segmentName(segment), wal, size);
            }
            String source = "WAL " + index + " of generation " + generation + " of " + store.describe();
            applyWal(wal, size, source, pageSizeBytes);
        }
    }

    private String segmentName(OldFormatStore.WalSegment segment) {
        return "WAL " + segment.index() + " offset " + segment.offset() + " of generation " + segment.generation()
                + " of " + store.describe();
    }

    private CorruptDataException missing(String generation, long index, long offset) {
        return new CorruptDataException(
                store.describe(),
                0,
                "generation " + generation + ": WAL " + index + " is missing from its byte " + offset + " on");
    }

    private void applyWal(FileChannel wal, long sizeBytes, String source, int pageSizeBytes) throws IOException {
        byte[] headerBytes = new byte[WalHeader.SIZE_BYTES];
        readAt(wal, 0, headerBytes, 0, headerBytes.length);
        WalHeader header = WalHeader.parse(headerBytes)
                .orElseThrow(() -> new CorruptDataException(source, 0, "not an SQLite WAL"));
        if (header.pageSize() != pageSizeBytes) {
            throw new CorruptDataException(
                    source, 8, "its pages have " + header.pageSize() + " bytes, the database's " + pageSizeBytes);
        }
        long frames = (sizeBytes - WalHeader.SIZE_BYTES) / header.frameSizeBytes();
        if (frames > Integer.MAX_VALUE - 1 || header.endOfFrame((int) frames) != sizeBytes) {
            throw new CorruptDataException(source, sizeBytes, "it ends in the middle of a frame");
        }
        if (frames == 0) {
            return;
        }
        WalReader.Outcome outcome = WalReader.read(
                (position, buffer, offset, length) -> readAt(wal, position, buffer, offset, length),
                header,
                new WalPosition(0, header.checksum()),
                (int) frames,
                0);
        switch (outcome) {
            case WalReader.Broken broken ->
                throw new CorruptDataException(
                        source, header.frameOffset(broken.frame()), "frame " + broken.frame() + ": " + broken.why());
            case WalBatch batch -> write(wal, header, batch);
        }
    }

    private void write(FileChannel wal, WalHeader header, WalBatch batch) throws IOException {
        PageMap pages = batch.pages();
        int pageSizeBytes = header.pageSize();
        for (int page : pages.pageNumbersSorted()) {
            readAt(wal, header.pageOffset(pages.frameOf(page)), chunk, 0, pageSizeBytes);
            writeAt(image, (page - 1L) * pageSizeBytes, pageSizeBytes);
        }
        // As a checkpoint does: the database gets the length of its last transaction.
        long sizeBytes = (long) batch.commitPages() * pageSizeBytes;
        if (image.size() > sizeBytes) {
            image.truncate(sizeBytes);
        } else if (image.size() < sizeBytes) {
            chunk[0] = 0;
            writeAt(image, sizeBytes - 1, 1);
        }
    }

    /** Decompresses a stream to a place in a file; returns where it ended. */
    private long copy(InputStream compressed, String source, FileChannel target, long position) throws IOException {
        Failures failures = new Failures(compressed);
        long at = position;
        try (compressed) {
            @Nullable InputStream in = null;
            while (true) {
                int count;
                try {
                    in = in == null ? new LZ4FrameInputStream(failures) : in;
                    count = in.readNBytes(chunk, 0, CHUNK_BYTES);
                } catch (IOException | RuntimeException e) {
                    if (failures.last != null) {
                        throw new TransientStorageException(source + ": " + failures.last.getMessage(), e);
                    }
                    throw new CorruptDataException(source, at, "cannot be decompressed: " + e.getMessage(), e);
                }
                if (count == 0) {
                    return at;
                }
                if (target.equals(image) && at < firstBytes.length) {
                    System.arraycopy(chunk, 0, firstBytes, 0, Math.min(count, firstBytes.length));
                }
                writeAt(target, at, count);
                at += count;
            }
        }
    }

    /** Tells errors of the store from those of what is in the stream. */
    private static final class Failures extends FilterInputStream {
        private @Nullable IOException last;

        Failures(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            try {
                return in.read(buffer, offset, length);
            } catch (IOException e) {
                last = e;
                throw e;
            }
        }
    }

    private static int readAt(FileChannel file, long position, byte[] buffer, int offset, int length)
            throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(buffer, offset, length);
        int done = 0;
        while (bytes.hasRemaining()) {
            int count = file.read(bytes, position + done);
            if (count < 0) {
                break;
            }
            done += count;
        }
        return done;
    }

    private void writeAt(FileChannel file, long position, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(chunk, 0, length);
        long at = position;
        while (bytes.hasRemaining()) {
            at += file.write(bytes, at);
        }
        if (file.equals(image)) {
            writtenBytes += length;
            progress.written(writtenBytes);
        }
    }
}
