package io.loomstream.engine.ltx;

import io.loomstream.engine.error.CorruptDataException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * Reads an LTX file from a stream and trusts nothing in it: order and bounds of pages, completeness of snapshots, the index
 * against the frames, the checksum over everything, nothing behind the end. Large files are read and decompressed ahead on
 * a second thread.
 *
 * <p>Pages are given out before the file's checksum is known: what is made of them counts only after {@link #finish}.
 *
 * <p>Errors: {@link CorruptDataException} with source and offset for anything wrong with the bytes, {@link IOException} when
 * the stream fails. For one thread. Does not close the stream.
 */
public final class LtxDecoder implements AutoCloseable {
    private static final int BATCH_BYTES = 256 * 1024;
    private static final int BATCHES = 2;

    private final ByteInput in;
    private final CodecResources resources;
    private final Crc64 crc = new Crc64();
    private final Crc64 expectedIndex = new Crc64();
    private final byte[] entry = new byte[30];
    private long expectedIndexBytes;
    private long rolling = LtxHeader.CHECKSUM_FLAG;
    private int pages;
    private boolean atEnd;
    private boolean closed;
    private @Nullable LtxHeader header;
    private @Nullable FrameReader frames;
    private @Nullable ReadAhead ahead;

    /**
     * Makes a decoder; nothing is read yet.
     *
     * @param sourceName names the file in errors
     */
    public LtxDecoder(InputStream in, String sourceName, CodecResources resources) {
        this.in = new ByteInput(in, sourceName);
        this.resources = resources;
    }

    /** The header, read with the first call. */
    public LtxHeader header() throws IOException {
        LtxHeader known = header;
        if (known == null) {
            byte[] bytes = new byte[LtxHeader.SIZE_BYTES];
            in.readFully(bytes, 0, bytes.length);
            crc.update(bytes, 0, bytes.length);
            known = LtxHeader.parse(bytes, in.source());
            header = known;
            frames = new FrameReader(in, known, resources);
        }
        return known;
    }

    /**
     * The next page.
     *
     * @param buffer takes the page's bytes, from {@code offset}
     * @return its number, or 0 after the last one
     */
    public int nextPage(byte[] buffer, int offset) throws IOException, InterruptedException {
        LtxHeader known = header();
        FrameReader reader = frames;
        if (atEnd || reader == null) {
            return 0;
        }
        if (closed) {
            // What was read ahead is gone: going on would pass over pages.
            throw new IllegalStateException("the decoder was closed");
        }
        int pageSize = known.pageSize();
        if (ahead == null && pages == BATCH_BYTES / pageSize + 1) {
            ahead = resources
                    .tryPipeline()
                    .map(pipeline -> new ReadAhead(reader, pageSize, pipeline))
                    .orElse(null);
        }
        pages++;
        ReadAhead threaded = ahead;
        int number = threaded == null
                ? readInline(reader, buffer, offset, pageSize)
                : threaded.next(this, buffer, offset, pageSize);
        if (number == 0) {
            atEnd = true;
        } else if (known.tracksChecksums()) {
            byte[] prefix = ByteBuffer.allocate(Integer.BYTES).putInt(number).array();
            Crc64 page = new Crc64();
            page.update(prefix, 0, prefix.length);
            page.update(buffer, offset, pageSize);
            rolling = LtxHeader.CHECKSUM_FLAG | (rolling ^ page.value());
        }
        return number;
    }

    private int readInline(FrameReader reader, byte[] buffer, int offset, int pageSize) throws IOException {
        int number = reader.next(buffer, offset);
        byte[] head = new byte[LtxEncoder.FRAME_HEADER_BYTES];
        int headBytes = reader.copyHeader(head, 0);
        account(number, head, 0, headBytes, buffer, offset, pageSize, reader.frameOffset(), reader.frameBytes());
        return number;
    }

    /** Hashes a frame, and what the index has to say of it. */
    private void account(
            int number,
            byte[] head,
            int headOffset,
            int headBytes,
            byte[] page,
            int offset,
            int pageSize,
            long frameOffset,
            long frameBytes) {
        crc.update(head, headOffset, headBytes);
        if (number == 0) {
            entry[0] = 0;
            expectedIndex.update(entry, 0, 1);
            expectedIndexBytes++;
            return;
        }
        crc.update(page, offset, pageSize);
        int n = PageIndexBuilder.putVarint(entry, 0, number);
        n = PageIndexBuilder.putVarint(entry, n, frameOffset);
        n = PageIndexBuilder.putVarint(entry, n, frameBytes);
        expectedIndex.update(entry, 0, n);
        expectedIndexBytes += n;
    }

    /**
     * Reads index and trailer and compares everything. To be called after the last page.
     *
     * @throws IllegalStateException when pages are left, or the decoder was closed
     */
    public LtxTrailer finish() throws IOException, InterruptedException {
        LtxHeader known = header();
        if (!atEnd || closed) {
            throw new IllegalStateException(closed ? "the decoder was closed" : "pages are left to read");
        }
        close();
        long indexOffset = in.position();
        Crc64 found = new Crc64();
        byte[] chunk = new byte[(int) Math.min(8192, expectedIndexBytes)];
        for (long left = expectedIndexBytes; left > 0; ) {
            int n = (int) Math.min(chunk.length, left);
            in.readFully(chunk, 0, n);
            found.update(chunk, 0, n);
            crc.update(chunk, 0, n);
            left -= n;
        }
        if (found.value() != expectedIndex.value()) {
            throw in.corrupt(indexOffset, "the page index does not describe the pages");
        }
        byte[] end = new byte[Long.BYTES + LtxTrailer.SIZE_BYTES];
        long lengthOffset = in.position();
        in.readFully(end, 0, end.length);
        ByteBuffer fields = ByteBuffer.wrap(end);
        if (fields.getLong() != expectedIndexBytes) {
            throw in.corrupt(
                    lengthOffset, "the page index has " + expectedIndexBytes + " bytes, not what is said here");
        }
        crc.update(end, 0, 2 * Long.BYTES);
        LtxTrailer trailer = new LtxTrailer(fields.getLong(), fields.getLong());
        if (trailer.fileChecksum() != (crc.value() | LtxHeader.CHECKSUM_FLAG)) {
            throw in.corrupt(lengthOffset + 2 * Long.BYTES, "file checksum mismatch");
        }
        checkPostApply(known, trailer, lengthOffset + Long.BYTES);
        if (in.readOrEnd() != -1) {
            throw in.corrupt(in.position() - 1, "bytes behind the end");
        }
        return trailer;
    }

