package io.loomstream.engine.ltx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.testing.FailingStreams;
import io.loomstream.engine.testing.LtxSpec;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Random;
import net.jpountz.lz4.LZ4FrameOutputStream.FLG;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of older writers hold each page as an LZ4 frame with a content checksum; both kinds may stand in one file. */
class LegacyFramesTest {
    static byte[] frame(byte[] page) {
        return RawLtx.lz4Frame(page, FLG.Bits.BLOCK_INDEPENDENCE, FLG.Bits.CONTENT_CHECKSUM);
    }

    private static byte[] content(int pageSize, int seed) {
        return RoundTripTest.content(new Random(seed), pageSize);
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 4096, 65536})
    void bothKindsOfFramesAreReadFromOneFile(int pageSize) throws Exception {
        byte[] one = content(pageSize, 1);
        byte[] two = content(pageSize, 2);
        byte[] three = content(pageSize, 3);
        byte[] file = RawLtx.plain(pageSize, 4, 1, 1)
                .legacyPage(1, frame(one), one)
                .page(2, two)
                .legacyPage(3, frame(three), three)
                .legacyPage(4, frame(one), one)
                .end();

        LtxSpec expected = LtxSpec.of(LtxSpec.decode(file, "mixed").header())
                .page(1, one)
                .page(2, two)
                .page(3, three)
                .page(4, one);
        assertEquals(expected, LtxSpec.decode(file, "mixed"));
    }

    @Test
    void manyFramesAreReadAheadToo() throws Exception {
        RawLtx raw = RawLtx.plain(4096, 200, 1, 1);
        LtxSpec expected = null;
        for (int page = 1; page <= 200; page++) {
            byte[] bytes = content(4096, page);
            raw.legacyPage(page, frame(bytes), bytes);
            expected = (expected == null ? LtxSpec.of(4096, 1, 1, 200) : expected).page(page, bytes);
        }
        LtxSpec decoded = LtxSpec.decode(raw.end(), "many");
        assertEquals(LtxSpec.of(decoded.header()).pages(expected.pages()), decoded);
    }

    @Test
    void frameWithoutContentChecksumIsRefused() {
        byte[] page = content(512, 1);
        refused(RawLtx.lz4Frame(page, FLG.Bits.BLOCK_INDEPENDENCE), page);
    }

    @Test
    void frameOfAnotherLengthIsRefused() {
        byte[] page = content(512, 1);
        refused(frame(Arrays.copyOf(page, 511)), page);
        refused(frame(Arrays.copyOf(page, 513)), page);
        refused(frame(new byte[0]), page);
    }

    @Test
    void damagedFrameIsRefusedAtEveryByte() {
        byte[] page = content(512, 1);
        byte[] frame = frame(page);
        for (int i = 0; i < frame.length; i++) {
            byte[] damaged = frame.clone();
            damaged[i] ^= (byte) 0xFF;
            refused(damaged, page);
        }
    }

    private static void refused(byte[] frame, byte[] hashed) {
        byte[] file = RawLtx.plain(512, 1, 1, 1).legacyPage(1, frame, hashed).end();
        assertThrows(CorruptDataException.class, () -> LtxSpec.decode(file, "legacy"));
    }

    @Test
    void failingStreamIsNotTakenForDamage() {
        byte[] page = content(512, 1);
        byte[] file =
                RawLtx.plain(512, 1, 1, 1).legacyPage(1, frame(page), page).end();
        IOException failure = new IOException("the network is down");
        InputStream in = FailingStreams.input(new ByteArrayInputStream(file), 200, failure);
        assertSame(
                failure, assertThrows(IOException.class, () -> LtxSpec.decode(in, "legacy", CodecResources.shared())));
    }
}
