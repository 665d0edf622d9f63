package io.loomstream.engine.wal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.testing.Seed;
import io.loomstream.engine.testing.WalSpec;
import io.loomstream.engine.wal.WalReader.Broken;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WalReaderTest {
    /** Transactions that end with frames 2, 3 and 6, and one that does not end. */
    private static WalSpec sample(int pageSize) {
        return WalSpec.of(pageSize, 11, 12)
                .frame(1, 0, 1)
                .frame(2, 2, 2)
                .frame(1, 2, 3)
                .frame(2, 0, 4)
                .frame(5, 0, 5)
                .frame(3, 5, 6)
                .frame(1, 0, 7)
                .frame(6, 0, 8);
    }

    private static WalBytes bytes(WalSpec spec) {
        return new WalBytes(spec.encode());
    }

    private static Map<Integer, Integer> map(PageMap pages) {
        Map<Integer, Integer> map = new HashMap<>();
        for (int page : pages.pageNumbersSorted()) {
            map.put(page, pages.frameOf(page));
        }
        return map;
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 1024, 2048, 4096, 8192, 16384, 32768, 65536})
    void lastFrameOfEachPageUpToTheLastCommitCounts(int pageSize) throws Exception {
        for (WalSpec spec : new WalSpec[] {sample(pageSize), sample(pageSize).bigEndian()}) {
            WalBatch batch = bytes(spec).recovered();
            assertEquals(Map.of(1, 3, 2, 4, 5, 5, 3, 6), map(batch.pages()));
            assertEquals(5, batch.commitPages());
            assertEquals(6, batch.lastFrame());
            assertFalse(batch.limited());
            assertEquals(
                    Optional.of(batch.checksum()),
                    WalReader.storedChecksum(bytes(spec), bytes(spec).header(), 6));
        }
    }

    @Test
    void pagesAboveTheLastSizeAreDropped() throws Exception {
        WalBatch batch = bytes(sample(512).frame(2, 2, 9)).recovered();
        assertEquals(Map.of(1, 7, 2, 9), map(batch.pages()));
        assertEquals(2, batch.commitPages());
    }

    @Test
    void walWithoutACommitGivesNothing() throws Exception {
        for (WalSpec spec :
                new WalSpec[] {WalSpec.of(512, 1, 2), WalSpec.of(512, 1, 2).frame(1, 0, 1)}) {
            WalBatch batch = bytes(spec).recovered();
            assertEquals(0, batch.pages().size());
            assertEquals(0, batch.commitPages());
            assertEquals(0, batch.lastFrame());
            assertEquals(bytes(spec).header().checksum(), batch.checksum());
        }
    }

    @Test
    void framesBehindTheGivenLastOneAreIgnored() throws Exception {
        WalBatch batch = (WalBatch) bytes(sample(512)).upTo(3);
        assertEquals(Map.of(1, 3, 2, 2), map(batch.pages()));
        assertEquals(2, batch.commitPages());
        assertEquals(3, batch.lastFrame());
    }

    @Test
    void givenLastFrameMustBeACommitThatIsThere() throws Exception {
        assertEquals(
                4, assertInstanceOf(Broken.class, bytes(sample(512)).upTo(4)).frame());
        assertEquals(
                8, assertInstanceOf(Broken.class, bytes(sample(512)).upTo(8)).frame());
        assertEquals(
                9, assertInstanceOf(Broken.class, bytes(sample(512)).upTo(9)).frame());
        WalHeader header = bytes(sample(512)).header();
        FrameChecksum atSix = bytes(sample(512)).recovered().checksum();
        assertInstanceOf(Broken.class, WalReader.read(bytes(sample(512)), header, new WalPosition(6, atSix), 3, 0));
    }

    @Test
    void readingNothingNewGivesAnEmptyBatchAtTheSamePlace() throws Exception {
        WalBytes wal = bytes(sample(512));
        WalPosition end = new WalPosition(6, wal.recovered().checksum());
        WalBatch batch = (WalBatch) WalReader.read(wal, wal.header(), end, 6, 0);
        assertEquals(0, batch.pages().size());
        assertEquals(6, batch.lastFrame());
        assertEquals(end.checksum(), batch.checksum());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 536, 537, 1072, 1609, 1 << 20})
    void boundedBatchesTogetherGiveTheWholeAndEndAtCommits(int maxBytes) throws Exception {
        WalBytes wal = bytes(sample(512));
        Map<Integer, Integer> together = new HashMap<>();
        WalPosition from = WalBytes.start(wal.header());
        int batches = 0;
        while (from.frame() < 6) {
            WalBatch batch = (WalBatch) WalReader.read(wal, wal.header(), from, 6, maxBytes);
            assertTrue(batch.lastFrame() == 2 || batch.lastFrame() == 3 || batch.lastFrame() == 6);
            assertEquals(batch.lastFrame() < 6, batch.limited());
            together.putAll(map(batch.pages()));
            from = new WalPosition(batch.lastFrame(), batch.checksum());
            batches++;
        }
        assertEquals(map(wal.recovered().pages()), together);
        assertEquals(wal.recovered().checksum(), from.checksum());
        assertEquals(maxBytes == 1 ? 3 : maxBytes == 0 || maxBytes > 1608 ? 1 : maxBytes <= 536 ? 3 : 2, batches);
    }

    @Test
    void everyChainOfReadingsFromEveryCommitGivesTheSame() throws Exception {
        Random random = Seed.random("everyChain");
        for (int round = 0; round < 100; round++) {
            WalSpec spec = WalSpec.of(512, random.nextInt(), random.nextInt());
            int frames = 1 + random.nextInt(60);
            for (int i = 0; i < frames; i++) {
                byte[] page = new byte[512];
                random.nextBytes(page);
                spec = spec.frame(1 + random.nextInt(10), random.nextInt(3) == 0 ? 10 : 0, page);
            }
            WalBytes wal = bytes(random.nextBoolean() ? spec : spec.bigEndian());
            WalBatch whole = wal.recovered();
            Map<Integer, Integer> together = new HashMap<>();
            WalPosition from = WalBytes.start(wal.header());
            boolean more = true;
            while (more) {
                WalBatch batch = (WalBatch)
                        WalReader.read(wal, wal.header(), from, WalReader.TO_THE_END, 1 + random.nextInt(20 * 536));
                together.putAll(map(batch.pages()));
                more = batch.lastFrame() > from.frame();
                from = new WalPosition(batch.lastFrame(), batch.checksum());
            }
            assertEquals(map(whole.pages()), together);
            assertEquals(whole.lastFrame(), from.frame());
            assertEquals(whole.checksum(), from.checksum());
        }
    }

    @Test
    void wrongSeedIsAWrongFirstFrame() throws Exception {
        WalBytes wal = bytes(sample(512));
        WalPosition wrong = new WalPosition(3, new FrameChecksum(1, 2));
        assertEquals(
                4,
                assertInstanceOf(Broken.class, WalReader.read(wal, wal.header(), wrong, 6, 0))
                        .frame());
        WalBatch batch = (WalBatch) WalReader.read(wal, wal.header(), wrong, WalReader.TO_THE_END, 0);
        assertEquals(0, batch.pages().size());
        assertEquals(3, batch.lastFrame());
    }

    @Test
    void staleFramesOfTheWalBeforeAreNotRead() throws Exception {
        byte[] old = sample(512).encode();
        byte[] young = WalSpec.of(512, 12, 99).frame(1, 3, 50).frame(2, 0, 51).encode();
        byte[] file = old.clone();
        System.arraycopy(young, 0, file, 0, young.length);

        WalBatch batch = new WalBytes(file).recovered();
        assertEquals(Map.of(1, 1), map(batch.pages()));
        assertEquals(3, batch.commitPages());
        Broken broken = assertInstanceOf(Broken.class, new WalBytes(file).upTo(6));
        assertEquals(new Broken(3, "its salts are another WAL's"), broken);
    }

    @Test
    void tornFileEndsAtTheCommitBeforeTheTear() throws Exception {
        byte[] whole = sample(512).encode();
        for (int length = WalHeader.SIZE_BYTES; length <= whole.length; length++) {
            WalBatch batch = new WalBytes(Arrays.copyOf(whole, length)).recovered();
            int frames = (length - WalHeader.SIZE_BYTES) / 536;
            assertEquals(frames >= 6 ? 6 : frames >= 3 ? 3 : frames >= 2 ? 2 : 0, batch.lastFrame());
        }
    }

    @Test
    void everyFlippedBitOfAFrameEndsTheWalThere() throws Exception {
        byte[] whole = sample(512).encode();
        for (int bit = WalHeader.SIZE_BYTES * 8; bit < whole.length * 8; bit += 1 + bit % 7) {
            byte[] damaged = whole.clone();
            damaged[bit / 8] ^= (byte) (1 << (bit % 8));
            int frame = (bit / 8 - WalHeader.SIZE_BYTES) / 536 + 1;
            WalBatch batch = new WalBytes(damaged).recovered();
            assertEquals(frame > 6 ? 6 : frame > 3 ? 3 : frame > 2 ? 2 : 0, batch.lastFrame(), "bit " + bit);
            if (frame <= 6) {
                assertEquals(
                        frame,
                        assertInstanceOf(Broken.class, new WalBytes(damaged).upTo(6))
                                .frame());
            }
        }
    }

    @Test
    void frameForPageZeroIsTheEnd() throws Exception {
        WalBytes wal = bytes(sample(512).frame(0, 5, 1).frame(1, 5, 1));
        assertEquals(6, wal.recovered().lastFrame());
        assertInstanceOf(Broken.class, wal.upTo(10));
    }

    @Test
    void readErrorIsPassedOn() {
        WalBytes wal = bytes(sample(512));
        IOException failure = new IOException("the disk is gone");
        WalSource failing = (position, buffer, offset, length) -> {
            throw failure;
        };
        assertSame(
                failure,
                assertThrows(
                        IOException.class,
                        () -> WalReader.read(failing, wal.header(), WalBytes.start(wal.header()), 6, 0)));
    }

    @Test
    void storedChecksumIsThatOfThisWalOnly() throws Exception {
        WalBytes wal = bytes(sample(512));
        WalHeader header = wal.header();
        assertEquals(Optional.of(header.checksum()), WalReader.storedChecksum(wal, header, 0));
        assertTrue(WalReader.storedChecksum(wal, header, 8).isPresent());
        assertEquals(Optional.empty(), WalReader.storedChecksum(wal, header, 9));
        WalHeader other = bytes(WalSpec.of(512, 1, 2)).header();
        assertEquals(Optional.empty(), WalReader.storedChecksum(wal, other, 1));
    }

    @Test
    void lastFramesOfWantedPagesAreFound() throws Exception {
        WalBytes wal = bytes(sample(512));
        assertEquals(
                Map.of(1, 3, 5, 5), map(WalReader.lastFrames(wal, wal.header(), 1, 6, page -> page == 1 || page == 5)));
        assertEquals(Map.of(1, 3), map(WalReader.lastFrames(wal, wal.header(), 2, 4, page -> page == 1)));
        assertEquals(Map.of(6, 8), map(WalReader.lastFrames(wal, wal.header(), 7, 100, page -> page == 6)));
    }

    @Test
    void walLargerThanAChunkIsReadWhole() throws Exception {
        ByteArrayOutputStream pages = new ByteArrayOutputStream();
        WalSpec spec = WalSpec.of(65536, 3, 4);
        for (int page = 1; page <= 11; page++) {
            spec = spec.frame(page, page == 11 ? 11 : 0, page);
            pages.write(page);
        }
        WalBytes wal = bytes(spec);
        assertEquals(11, wal.recovered().lastFrame());
        byte[] database = wal.appliedTo(new byte[0]);
        assertEquals(11 * 65536, database.length);
        for (int page = 0; page < 11; page++) {
            assertEquals(page + 1, database[page * 65536 + 100]);
        }
    }

    @Test
    void pageMapAnswersAsAHashMap() {
        Random random = Seed.random("pageMap");
        for (int round = 0; round < 20; round++) {
            PageMap map = new PageMap();
            Map<Integer, Integer> expected = new HashMap<>();
            int range = 1 << (1 + random.nextInt(30));
            for (int i = 1; i <= 2000; i++) {
                int page = 1 + random.nextInt(range);
                map.put(page, i);
                expected.put(page, i);
            }
            assertEquals(expected, map(map));
            assertEquals(expected.size(), map.size());
            assertArrayEquals(
                    expected.keySet().stream().mapToInt(i -> i).sorted().toArray(), map.pageNumbersSorted());
            int limit = 1 + random.nextInt(range);
            PageMap below = map.upTo(limit);
            expected.keySet().removeIf(page -> page > limit);
            assertEquals(expected, map(below));
            assertEquals(0, map.frameOf(Integer.MAX_VALUE));
            map.clear();
            assertEquals(0, map.size());
            assertEquals(0, map.frameOf(1));
        }
    }
}
