package io.loomstream.engine.ltx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.testing.LtxSpec;
import io.loomstream.engine.testing.Seed;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever happens to a file's bytes, reading it ends in the error that says so, and costs no more than a good file. */
class DamageTest {
    /** Buffers of a decoder and a read-ahead; a length taken from a damaged file would be far above. */
    private static final long ALLOCATED_BYTES_MAX = 16 << 20;

    static Stream<byte[]> files() throws Exception {
        return Stream.of(
                snapshot().encode(),
                LtxSpec.of(1024, 5, 9, 1000)
                        .page(2, 7)
                        .page(500, 8)
                        .page(999, 9)
                        .encode(),
                LtxSpec.of(512, 2, 2, 1).encode(),
                legacyFile());
    }

    private static LtxSpec snapshot() {
        Random random = new Random(4);
        LtxSpec spec = LtxSpec.of(512, 1, 4, 6);
        for (int page = 1; page <= 6; page++) {
            spec = spec.page(page, RoundTripTest.content(random, 512));
        }
        return spec;
    }

    private static byte[] legacyFile() {
        byte[] page = RoundTripTest.content(new Random(5), 512);
        return RawLtx.plain(512, 2, 1, 1)
                .legacyPage(1, LegacyFramesTest.frame(page), page)
                .page(2, page)
                .end();
    }

    @ParameterizedTest
    @MethodSource("files")
    void truncationAtEveryByteIsReportedThere(byte[] file) {
        for (int length = 0; length < file.length; length++) {
            byte[] cut = Arrays.copyOf(file, length);
            CorruptDataException e =
                    assertThrows(CorruptDataException.class, () -> LtxSpec.decode(cut, "cut"), "at byte " + length);
            assertTrue(e.offset() >= 0 && e.offset() <= length, e.getMessage());
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void everyFlippedBitIsNoticedOrChangesNothing(byte[] file) throws Exception {
        LtxSpec whole = LtxSpec.decode(file, "whole");
        int harmless = 0;
        for (int bit = 0; bit < file.length * 8; bit++) {
            byte[] damaged = file.clone();
            damaged[bit / 8] ^= (byte) (1 << (bit % 8));
            harmless += noticedOrEqual(damaged, whole) ? 0 : 1;
        }
        assertTrue(harmless * 50L < file.length * 8L, harmless + " bits changed nothing");
    }

    @ParameterizedTest
    @MethodSource("files")
    void muchDamageIsNoticedOrChangesNothing(byte[] file) throws Exception {
        LtxSpec whole = LtxSpec.decode(file, "whole");
        Random random = Seed.random("muchDamage");
        int noticed = 0;
        for (int round = 0; round < 3000; round++) {
            noticed += noticedOrEqual(damage(file, random), whole) ? 1 : 0;
        }
        assertTrue(noticed > 2000, noticed + " noticed");
    }

    /**
     * Of the compressed form the file's checksum knows nothing. A match in a run of equal bytes, for one, may have any
     * distance: such a file is another one with the same content.
     */
    private static boolean noticedOrEqual(byte[] damaged, LtxSpec whole) throws Exception {
        try {
            assertEquals(whole, LtxSpec.decode(damaged, "damaged"));
            return false;
        } catch (CorruptDataException e) {
            assertEquals("damaged", e.source());
            assertTrue(e.offset() >= 0 && e.offset() <= damaged.length, e.getMessage());
            return true;
        }
    }

    private static byte[] damage(byte[] file, Random random) {
        byte[] damaged = file.clone();
        int at = random.nextInt(file.length);
        int length = Math.min(file.length - at, 1 + random.nextInt(40));
        switch (random.nextInt(4)) {
            case 0 -> Arrays.fill(damaged, at, at + length, (byte) 0);
            case 1 -> Arrays.fill(damaged, at, at + length, (byte) 0xFF);
            case 2 -> System.arraycopy(file, random.nextInt(file.length - length + 1), damaged, at, length);
            default -> {
                for (int i = at; i < at + length; i++) {
                    damaged[i] = (byte) random.nextInt();
                }
            }
        }
        return damaged;
    }

    @Test
    void nonsenseUnderARightIndexAndChecksumIsReadOrRefused() throws Exception {
        Random random = Seed.random("nonsense");
        int read = 0;
        int refused = 0;
        for (int round = 0; round < 20_000; round++) {
            byte[] file = nonsense(random);
            try {
                LtxSpec.decode(file, "nonsense");
                read++;
            } catch (CorruptDataException e) {
                assertTrue(e.offset() >= 0 && e.offset() <= file.length, e.getMessage());
                refused++;
            }
        }
        assertTrue(read > 0 && refused > 0, read + " read, " + refused + " refused");
    }

    /** Few pages, half of them right; else wrong numbers, flags and blocks. */
    private static byte[] nonsense(Random random) {
        int commit = 1 + random.nextInt(4);
        RawLtx raw = RawLtx.plain(512, commit, 1 + random.nextInt(2), 2);
        int pages = random.nextInt(commit + 2);
        for (int i = 1; i <= pages; i++) {
            byte[] page = RoundTripTest.content(random, 512);
            byte[] block = RawLtx.literalRun(page);
            int number = i;
            int flags = 1;
            switch (random.nextInt(10)) {
                case 0 -> number = random.nextInt(6) - 1;
                case 1 -> number = random.nextBoolean() ? Integer.MAX_VALUE : LockPage.of(512);
                case 2 -> flags = random.nextInt(4);
                case 3 -> block = Arrays.copyOf(block, random.nextInt(600));
                case 4 -> random.nextBytes(block);
                case 5 -> block[random.nextInt(block.length)] = (byte) random.nextInt();
                default -> {}
            }
            raw.page(number, flags, block, page);
        }
        return raw.end();
    }

    @Test
    void hostileLengthsAllocateNoMoreThanTheBuffers() throws Exception {
        byte[] page = new byte[512];
        List<byte[]> files = List.of(
                lengthOf(Integer.MAX_VALUE),
                lengthOf(-1),
                lengthOf(0x7FFFFFF0),
                RawLtx.plain(512, Integer.MAX_VALUE, 2, 2).page(1, page).end(),
                RawLtx.plain(65536, Integer.MAX_VALUE, 1, 1).end(),
                withIndexLength(Long.MAX_VALUE),
                withIndexLength(-1));
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        for (byte[] file : files) {
            long before = threads.getCurrentThreadAllocatedBytes();
            try {
                LtxSpec.decode(file, "hostile");
            } catch (CorruptDataException expected) {
                assertTrue(expected.offset() >= 0);
            }
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;
            assertTrue(allocated < ALLOCATED_BYTES_MAX, allocated + " bytes allocated");
        }
    }

    private static byte[] lengthOf(int compressedBytes) {
        byte[] file = RawLtx.plain(512, 1, 1, 1).page(1, new byte[512]).end();
        ByteBuffer.wrap(file).putInt(106, compressedBytes);
        return file;
    }

    private static byte[] withIndexLength(long length) {
        byte[] file = RawLtx.plain(512, 1, 1, 1).page(1, new byte[512]).end();
        ByteBuffer.wrap(file).putLong(file.length - 24, length);
        return file;
    }
}
