package io.loomstream.engine.ltx;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import net.jpountz.lz4.LZ4Compressor;
import org.jspecify.annotations.Nullable;

/**
 * Writes an LTX file to a stream: header, pages in ascending order, index, trailer. Pages are LZ4 blocks; large files are
 * compressed on a second thread while the caller reads the next pages.
 *
 * <p>For one thread. Memory is flat with an {@link IndexSpill}; without one it grows by four bytes a page.
 */
public final class LtxEncoder implements AutoCloseable {
    static final int PAGE_HEADER_BYTES = 6;
    static final int FRAME_HEADER_BYTES = 10;
    static final int FLAG_SIZE_FOLLOWS = 1;

    private static final int BATCH_BYTES = 256 * 1024;

    private final OutputStream out;
    private final LtxHeader header;
    private final CodecResources resources;
    private final LZ4Compressor compressor;
    private final int lockPage;
    private final int pagesPerBatch;
    private final Crc64 crc = new Crc64();
    private final PageIndexBuilder index;
    /** A page alone: compressed where the caller has it. */
    private final byte[] single;

    private CodecResources.@Nullable Pipeline pipeline;
    private @Nullable Batch filling;
    private @Nullable Batch spare;
    private @Nullable FutureTask<Batch> compressing;
    private int lastPage;
    private int pages;
    /** Cleared while something is written: a call that did not end may have lost pages. */
    private boolean intact = true;

    private boolean ended;

    /**
     * Writes the header.
     *
     * @param out is not closed by this encoder
     * @throws IllegalArgumentException when the header breaks a rule, or asks for rolling checksums, which nothing of ours
     *     writes
     */
    public LtxEncoder(OutputStream out, LtxHeader header, CodecResources resources) throws IOException {
        this(out, header, resources, null);
    }

    /**
     * Writes the header.
     *
     * @param out is not closed by this encoder
     * @param spill takes the index of a large file; null to keep it in memory
     * @throws IllegalArgumentException as the other constructor
     */
    public LtxEncoder(OutputStream out, LtxHeader header, CodecResources resources, @Nullable IndexSpill spill)
            throws IOException {
        header.validate("the header to write");
        if (header.tracksChecksums()) {
            throw new IllegalArgumentException("only files without rolling checksums are written");
        }
        this.index = new PageIndexBuilder(spill);
        this.out = out;
        this.header = header;
        this.resources = resources;
        this.compressor = resources.compressor();
        this.lockPage = LockPage.of(header.pageSize());
        this.pagesPerBatch = Math.max(1, BATCH_BYTES / header.pageSize());
        this.single = new byte[Batch.frameBytesMax(header.pageSize(), compressor)];
        byte[] bytes = header.encode();
        crc.update(bytes, 0, bytes.length);
        out.write(bytes);
    }

    /**
     * Writes a page; the buffer may be used again at once.
     *
     * @param number greater than the one before; each but the lock page in a snapshot
     * @throws IllegalStateException when the encoder was finished or closed, or an earlier call failed or was interrupted
     */
    public void page(int number, byte[] buffer, int offset) throws IOException, InterruptedException {
        checkUsable();
        checkOrder(number);
        lastPage = number;
        pages++;
        intact = false;
        write(number, buffer, offset);
        intact = true;
    }

    private void checkUsable() {
        if (ended || !intact) {
            throw new IllegalStateException(ended ? "the file was finished" : "an earlier call failed");
        }
    }

    private void write(int number, byte[] buffer, int offset) throws IOException, InterruptedException {
        if (filling == null && pages > pagesPerBatch && pipeline == null) {
            startPipeline();
        }
        Batch batch = filling;
        if (batch == null) {
            int size = Batch.compress(compressor, number, buffer, offset, header.pageSize(), single, 0);
            crc.update(single, 0, FRAME_HEADER_BYTES);
            crc.update(buffer, offset, header.pageSize());
            index.add(number, FRAME_HEADER_BYTES + size);
            out.write(single, 0, FRAME_HEADER_BYTES + size);
            return;
        }
        batch.add(number, buffer, offset);
        if (batch.full()) {
            handOver(batch);
        }
    }

    private void checkOrder(int number) {
        int expected = lastPage + 1 == lockPage ? lockPage + 1 : lastPage + 1;
        boolean inOrder = header.isSnapshot() ? number == expected : number > lastPage;
        if (!inOrder || number > header.commit() || number == lockPage) {
            throw new IllegalArgumentException("page " + number + " after page " + lastPage + " of a file of "
                    + header.commit() + " pages, lock page " + lockPage);
        }
    }

    private void startPipeline() {
        Optional<CodecResources.Pipeline> granted = resources.tryPipeline();
        if (granted.isPresent()) {
            pipeline = granted.get();
            filling = new Batch(pagesPerBatch, header.pageSize(), compressor);
            spare = new Batch(pagesPerBatch, header.pageSize(), compressor);
        }
    }

    /** Starts compressing a full batch and, meanwhile, writes the one before. */
    private void handOver(Batch full) throws IOException, InterruptedException {
        FutureTask<Batch> next = new FutureTask<>(full);
        FutureTask<Batch> before = compressing;
        compressing = next;
        Thread.ofVirtual().name("ltx-compress").start(next);
        Batch free = spare;
        spare = null;
        if (before != null) {
            free = await(before);
            write(free);
            free.clear();
        }
        filling = free == null ? new Batch(pagesPerBatch, header.pageSize(), compressor) : free;
    }

