package io.loomstream.engine.ltx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.testing.LtxSpec;
import io.loomstream.engine.testing.Seed;
import io.loomstream.engine.wal.WalSalts;
import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Values that other implementations of the format agree on, to the byte. */
class VectorsTest {
    private static final long FLAG = 1L << 63;

    @Test
    void crcOfTheCheckStringIsTheCataloguedValue() {
        assertEquals("b90956c775a41001", hex(crc("123456789".getBytes(StandardCharsets.US_ASCII))));
    }

    @Test
    void slicedCrcEqualsTheBitwiseOneAtEveryLengthAndOffset() {
        Random random = Seed.random("slicedCrc");
        byte[] bytes = new byte[300];
        random.nextBytes(bytes);
        for (int length = 0; length < 200; length++) {
            int offset = random.nextInt(100);
            Crc64 crc = new Crc64();
            int first = random.nextInt(length + 1);
            crc.update(bytes, offset, first);
            crc.update(bytes, offset + first, length - first);
            byte[] part = Arrays.copyOfRange(bytes, offset, offset + length);
            assertEquals(~RawLtx.bitwise(-1, part), crc.value(), "length " + length);
        }
    }

    @Test
    void crcStartsAnewAfterReset() {
        Crc64 crc = new Crc64();
        crc.update(new byte[20], 0, 20);
        crc.reset();
        byte[] check = "123456789".getBytes(StandardCharsets.US_ASCII);
        crc.update(check, 0, check.length);
        assertEquals("b90956c775a41001", hex(crc.value()));
    }

    @Test
    void pageAndRollingChecksumsAreThoseOfLitestream() {
        assertEquals("eb953fc47685d740", hex(pageChecksum(1, 1024, 0x81)));
        assertEquals("f947c91f1baa28bf", hex(pageChecksum(2, 1024, 0x82)));
        assertEquals("98f664a9c0b08215", hex(pageChecksum(3, 1024, 0x83)));
        long rolling = pageChecksum(1, 1024, 0x81) ^ pageChecksum(2, 1024, 0x82) ^ pageChecksum(3, 1024, 0x83);
        assertEquals("8a249272ad9f7dea", hex(rolling | FLAG));
        long small = pageChecksum(1, 512, 1) ^ pageChecksum(2, 512, 2) ^ pageChecksum(3, 512, 3);
        assertEquals("efffffffecd99000", hex(small | FLAG));
    }

    @Test
    void oneLiteralPageIsTheKnownFile() throws Exception {
        RawLtx raw = new RawLtx(2, 512, 1, 1, 1, 1000, 32, 0x11111111, 0x22222222).page(1, filled(512, 0x81));
        assertEquals("01648d0400", hex(raw.index()));
        byte[] file = raw.end();

        assertEquals(660, file.length);
        assertEquals("d88d1adb01e89355", hex(ByteBuffer.wrap(file).getLong(652)));
        assertEquals("017abba6779cb0225b5554517c73beccdc11da5f5d7c0d2687999a06aae78063", sha256(file));
        LtxHeader header =
                LtxHeader.of(512, 1, TxidRange.of(Txid.ONE), 1000, 32, 0, new WalSalts(0x11111111, 0x22222222));
        assertArrayEquals(Arrays.copyOf(file, 100), header.encode());
        assertEquals(LtxSpec.of(header).page(1, 0x81), LtxSpec.decode(file, "file A"));
    }

    @Test
    void ourEncodingOfTheSamePageDiffersFromTheKnownFileInItsBlockOnly() throws Exception {
        LtxHeader header =
                LtxHeader.of(512, 1, TxidRange.of(Txid.ONE), 1000, 32, 0, new WalSalts(0x11111111, 0x22222222));
        LtxSpec spec = LtxSpec.of(header).page(1, 0x81);

        byte[] file = spec.encode();

        // The block is LZ4's own business; every byte around it is a function of the format.
        int blockBytes = ByteBuffer.wrap(file).getInt(106);
        byte[] block = Arrays.copyOfRange(file, 110, 110 + blockBytes);
        byte[] page = filled(512, 0x81);
        byte[] expected = new RawLtx(2, 512, 1, 1, 1, 1000, 32, 0x11111111, 0x22222222)
                .page(1, 1, block, page)
                .end();
        assertArrayEquals(expected, file);
    }

