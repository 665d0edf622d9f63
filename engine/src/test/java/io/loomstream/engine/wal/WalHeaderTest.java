package io.loomstream.engine.wal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.loomstream.engine.testing.WalSpec;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WalHeaderTest {
    @ParameterizedTest
    @ValueSource(ints = {512, 1024, 2048, 4096, 8192, 16384, 32768, 65536})
    void bothByteOrdersOfEveryPageSizeAreRead(int pageSize) {
        WalSpec spec = WalSpec.of(pageSize, 0x89ABCDEF, 0x01234567);
        WalHeader little = new WalBytes(spec.encode()).header();
        WalHeader big = new WalBytes(spec.bigEndian().encode()).header();

        assertEquals(new WalSalts(0x89ABCDEF, 0x01234567), little.salts());
        assertEquals("89abcdef01234567", little.salts().toString());
        assertEquals(pageSize, little.pageSize());
        assertEquals(false, little.bigEndianChecksums());
        assertEquals(true, big.bigEndianChecksums());
        assertEquals(pageSize, big.pageSize());
    }

    @Test
    void everyFlippedBitMakesItInvalid() {
        byte[] bytes = WalSpec.of(4096, 7, 8).encode();
        for (int bit = 0; bit < bytes.length * 8; bit++) {
            byte[] damaged = bytes.clone();
            damaged[bit / 8] ^= (byte) (1 << (bit % 8));
            assertEquals(Optional.empty(), WalHeader.parse(damaged), "bit " + bit);
        }
    }

    @Test
    void partOfAHeaderIsNone() {
        byte[] bytes = WalSpec.of(4096, 7, 8).encode();
        for (int length = 0; length < bytes.length; length++) {
            assertEquals(Optional.empty(), WalHeader.parse(Arrays.copyOf(bytes, length)));
        }
    }

    @Test
    void wrongPageSizeIsRefusedUnderARightChecksum() {
        for (int pageSize : new int[] {0, 1, 256, 513, 131072, Integer.MIN_VALUE}) {
            assertEquals(
                    Optional.empty(), WalHeader.parse(WalSpec.of(pageSize, 1, 2).encode()));
        }
    }

    @Test
    void offsetsAndFramesConvertIntoEachOther() {
        WalHeader header = new WalBytes(WalSpec.of(4096, 1, 2).encode()).header();
        assertEquals(32, header.frameOffset(1));
        assertEquals(56, header.pageOffset(1));
        assertEquals(32, header.endOfFrame(0));
        assertEquals(0, header.frameEndingAt(32));
        for (int frame : new int[] {1, 2, 1000, 1_000_000, Integer.MAX_VALUE - 1}) {
            assertEquals(header.frameOffset(frame + 1), header.endOfFrame(frame));
            assertEquals(frame, header.frameEndingAt(header.endOfFrame(frame)));
        }
        for (long offset : new long[] {-1, 0, 31, 33, 4151, Long.MAX_VALUE, Long.MIN_VALUE, 32 + 4120L * (1L << 31)}) {
            assertThrows(IllegalArgumentException.class, () -> header.frameEndingAt(offset));
        }
    }

    @Test
    void checksumIsThatOfTheDescription() {
        // Two words and two more, by hand: s1 = w0, s2 = w1 + s1; then s1 += w2 + s2, s2 += w3 + s1.
        byte[] words = ByteBuffer.allocate(16)
                .putInt(1)
                .putInt(2)
                .putInt(3)
                .putInt(0x80000000)
                .array();
        WalChecksum sum = new WalChecksum(true, FrameChecksum.START);
        sum.add(words, 0, 8);
        sum.add(words, 8, 8);
        assertEquals(new FrameChecksum(7, 0x80000000 + 10), sum.value());
        WalChecksum little = new WalChecksum(false, FrameChecksum.START);
        little.add(words, 0, 16);
        assertEquals(
                new FrameChecksum(0x01000000 + 0x03000000 + 0x03000000, 0x80 + 0x03000000 + 0x07000000),
                little.value());
    }
}
