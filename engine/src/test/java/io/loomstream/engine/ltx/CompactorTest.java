package io.loomstream.engine.ltx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.error.UnsupportedDatabaseException;
import io.loomstream.engine.ltx.Compactor.Compacted;
import io.loomstream.engine.ltx.Compactor.Input;
import io.loomstream.engine.testing.FailingStreams;
import io.loomstream.engine.testing.LtxSpec;
import io.loomstream.engine.testing.Seed;
import io.loomstream.engine.wal.WalSalts;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Rules of the merge; {@link CompactionPropertyTest} has its one law. */
class CompactorTest {
    private final MemorySpool spool = new MemorySpool();
    private final OpenCounter opened = new OpenCounter();

    /** Counts streams that are open. */
    private static final class OpenCounter {
        private int open;
        private int most;

        InputStream track(InputStream in) {
            open++;
            most = Math.max(most, open);
            return new FilterInputStream(in) {
                private boolean closed;

                @Override
                public void close() throws IOException {
                    if (!closed) {
                        closed = true;
                        open--;
                    }
                    super.close();
                }
            };
        }
    }

    @AfterEach
    void everythingIsClosed() {
        assertEquals(0, opened.open, "streams were left open");
        assertEquals(0, spool.alive(), "intermediate results were left");
    }

    private Input input(String name, byte[] file) {
        return new Input(name, () -> opened.track(new ByteArrayInputStream(file)));
    }

    private List<Input> inputs(LtxSpec... specs) throws Exception {
        List<Input> inputs = new ArrayList<>();
        for (LtxSpec spec : specs) {
            inputs.add(input(spec.header().range().fileName(), spec.encode()));
        }
        return inputs;
    }

    private Compactor compactor(int openInputsMax) {
        return new Compactor(CodecResources.shared(), openInputsMax, spool);
    }

