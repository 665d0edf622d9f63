package io.loomstream.engine.ltx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.loomstream.engine.testing.LtxSpec;
import io.loomstream.engine.testing.Seed;
import io.loomstream.engine.wal.WalSalts;
import java.io.ByteArrayInputStream;
import java.io.OutputStream;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is encoded decodes to itself; what may not be in a file is refused by the encoder. */
class RoundTripTest {
    static Stream<Integer> pageSizes() {
        return IntStream.rangeClosed(9, 16).mapToObj(power -> 1 << power);
    }

    @ParameterizedTest
    @MethodSource("pageSizes")
    void everyFileDecodesToWhatWasEncoded(int pageSize) throws Exception {
        Random random = Seed.random("roundTrip/" + pageSize);
        for (int round = 0; round < 12; round++) {
            LtxSpec spec = random.nextBoolean() ? snapshot(random, pageSize) : increment(random, pageSize);
            assertEquals(spec, LtxSpec.decode(spec.encode(), "round " + round));
        }
    }

    @ParameterizedTest
    @MethodSource("pageSizes")
    void pagesAroundTheLockPageRoundTripWithoutIt(int pageSize) throws Exception {
        int lockPage = LockPage.of(pageSize);
        LtxSpec spec = LtxSpec.of(pageSize, 2, 3, lockPage + 1)
                .page(1, 1)
                .page(lockPage - 1, 2)
                .page(lockPage + 1, 3);
        assertEquals(spec, LtxSpec.decode(spec.encode(), "around the lock page"));
        assertThrows(
                IllegalArgumentException.class, () -> spec.page(lockPage, 4).encode());
    }

    @Test
    void snapshotBeyondOneGibibyteLeavesTheLockPageOut() throws Exception {
        int pageSize = 65536;
        int lockPage = LockPage.of(pageSize);
        for (int commit : new int[] {lockPage - 1, lockPage, lockPage + 1}) {
            TreeMap<Integer, byte[]> pages = new TreeMap<>();
            byte[] zeros = new byte[pageSize];
            for (int page = 1; page <= commit; page++) {
                pages.put(page, zeros);
            }
            pages.remove(lockPage);
            byte[] file = LtxSpec.of(pageSize, 1, 9, commit).pages(pages).encode();
            try (LtxDecoder decoder =
                    new LtxDecoder(new ByteArrayInputStream(file), "snapshot", CodecResources.shared())) {
                byte[] buffer = new byte[pageSize];
                int last = 0;
                int count = 0;
                for (int page = decoder.nextPage(buffer, 0); page != 0; page = decoder.nextPage(buffer, 0)) {
                    last = page;
                    count++;
                }
                decoder.finish();
                assertEquals(pages.lastKey(), last);
                assertEquals(pages.size(), count);
            }
        }
    }

    @Test
    void fileWithoutPagesRoundTrips() throws Exception {
        LtxSpec spec = LtxSpec.of(4096, 7, 7, 3);
        assertEquals(spec, LtxSpec.decode(spec.encode(), "no pages"));
    }

    @Test
    void encoderRefusesWhatItsReaderWould() throws Exception {
        LtxSpec increment = LtxSpec.of(512, 2, 2, 5);
        refused(increment, 0);
        refused(increment, -1);
        refused(increment, 6);
        refused(increment, 3, 3);
        refused(increment, 3, 2);
        LtxSpec snapshot = LtxSpec.of(512, 1, 1, 3);
        refused(snapshot, 2);
        refused(snapshot, 1, 3);
        assertThrows(
                IllegalStateException.class,
                () -> snapshot.page(1, 1).page(2, 2).encode());
    }

    private static void refused(LtxSpec spec, int... numbers) throws Exception {
        try (LtxEncoder encoder =
                new LtxEncoder(OutputStream.nullOutputStream(), spec.header(), CodecResources.shared())) {
            byte[] page = new byte[512];
            for (int i = 0; i < numbers.length - 1; i++) {
                encoder.page(numbers[i], page, 0);
            }
            int last = numbers[numbers.length - 1];
            assertThrows(IllegalArgumentException.class, () -> encoder.page(last, page, 0));
        }
    }

    @Test
    void encoderWritesNoRollingChecksums() {
        LtxHeader header = new LtxHeader(0, 512, 1, TxidRange.of(Txid.ONE), 0, 0, 0, 0, WalSalts.NONE, 0);
        assertThrows(
                IllegalArgumentException.class,
                () -> new LtxEncoder(OutputStream.nullOutputStream(), header, CodecResources.shared()).close());
    }

    @Test
    void finishedEncoderTakesNothingMore() throws Exception {
        LtxSpec spec = LtxSpec.of(512, 2, 2, 5);
        LtxEncoder encoder = new LtxEncoder(OutputStream.nullOutputStream(), spec.header(), CodecResources.shared());
        encoder.page(1, new byte[512], 0);
        encoder.finish();
        assertThrows(IllegalStateException.class, encoder::finish);
        assertThrows(IllegalStateException.class, () -> encoder.page(2, new byte[512], 0));
        encoder.close();
    }

    private static LtxSpec snapshot(Random random, int pageSize) {
        int commit = 1 + random.nextInt(20);
        LtxSpec spec = LtxSpec.of(header(random, pageSize, 1, commit));
        for (int page = 1; page <= commit; page++) {
            spec = spec.page(page, content(random, pageSize));
        }
        return spec;
    }

    private static LtxSpec increment(Random random, int pageSize) {
        int commit = 1 + random.nextInt(Integer.MAX_VALUE - 1);
        LtxSpec spec = LtxSpec.of(header(random, pageSize, 2 + random.nextInt(1000), commit));
        int pages = random.nextInt(20);
        for (int i = 0; i < pages; i++) {
            int page = 1 + random.nextInt(commit);
            if (page != LockPage.of(pageSize)) {
                spec = spec.page(page, content(random, pageSize));
            }
        }
        return spec;
    }

    private static LtxHeader header(Random random, int pageSize, long min, int commit) {
        TxidRange range = new TxidRange(new Txid(min), new Txid(min + random.nextInt(50)));
        boolean ofWal = random.nextBoolean();
        return LtxHeader.of(
                pageSize,
                commit,
                range,
                random.nextLong(),
                ofWal ? 32 + random.nextInt(1 << 20) : 0,
                ofWal ? random.nextInt(1 << 20) : 0,
                ofWal ? new WalSalts(random.nextInt(), random.nextInt()) : WalSalts.NONE);
    }

    /** Anything from noise to one byte repeated. */
    static byte[] content(Random random, int pageSize) {
        byte[] bytes = new byte[pageSize];
        random.nextBytes(bytes);
        int noise = random.nextInt(3) * pageSize / 2;
        for (int i = noise; i < pageSize; i++) {
            bytes[i] = (byte) (i % (1 + random.nextInt(2)));
        }
        return bytes;
    }
}