    private static Batch await(FutureTask<Batch> task) throws InterruptedException {
        // A task that is done answers an interrupted thread too; when we stop must not depend on who was faster.
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        try {
            return task.get();
        } catch (ExecutionException e) {
            throw new IllegalStateException("LZ4 compression failed", e.getCause());
        }
    }

    private void write(Batch batch) throws IOException {
        int at = 0;
        for (int i = 0; i < batch.count; i++) {
            int frameBytes = FRAME_HEADER_BYTES + batch.sizes[i];
            crc.update(batch.compressed, at, FRAME_HEADER_BYTES);
            crc.update(batch.raw, i * header.pageSize(), header.pageSize());
            index.add(batch.numbers[i], frameBytes);
            at += frameBytes;
        }
        out.write(batch.compressed, 0, at);
    }

    /**
     * Writes what is left, the index and the trailer.
     *
     * @throws IllegalStateException when a snapshot does not reach its last page, when the encoder was finished or closed,
     *     or when an earlier call failed or was interrupted
     */
    public LtxTrailer finish() throws IOException, InterruptedException {
        checkUsable();
        int last = header.commit() == lockPage ? lockPage - 1 : header.commit();
        if (header.isSnapshot() && lastPage != last) {
            throw new IllegalStateException("a snapshot of " + header.commit() + " pages ends at page " + lastPage);
        }
        intact = false;
        if (compressing != null) {
            write(await(compressing));
            compressing = null;
        }
        if (filling != null && filling.count > 0) {
            write(filling.compress());
        }
        byte[] end = new byte[PAGE_HEADER_BYTES];
        crc.update(end, 0, end.length);
        out.write(end);
        index.writeTo(out, crc);
        byte[] postApply = new byte[Long.BYTES];
        crc.update(postApply, 0, postApply.length);
        out.write(postApply);
        long checksum = crc.value() | LtxHeader.CHECKSUM_FLAG;
        byte[] trailer = new byte[Long.BYTES];
        for (int i = 0; i < Long.BYTES; i++) {
            trailer[i] = (byte) (checksum >>> (56 - 8 * i));
        }
        out.write(trailer);
        close();
        return new LtxTrailer(0, checksum);
    }

    /** Gives the second thread up; without {@link #finish} the file is incomplete. Idempotent. */
    @Override
    public void close() {
        ended = true;
        FutureTask<Batch> running = compressing;
        compressing = null;
        if (running != null) {
            boolean interrupted = false;
            while (!running.isDone()) {
                try {
                    running.get();
                } catch (ExecutionException failed) {
                    break;
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        if (pipeline != null) {
            pipeline.close();
            pipeline = null;
        }
        filling = null;
        spare = null;
        index.close();
    }

    /** Some pages, before and after compression. */
    private static final class Batch implements Callable<Batch> {
        private final int pageSize;
        private final LZ4Compressor compressor;
        private final int[] numbers;
        private final int[] sizes;
        private final byte[] raw;
        private final byte[] compressed;
        private int count;

        Batch(int pages, int pageSize, LZ4Compressor compressor) {
            this.pageSize = pageSize;
            this.compressor = compressor;
            this.numbers = new int[pages];
            this.sizes = new int[pages];
            this.raw = new byte[pages * pageSize];
            this.compressed = new byte[pages * frameBytesMax(pageSize, compressor)];
        }

        static int frameBytesMax(int pageSize, LZ4Compressor compressor) {
            return FRAME_HEADER_BYTES + compressor.maxCompressedLength(pageSize);
        }

        void add(int number, byte[] buffer, int offset) {
            System.arraycopy(buffer, offset, raw, count * pageSize, pageSize);
            numbers[count++] = number;
        }

        boolean full() {
            return count == numbers.length;
        }

        void clear() {
            count = 0;
        }

        @Override
        public Batch call() {
            return compress();
        }

        Batch compress() {
            int at = 0;
            for (int i = 0; i < count; i++) {
                sizes[i] = compress(compressor, numbers[i], raw, i * pageSize, pageSize, compressed, at);
                at += FRAME_HEADER_BYTES + sizes[i];
            }
            return this;
        }

        /** Writes a page's frame; the length of what follows its header. */
        static int compress(
                LZ4Compressor compressor, int number, byte[] page, int offset, int pageSize, byte[] frame, int at) {
            int size = compressor.compress(page, offset, pageSize, frame, at + FRAME_HEADER_BYTES);
            putInt(frame, at, number);
            frame[at + 4] = 0;
            frame[at + 5] = FLAG_SIZE_FOLLOWS;
            putInt(frame, at + PAGE_HEADER_BYTES, size);
            return size;
        }

        private static void putInt(byte[] bytes, int at, int value) {
            bytes[at] = (byte) (value >>> 24);
            bytes[at + 1] = (byte) (value >>> 16);
            bytes[at + 2] = (byte) (value >>> 8);
            bytes[at + 3] = (byte) value;
        }
    }
}