    private void checkPostApply(LtxHeader known, LtxTrailer trailer, long offset) {
        if (!known.tracksChecksums()) {
            if (trailer.postApplyChecksum() != 0) {
                throw in.corrupt(offset, "a post-apply checksum in a file that tracks none");
            }
        } else if ((trailer.postApplyChecksum() & LtxHeader.CHECKSUM_FLAG) == 0
                || (known.isSnapshot() && trailer.postApplyChecksum() != rolling)) {
            throw in.corrupt(offset, "post-apply checksum mismatch");
        }
    }

    /** Stops reading ahead and waits for the second thread's end. Idempotent. */
    @Override
    public void close() {
        closed = true;
        ReadAhead threaded = ahead;
        ahead = null;
        if (threaded != null) {
            threaded.stop();
        }
    }

    /** Decompressed pages on their way to the consumer. */
    private static final class Batch {
        final byte[] pages;
        final byte[] heads;
        final int[] headBytes;
        final int[] numbers;
        final long[] offsets;
        final long[] sizes;
        int count;

        @Nullable
        Throwable failure;

        Batch(int capacity, int pageSize) {
            pages = new byte[capacity * pageSize];
            heads = new byte[capacity * LtxEncoder.FRAME_HEADER_BYTES];
            headBytes = new int[capacity];
            numbers = new int[capacity];
            offsets = new long[capacity];
            sizes = new long[capacity];
        }
    }

    /** The second thread: reads frames into batches until the pages end, something fails or it is stopped. */
    private static final class ReadAhead {
        private final CodecResources.Pipeline pipeline;
        private final BlockingQueue<Batch> full = new ArrayBlockingQueue<>(BATCHES + 1);
        private final BlockingQueue<Batch> empty = new ArrayBlockingQueue<>(BATCHES + 1);
        private final Thread thread;
        private @Nullable Batch current;
        private int taken;

        ReadAhead(FrameReader reader, int pageSize, CodecResources.Pipeline pipeline) {
            this.pipeline = pipeline;
            for (int i = 0; i < BATCHES + 1; i++) {
                empty.add(new Batch(Math.max(1, BATCH_BYTES / pageSize), pageSize));
            }
            this.thread = Thread.ofVirtual().name("ltx-read-ahead").start(() -> run(reader, pageSize));
        }

        private void run(FrameReader reader, int pageSize) {
            try {
                boolean more = true;
                while (more) {
                    Batch batch = empty.take();
                    more = fill(reader, batch, pageSize);
                    full.put(batch);
                }
            } catch (InterruptedException stopped) {
                Thread.currentThread().interrupt();
            }
        }

        private static boolean fill(FrameReader reader, Batch batch, int pageSize) {
            batch.count = 0;
            batch.failure = null;
            try {
                while (batch.count < batch.numbers.length) {
                    int i = batch.count;
                    int number = reader.next(batch.pages, i * pageSize);
                    batch.numbers[i] = number;
                    batch.headBytes[i] = reader.copyHeader(batch.heads, i * LtxEncoder.FRAME_HEADER_BYTES);
                    batch.offsets[i] = reader.frameOffset();
                    batch.sizes[i] = reader.frameBytes();
                    batch.count++;
                    if (number == 0) {
                        return false;
                    }
                }
                return true;
            } catch (IOException | RuntimeException | Error e) {
                batch.failure = e;
                return false;
            }
        }

        int next(LtxDecoder decoder, byte[] buffer, int offset, int pageSize) throws IOException, InterruptedException {
            Batch batch = current;
            while (batch == null || taken == batch.count) {
                if (batch != null) {
                    rethrow(batch.failure);
                    current = null;
                    empty.add(batch);
                }
                batch = full.take();
                current = batch;
                taken = 0;
                if (batch.count == 0) {
                    rethrow(batch.failure);
                }
            }
            int i = taken++;
            System.arraycopy(batch.pages, i * pageSize, buffer, offset, pageSize);
            decoder.account(
                    batch.numbers[i],
                    batch.heads,
                    i * LtxEncoder.FRAME_HEADER_BYTES,
                    batch.headBytes[i],
                    batch.pages,
                    i * pageSize,
                    pageSize,
                    batch.offsets[i],
                    batch.sizes[i]);
            return batch.numbers[i];
        }

        private static void rethrow(@Nullable Throwable failure) throws IOException {
            switch (failure) {
                case null -> {}
                case IOException e -> throw e;
                case RuntimeException e -> throw e;
                case Error e -> throw e;
                default -> throw new IllegalStateException(failure);
            }
        }

        void stop() {
            thread.interrupt();
            boolean interrupted = false;
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            pipeline.close();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