    @Test
    void rollingChecksumsOfASnapshotAreVerified() throws Exception {
        long postApply = 0x8a249272ad9f7deaL;
        byte[] file = fileB(postApply);
        assertEquals(3262, file.length);
        assertEquals("d9e546fe2359d73c", hex(ByteBuffer.wrap(file).getLong(3254)));
        assertEquals("9fe9ba5d46dabf1b2b62773d3b698f8c14e846187cf977508cdfbc819f2e8ae2", sha256(file));

        LtxSpec decoded = LtxSpec.decode(file, "file B");
        assertEquals(Map.of(1, 1024, 2, 1024, 3, 1024).keySet(), decoded.pages().keySet());
        assertTrue(decoded.header().tracksChecksums());
        byte[] wrong = fileB(postApply ^ 1);
        CorruptDataException e = assertThrows(CorruptDataException.class, () -> LtxSpec.decode(wrong, "file B"));
        assertEquals(3246, e.offset());
    }

    private static byte[] fileB(long postApply) {
        RawLtx raw = new RawLtx(0, 1024, 3, 1, 1, 1000, 0, 0, 0);
        for (int page = 1; page <= 3; page++) {
            raw.page(page, filled(1024, 0x80 + page));
        }
        assertEquals("01648f0802f3088f080382118f0800", hex(raw.index()));
        return raw.end(postApply);
    }

    @Test
    void trailerIsReturnedByTheDecoder() throws Exception {
        byte[] file = RawLtx.plain(512, 1, 1, 1).page(1, new byte[512]).end();
        try (LtxDecoder decoder = new LtxDecoder(new ByteArrayInputStream(file), "file", CodecResources.shared())) {
            assertEquals(1, decoder.nextPage(new byte[512], 0));
            assertEquals(0, decoder.nextPage(new byte[512], 0));
            LtxTrailer trailer = decoder.finish();
            assertEquals(0, trailer.postApplyChecksum());
            assertEquals(ByteBuffer.wrap(file).getLong(file.length - 8), trailer.fileChecksum());
        }
    }

    @Test
    void lockPageIsTheOneAtOneGibibyte() {
        int[] expected = {2097153, 1048577, 524289, 262145, 131073, 65537, 32769, 16385};
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], LockPage.of(512 << i));
        }
    }

    @Test
    void txidsAreSixteenLowerCaseDigitsAndUnsigned() {
        assertEquals("00000000000003e8", new Txid(1000).toString());
        assertEquals(new Txid(-1), Txid.parse("ffffffffffffffff"));
        assertTrue(new Txid(-1).isAfter(Txid.ONE));
        for (String text : new String[] {"", "3e8", "00000000000003E8", "00000000000003e80", "-000000000000001"}) {
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> Txid.parse(text));
            assertTrue(e.getMessage().contains("\"" + text + "\""), e.getMessage());
        }
    }

    @Test
    void fileNamesParseBackAndNothingElseParses() {
        TxidRange range = new TxidRange(new Txid(1), new Txid(0xabcdefL));
        assertEquals("0000000000000001-0000000000abcdef.ltx", range.fileName());
        assertEquals(Optional.of(range), TxidRange.parseFileName(range.fileName()));
        for (String name : new String[] {
            "0000000000000001-0000000000ABCDEF.ltx",
            "0000000000000001-0000000000abcdef.ltx.tmp",
            "0000000000000002-0000000000000001.ltx",
            "0000000000000000-0000000000000001.ltx",
            "0000000000000001_0000000000000001.ltx",
            "000000000000001-00000000000000001.ltx",
            "",
        }) {
            assertEquals(Optional.empty(), TxidRange.parseFileName(name), name);
        }
        assertFalse(range.contains(new Txid(0xabcdf0L)));
        assertTrue(range.contains(new Txid(0xabcdefL)));
    }

    private static byte[] filled(int size, int fill) {
        byte[] bytes = new byte[size];
        Arrays.fill(bytes, (byte) fill);
        return bytes;
    }

    private static long pageChecksum(int number, int pageSize, int fill) {
        Crc64 crc = new Crc64();
        crc.update(ByteBuffer.allocate(4).putInt(number).array(), 0, 4);
        crc.update(filled(pageSize, fill), 0, pageSize);
        return crc.value() | FLAG;
    }

    private static long crc(byte[] bytes) {
        Crc64 crc = new Crc64();
        crc.update(bytes, 0, bytes.length);
        return crc.value();
    }

    private static String hex(long value) {
        return HexFormat.of().toHexDigits(value);
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    private static String sha256(byte[] bytes) throws NoSuchAlgorithmException {
        return hex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }
}