    private LtxSpec compact(LtxSpec... specs) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Compacted compacted = compactor(8).compact(inputs(specs), out);
        LtxSpec read = LtxSpec.decode(out.toByteArray(), "compacted");
        assertEquals(read.header(), compacted.header());
        assertEquals(read.pages().size(), compacted.pages());
        return read;
    }

    private CorruptDataException refused(LtxSpec... specs) throws Exception {
        List<Input> inputs = inputs(specs);
        return assertThrows(
                CorruptDataException.class, () -> compactor(8).compact(inputs, OutputStream.nullOutputStream()));
    }

    @Test
    void latestCopyOfEachPageWins() throws Exception {
        LtxSpec merged = compact(
                LtxSpec.of(512, 3, 3, 9).page(1, 1).page(4, 1).page(9, 1),
                LtxSpec.of(512, 4, 6, 9).page(2, 2).page(4, 2),
                LtxSpec.of(512, 7, 7, 9).page(1, 3).page(8, 3));
        assertEquals(
                LtxSpec.of(512, 3, 7, 9)
                        .page(1, 3)
                        .page(2, 2)
                        .page(4, 2)
                        .page(8, 3)
                        .page(9, 1),
                merged);
    }

    @Test
    void headerTakesItsStartFromTheFirstAndItsEndFromTheLast() throws Exception {
        LtxHeader first = LtxHeader.of(512, 5, new TxidRange(new Txid(2), new Txid(3)), 50, 32, 10, new WalSalts(1, 2));
        LtxHeader last = LtxHeader.of(512, 7, new TxidRange(new Txid(4), new Txid(9)), 40, 64, 20, new WalSalts(3, 4));
        LtxSpec merged = compact(
                LtxSpec.of(first).page(5, 1), LtxSpec.of(last).page(6, 2).page(7, 2));
        LtxHeader expected = LtxHeader.of(512, 7, new TxidRange(new Txid(2), new Txid(9)), 40, 0, 0, WalSalts.NONE);
        assertEquals(expected, merged.header());
    }

    @Test
    void pagesAboveTheFinalSizeAreDropped() throws Exception {
        LtxSpec merged = compact(
                LtxSpec.of(512, 1, 1, 4).page(1, 1).page(2, 1).page(3, 1).page(4, 1),
                LtxSpec.of(512, 2, 2, 2).page(1, 2));
        assertEquals(LtxSpec.of(512, 1, 2, 2).page(1, 2).page(2, 1), merged);
    }

    @Test
    void pageThatWasCutOffDoesNotComeBack() throws Exception {
        LtxSpec big = LtxSpec.of(512, 2, 2, 4).page(3, 1).page(4, 1);
        LtxSpec small = LtxSpec.of(512, 3, 3, 2).page(1, 2);
        LtxSpec whole = LtxSpec.of(512, 4, 4, 4).page(3, 3).page(4, 3);
        assertEquals(LtxSpec.of(512, 2, 4, 4).page(1, 2).page(3, 3).page(4, 3), compact(big, small, whole));

        CorruptDataException e = refused(big, small, LtxSpec.of(512, 4, 4, 4).page(3, 3));
        assertEquals("0000000000000004-0000000000000004.ltx", e.source());
        assertTrue(e.getMessage().contains("page 4 is missing"), e.getMessage());
    }

    @Test
    void singleInputIsCopied() throws Exception {
        LtxSpec only = LtxSpec.of(512, 5, 6, 3).page(2, 2);
        assertEquals(only, compact(only));
    }

    @Test
    void overlappingInputsMergeAndTheLaterKnowsBetter() throws Exception {
        LtxSpec merged = compact(
                LtxSpec.of(512, 3, 6, 5).page(1, 1).page(2, 1),
                LtxSpec.of(512, 5, 7, 5).page(2, 2).page(3, 2),
                LtxSpec.of(512, 2, 8, 5).page(3, 3));
        assertEquals(LtxSpec.of(512, 3, 8, 5).page(1, 1).page(2, 2).page(3, 3), merged);
    }

    @Test
    void gapAndContainmentAreRefusedNamingTheInputAndItsTxids() throws Exception {
        LtxSpec first = LtxSpec.of(512, 3, 6, 5).page(1, 1);
        for (LtxSpec next : List.of(
                LtxSpec.of(512, 8, 9, 5),
                LtxSpec.of(512, 4, 5, 5),
                LtxSpec.of(512, 5, 6, 5),
                LtxSpec.of(512, 3, 6, 5),
                LtxSpec.of(512, 2, 2, 5))) {
            CorruptDataException e = refused(first, next);
            assertEquals(next.header().range().fileName(), e.source());
            assertEquals(16, e.offset());
        }
    }

    @Test
    void lastTxidOfAllHasNoSuccessor() throws Exception {
        CorruptDataException e = refused(
                LtxSpec.of(LtxHeader.of(512, 1, new TxidRange(new Txid(2), new Txid(-1)), 0, 0, 0, WalSalts.NONE)),
                LtxSpec.of(512, 3, 3, 1));
        assertEquals(16, e.offset());
    }

    @Test
    void otherPageSizeIsRefused() throws Exception {
        CorruptDataException e = refused(
                LtxSpec.of(512, 3, 6, 5).page(1, 1), LtxSpec.of(1024, 7, 7, 5).page(1, 1));
        assertEquals(8, e.offset());
    }

    @Test
    void growthWithoutItsPagesIsRefused() throws Exception {
        LtxSpec first = LtxSpec.of(512, 1, 1, 1).page(1, 1);
        assertEquals(12, refused(first, LtxSpec.of(512, 2, 2, 3).page(3, 1)).offset());
        assertEquals(12, refused(first, LtxSpec.of(512, 2, 2, 3).page(2, 1)).offset());
        assertEquals(12, refused(first, LtxSpec.of(512, 2, 2, 3)).offset());
    }

    @Test
    void growthOverTheLockPageNeedsAllButIt() throws Exception {
        int lockPage = LockPage.of(65536);
        LtxSpec before = LtxSpec.of(65536, 2, 2, lockPage - 2).page(1, 1);
        LtxSpec after =
                LtxSpec.of(65536, 3, 3, lockPage + 1).page(lockPage - 1, 2).page(lockPage + 1, 2);
        assertEquals(
                LtxSpec.of(65536, 2, 3, lockPage + 1)
                        .page(1, 1)
                        .page(lockPage - 1, 2)
                        .page(lockPage + 1, 2),
                compact(before, after));
        LtxSpec ending = LtxSpec.of(65536, 3, 3, lockPage).page(lockPage - 1, 2);
        assertEquals(LtxSpec.of(65536, 2, 3, lockPage).page(1, 1).page(lockPage - 1, 2), compact(before, ending));
    }

    @Test
    void inputWithRollingChecksumsIsRefusedByName() {
        byte[] file =
                new RawLtx(0, 512, 1, 1, 1, 0, 0, 0, 0).page(1, new byte[512]).end(1L << 63);
        UnsupportedDatabaseException e = assertThrows(
                UnsupportedDatabaseException.class,
                () -> compactor(8).compact(List.of(input("tracked.ltx", file)), OutputStream.nullOutputStream()));
        assertTrue(e.getMessage().startsWith("tracked.ltx: tracks rolling checksums"), e.getMessage());
    }

    @Test
    void noInputIsTheCallersMistake() {
        assertThrows(
                IllegalArgumentException.class, () -> compactor(8).compact(List.of(), OutputStream.nullOutputStream()));
        assertThrows(IllegalArgumentException.class, () -> compactor(1));
    }

    @Test
    void damageAnywhereInAnyInputFailsTheMerge() throws Exception {
        Random random = Seed.random("damageAnywhere");
        LtxSpec[] specs = {
            LtxSpec.of(512, 1, 1, 3).page(1, 1).page(2, 1).page(3, 1),
            LtxSpec.of(512, 2, 2, 2).page(1, 2),
            LtxSpec.of(512, 3, 4, 2).page(2, 3)
        };
        for (int round = 0; round < 300; round++) {
            List<Input> inputs = inputs(specs);
            int index = random.nextInt(specs.length);
            byte[] file = specs[index].encode();
            // Also pages that do not get into the output: the file they are in is not what it was.
            int cut = random.nextInt(file.length);
            inputs.set(index, input("damaged.ltx", Arrays.copyOf(file, cut)));
            CorruptDataException e = assertThrows(
                    CorruptDataException.class, () -> compactor(8).compact(inputs, OutputStream.nullOutputStream()));
            assertEquals("damaged.ltx", e.source());
        }
    }

    @Test
    void nothingBehindTheLastPageIsWrittenBeforeEveryInputIsVerified() throws Exception {
        LtxSpec first = LtxSpec.of(512, 2, 2, 3).page(1, 1);
        byte[] second = LtxSpec.of(512, 3, 3, 3).page(3, 2).encode();
        second[second.length - 1] ^= 1;
        List<Input> inputs = inputs(first);
        inputs.add(input("second.ltx", second));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        assertThrows(CorruptDataException.class, () -> compactor(8).compact(inputs, out));
        byte[] whole = LtxSpec.of(512, 2, 3, 3).page(1, 1).page(3, 2).encode();
        assertTrue(out.size() < whole.length - 24, out.size() + " bytes were written");
    }

    @Test
    void neverMoreInputsAreOpenThanAllowed() throws Exception {
        LtxSpec[] specs = new LtxSpec[50];
        LtxSpec expected = LtxSpec.of(512, 1, 50, 50);
        for (int i = 0; i < specs.length; i++) {
            specs[i] = LtxSpec.of(512, i + 1, i + 1, i + 1).page(i + 1, i);
            expected = expected.page(i + 1, i);
        }
        for (int bound : new int[] {2, 3, 7, 49, 50, 51}) {
            opened.most = 0;
            spool.trackWith(opened::track);
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            compactor(bound).compact(inputs(specs), out);
            assertEquals(expected, LtxSpec.decode(out.toByteArray(), "bound " + bound));
            assertTrue(opened.most <= bound, opened.most + " were open");
            assertEquals(0, spool.alive());
        }
    }

    @Test
    void oneInputTooManySpoolsTheTwoNewestOnly() throws Exception {
        LtxSpec old = LtxSpec.of(512, 1, 1, 40);
        for (int page = 1; page <= 40; page++) {
            old = old.page(page, page);
        }
        LtxSpec[] specs = {
            old, LtxSpec.of(512, 2, 2, 40).page(5, 1), LtxSpec.of(512, 3, 3, 40).page(5, 2)
        };
        compactor(2).compact(inputs(specs), OutputStream.nullOutputStream());
        assertEquals(1, spool.made());
        byte[] newest = LtxSpec.of(512, 2, 3, 40).page(5, 2).encode();
        assertEquals(newest.length, spool.writtenBytes());
    }

    @Test
    void inputsAreCheckedAgainstTheirNeighboursAlsoInAnotherGroup() throws Exception {
        LtxSpec one = LtxSpec.of(512, 1, 5, 1).page(1, 1);
        LtxSpec contained = LtxSpec.of(512, 3, 4, 1);
        LtxSpec three = LtxSpec.of(512, 5, 6, 1);
        for (int bound : new int[] {2, 3}) {
            List<Input> inputs = inputs(one, contained, three);
            assertThrows(
                    CorruptDataException.class,
                    () -> compactor(bound).compact(inputs, OutputStream.nullOutputStream()));
        }
    }

    @Test
    void failuresOfStreamsArePassedOnAndEverythingIsClosed() throws Exception {
        LtxSpec[] specs = new LtxSpec[6];
        for (int i = 0; i < specs.length; i++) {
            specs[i] = LtxSpec.of(512, i + 2, i + 2, 9).page(i + 1, i);
        }
        IOException failure = new IOException("the network is down");
        for (int bound : new int[] {2, 3, 6}) {
            for (int failing = 0; failing < specs.length; failing++) {
                int at = failing;
                byte[] file = specs[failing].encode();
                List<Input> reading = inputs(specs);
                reading.set(
                        failing,
                        new Input(
                                "failing",
                                () -> opened.track(
                                        FailingStreams.input(new ByteArrayInputStream(file), 10L * at + 90, failure))));
                assertSame(failure, compactFails(bound, reading, OutputStream.nullOutputStream()));
                List<Input> opening = inputs(specs);
                opening.set(failing, new Input("failing", () -> {
                    throw failure;
                }));
                assertSame(failure, compactFails(bound, opening, OutputStream.nullOutputStream()));
                OutputStream out = FailingStreams.output(OutputStream.nullOutputStream(), 30L * failing, failure);
                assertSame(failure, compactFails(bound, inputs(specs), out));
            }
        }
    }

    private IOException compactFails(int bound, List<Input> inputs, OutputStream out) {
        IOException e = assertThrows(IOException.class, () -> compactor(bound).compact(inputs, out));
        everythingIsClosed();
        return e;
    }

    @Test
    void failingSpoolFailsTheMergeAndIsCleanedUp() throws Exception {
        LtxSpec[] specs = new LtxSpec[9];
        for (int i = 0; i < specs.length; i++) {
            specs[i] = LtxSpec.of(512, i + 2, i + 2, 9).page(i + 1, i);
        }
        IOException failure = new IOException("the disk is full");
        spool.failWriting(failure);
        assertSame(failure, compactFails(3, inputs(specs), OutputStream.nullOutputStream()));
    }

    @Test
    void interruptionEndsTheMergeWithEverythingClosed() throws Exception {
        byte[] page = new byte[4096];
        LtxSpec large = LtxSpec.of(4096, 1, 1, 2000);
        TreeMap<Integer, byte[]> pages = new TreeMap<>();
        for (int number = 1; number <= 2000; number++) {
            pages.put(number, page);
        }
        List<Input> inputs =
                inputs(large.pages(pages), LtxSpec.of(4096, 2, 2, 2000).page(7, 7));
        CodecResources resources = new CodecResources(3);
        Thread.currentThread().interrupt();
        assertThrows(
                InterruptedException.class,
                () -> new Compactor(resources, 4, spool).compact(inputs, OutputStream.nullOutputStream()));
        for (int i = 0; i < 3; i++) {
            assertTrue(resources.tryPipeline().isPresent(), "a second thread was not given back");
        }
    }
}
