package io.loomstream.engine.ltx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.testing.FailingStreams;
import io.loomstream.engine.testing.LtxSpec;
import io.loomstream.engine.testing.Seed;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Large files go through a second thread. Encoder and decoder give their permit back only when that thread has ended, so a
 * free permit after each test means that no thread is left.
 */
class PipelineTest {
    private static final int PAGE_SIZE = 4096;
    private static final int PAGES = 1000;
    private static LtxSpec spec;
    private static byte[] file;

    private final CodecResources resources = new CodecResources(1);

    @BeforeAll
    static void makeFile() throws Exception {
        Random random = Seed.random("PipelineTest");
        LtxSpec empty = LtxSpec.of(PAGE_SIZE, 1, 8, PAGES);
        TreeMap<Integer, byte[]> pages = new TreeMap<>();
        for (int page = 1; page <= PAGES; page++) {
            pages.put(page, RoundTripTest.content(random, PAGE_SIZE));
        }
        spec = empty.pages(pages);
        file = encode(new CodecResources(0));
    }

    private static byte[] encode(CodecResources resources) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (LtxEncoder encoder = new LtxEncoder(out, spec.header(), resources)) {
            writePages(encoder);
            encoder.finish();
        }
        return out.toByteArray();
    }

    private static void writePages(LtxEncoder encoder) throws IOException, InterruptedException {
        byte[] buffer = new byte[PAGE_SIZE];
        for (var page : spec.pages().entrySet()) {
            // One buffer for all, as callers have it: the encoder must have copied it.
            System.arraycopy(page.getValue(), 0, buffer, 0, PAGE_SIZE);
            encoder.page(page.getKey(), buffer, 0);
        }
    }

    @AfterEach
    void noThreadIsLeft() {
        assertTrue(isFree(), "a second thread was not given back");
        assertFalse(Thread.interrupted(), "the test left its thread interrupted");
    }

    private boolean isFree() {
        var permit = resources.tryPipeline();
        permit.ifPresent(CodecResources.Pipeline::close);
        return permit.isPresent();
    }

    @Test
    void bytesAreTheSameWithAndWithoutASecondThread() throws Exception {
        assertArrayEquals(file, encode(resources));
    }

    @Test
    void pagesAreTheSameWithAndWithoutASecondThread() throws Exception {
        assertEquals(spec, LtxSpec.decode(new ByteArrayInputStream(file), "threaded", resources));
        assertEquals(spec, LtxSpec.decode(new ByteArrayInputStream(file), "alone", new CodecResources(0)));
    }

    @Test
    void largeFileTakesTheSecondThreadAndASmallOneDoesNot() throws Exception {
        LtxDecoder large = readAhead();
        assertFalse(isFree());
        large.close();
        assertTrue(isFree());
        try (LtxDecoder decoder = decoder(new ByteArrayInputStream(file))) {
            assertEquals(1, decoder.nextPage(new byte[PAGE_SIZE], 0));
            assertTrue(isFree());
        }
    }

    private LtxDecoder decoder(InputStream in) {
        return new LtxDecoder(in, "large.ltx", resources);
    }

    /** A decoder whose second thread runs. */
    private LtxDecoder readAhead() throws Exception {
        LtxDecoder decoder = decoder(new ByteArrayInputStream(file));
        byte[] buffer = new byte[PAGE_SIZE];
        for (int page = 1; page <= 100; page++) {
            assertEquals(page, decoder.nextPage(buffer, 0));
            assertArrayEquals(spec.pages().get(page), buffer);
        }
        return decoder;
    }

    @Test
    void closedDecoderGivesNoMorePages() throws Exception {
        LtxDecoder decoder = readAhead();
        decoder.close();
        decoder.close();
        assertThrows(IllegalStateException.class, () -> decoder.nextPage(new byte[PAGE_SIZE], 0));
        assertThrows(IllegalStateException.class, decoder::finish);
    }

    @Test
    void finishBeforeTheLastPageIsRefused() throws Exception {
        try (LtxDecoder decoder = readAhead()) {
            assertThrows(IllegalStateException.class, decoder::finish);
        }
    }

    @Test
    void failingSourceFailsTheReaderAfterThePagesBeforeIt() throws Exception {
        Random random = Seed.random("failingSource");
        for (int round = 0; round < 20; round++) {
            int good = random.nextInt(file.length);
            IOException failure = new IOException("the network is down");
            InputStream in = FailingStreams.input(new ByteArrayInputStream(file), good, failure);
            assertSame(failure, assertThrows(IOException.class, () -> LtxSpec.decode(in, "failing", resources)));
            assertTrue(isFree());
        }
    }

    @Test
    void sourceThatThrowsAnErrorFailsTheReader() throws Exception {
        OutOfMemoryError failure = new OutOfMemoryError("as if");
        InputStream in = new ByteArrayInputStream(file) {
            @Override
            public synchronized int read(byte[] target, int offset, int length) {
                if (pos > file.length / 2) {
                    throw failure;
                }
                return super.read(target, offset, length);
            }
        };
        assertSame(failure, assertThrows(OutOfMemoryError.class, () -> LtxSpec.decode(in, "failing", resources)));
    }

    @Test
    void truncatedLargeFileIsCorruptWhereverItIsCut() throws Exception {
        Random random = Seed.random("truncatedLargeFile");
        for (int round = 0; round < 20; round++) {
            int length = random.nextInt(file.length);
            InputStream in = new ByteArrayInputStream(file, 0, length);
            CorruptDataException e =
                    assertThrows(CorruptDataException.class, () -> LtxSpec.decode(in, "cut", resources));
            assertTrue(e.offset() <= length, e.getMessage());
            assertTrue(isFree());
        }
    }

    /** Gives some bytes, then blocks until its reader is interrupted. */
    private static final class StuckStream extends InputStream {
        private final InputStream in;
        private final CountDownLatch stuck = new CountDownLatch(1);

        StuckStream(int goodBytes) {
            this.in = new ByteArrayInputStream(file, 0, goodBytes);
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            int read = in.read(target, offset, length);
            if (read > 0) {
                return read;
            }
            stuck.countDown();
            try {
                new CountDownLatch(1).await();
                throw new IllegalStateException("nobody opens this latch");
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted");
            }
        }
    }

    @Test
    void closeEndsAReadAheadThatIsStuck() throws Exception {
        StuckStream in = new StuckStream(file.length / 2);
        LtxDecoder decoder = decoder(in);
        byte[] buffer = new byte[PAGE_SIZE];
        for (int page = 1; page <= 100; page++) {
            assertEquals(page, decoder.nextPage(buffer, 0));
        }
        // Two batches ahead at most: the second thread may wait for room or for bytes, and must end from either.
        decoder.close();
        assertTrue(isFree());
    }

    @Test
    void interruptedReaderStopsAndClosesInOrder() throws Exception {
        StuckStream in = new StuckStream(file.length / 2);
        AtomicReference<Throwable> ended = new AtomicReference<>();
        Thread reader = Thread.ofVirtual().start(() -> {
            try {
                LtxSpec.decode(in, "stuck", resources);
            } catch (Throwable e) {
                ended.set(e);
            }
        });
        in.stuck.await();
        reader.interrupt();
        reader.join();
        assertTrue(
                ended.get() instanceof InterruptedException || ended.get() instanceof InterruptedIOException,
                () -> String.valueOf(ended.get()));
    }

    @Test
    void failingOutputFailsTheWriterForGood() throws Exception {
        Random random = Seed.random("failingOutput");
        for (int round = 0; round < 20; round++) {
            IOException failure = new IOException("the disk is full");
            OutputStream out = FailingStreams.output(
                    OutputStream.nullOutputStream(), 100 + random.nextInt(file.length - 100), failure);
            try (LtxEncoder encoder = new LtxEncoder(out, spec.header(), resources)) {
                assertSame(failure, assertThrows(IOException.class, () -> {
                    writePages(encoder);
                    encoder.finish();
                }));
                assertThrows(IllegalStateException.class, () -> encoder.page(PAGES, new byte[PAGE_SIZE], 0));
                assertThrows(IllegalStateException.class, encoder::finish);
            }
            assertTrue(isFree());
        }
    }

    @Test
    void closeHalfWayEndsTheCompression() throws Exception {
        LtxEncoder encoder = new LtxEncoder(OutputStream.nullOutputStream(), spec.header(), resources);
        byte[] buffer = new byte[PAGE_SIZE];
        for (int page = 1; page <= 400; page++) {
            encoder.page(page, buffer, 0);
        }
        assertFalse(isFree());
        encoder.close();
        encoder.close();
        assertThrows(IllegalStateException.class, () -> encoder.page(401, buffer, 0));
        assertThrows(IllegalStateException.class, encoder::finish);
    }

    @Test
    void interruptedWriterCannotFinishAFileThatLacksPages() throws Exception {
        try (LtxEncoder encoder = new LtxEncoder(OutputStream.nullOutputStream(), spec.header(), resources)) {
            byte[] buffer = new byte[PAGE_SIZE];
            Thread.currentThread().interrupt();
            assertThrows(InterruptedException.class, () -> {
                for (int page = 1; page <= PAGES; page++) {
                    encoder.page(page, buffer, 0);
                }
            });
            assertThrows(IllegalStateException.class, encoder::finish);
        }
    }

    @Test
    void closeUnderInterruptionWaitsAndKeepsTheFlag() throws Exception {
        LtxDecoder decoder = readAhead();
        Thread.currentThread().interrupt();
        decoder.close();
        assertTrue(Thread.interrupted());
        LtxEncoder encoder = new LtxEncoder(OutputStream.nullOutputStream(), spec.header(), resources);
        byte[] buffer = new byte[PAGE_SIZE];
        for (int page = 1; page <= 400; page++) {
            encoder.page(page, buffer, 0);
        }
        Thread.currentThread().interrupt();
        encoder.close();
        // The flag is looked at only when there was something to wait for.
        Thread.interrupted();
        assertTrue(isFree());
    }
}
