package io.loomstream.engine.restore;

import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import net.jpountz.lz4.LZ4Factory;

/** The LTX format in the fewest lines, slow and independent of the engine's codec: what the tests build files with. */
final class ReferenceLtx {
    static final int HEADER_BYTES = 100;
    private static final long FLAG = 1L << 63;
    private static final LZ4Factory LZ4 = LZ4Factory.safeInstance();

    private ReferenceLtx() {}

    /** A decoded file; pages by number. */
    record Content(
            TxidRange range, int pageSizeBytes, long commitPages, long timestamp, SortedMap<Long, byte[]> pages) {
        Content without(long page) {
            SortedMap<Long, byte[]> rest = new TreeMap<>(pages);
            if (rest.remove(page) == null) {
                throw new IllegalArgumentException("no page " + page);
            }
            return new Content(range, pageSizeBytes, commitPages, timestamp, rest);
        }

        Content with(long page, byte[] bytes) {
            SortedMap<Long, byte[]> more = new TreeMap<>(pages);
            more.put(page, bytes);
            return new Content(range, pageSizeBytes, commitPages, timestamp, more);
        }

        Content named(TxidRange other) {
            return new Content(other, pageSizeBytes, commitPages, timestamp, pages);
        }
    }

    static Content decode(byte[] file, String source) {
        ByteBuffer in = ByteBuffer.wrap(file);
        if (file.length < HEADER_BYTES + 30 || in.getInt(0) != 0x4C545831) {
            throw new CorruptDataException(source, 0, "not an LTX file");
        }
        long crc = crc(~0L, Arrays.copyOf(file, HEADER_BYTES));
        int pageSizeBytes = in.getInt(8);
        SortedMap<Long, byte[]> pages = new TreeMap<>();
        in.position(HEADER_BYTES);
        while (in.getInt(in.position()) != 0) {
            byte[] frameHeader = new byte[10];
            in.get(frameHeader);
            byte[] packed = new byte[ByteBuffer.wrap(frameHeader).getInt(6)];
            in.get(packed);
            byte[] page = new byte[pageSizeBytes];
            LZ4.safeDecompressor().decompress(packed, page);
            crc = crc(crc(crc, frameHeader), page);
            pages.put(Integer.toUnsignedLong(ByteBuffer.wrap(frameHeader).getInt(0)), page);
        }
        crc = crc(crc, Arrays.copyOfRange(file, in.position(), file.length - 8));
        if ((FLAG | ~crc) != in.getLong(file.length - 8)) {
            throw new CorruptDataException(source, file.length - 8, "file checksum mismatch");
        }
        TxidRange range = new TxidRange(new Txid(in.getLong(16)), new Txid(in.getLong(24)));
        return new Content(range, pageSizeBytes, Integer.toUnsignedLong(in.getInt(12)), in.getLong(32), pages);
    }

    static byte[] encode(Content content) {
        ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
        header.putInt(0x4C545831)
                .putInt(2)
                .putInt(content.pageSizeBytes())
                .putInt((int) content.commitPages())
                .putLong(content.range().min().value())
                .putLong(content.range().max().value())
                .putLong(content.timestamp());
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(header.array());
        long crc = crc(~0L, header.array());
        ByteArrayOutputStream index = new ByteArrayOutputStream();
        for (Map.Entry<Long, byte[]> page : content.pages().entrySet()) {
            byte[] packed = LZ4.fastCompressor().compress(page.getValue());
            ByteBuffer frame = ByteBuffer.allocate(10);
            frame.putInt(page.getKey().intValue()).putShort((short) 1).putInt(packed.length);
            varint(index, page.getKey());
            varint(index, out.size());
            varint(index, 10 + packed.length);
            crc = crc(crc(crc, frame.array()), page.getValue());
            out.writeBytes(frame.array());
            out.writeBytes(packed);
        }
        index.write(0);
        ByteBuffer tail = ByteBuffer.allocate(6 + index.size() + 8 + 8);
        tail.put(new byte[6]).put(index.toByteArray()).putLong(index.size()).putLong(0);
        crc = crc(crc, tail.array());
        out.writeBytes(tail.array());
        out.writeBytes(ByteBuffer.allocate(8).putLong(FLAG | ~crc).array());
        return out.toByteArray();
    }

    /** A file of {@code commit} pages that tells its pages apart, as the first of a history or later in it. */
    static Content content(long min, long max, int pageSizeBytes, long commitPages, long... pages) {
        SortedMap<Long, byte[]> content = new TreeMap<>();
        for (long number : pages) {
            content.put(number, page(pageSizeBytes, number, max));
        }
        return new Content(
                new TxidRange(new Txid(min), new Txid(max)), pageSizeBytes, commitPages, 1_000 * max, content);
    }

    static byte[] page(int pageSizeBytes, long number, long txid) {
        byte[] page = new byte[pageSizeBytes];
        Arrays.fill(page, (byte) txid);
        ByteBuffer.wrap(page).putLong(0, number).putLong(8, txid);
        return page;
    }

    static LtxPages open(InputStream stream, String source) throws IOException {
        Content content;
        try (stream) {
            content = decode(stream.readAllBytes(), source);
        }
        var pages = content.pages().entrySet().iterator();
        return new LtxPages() {
            @Override
            public TxidRange range() {
                return content.range();
            }

            @Override
            public int pageSizeBytes() {
                return content.pageSizeBytes();
            }

            @Override
            public long commitPages() {
                return content.commitPages();
            }

            @Override
            public long nextPage(byte[] buffer, int offset) {
                if (!pages.hasNext()) {
                    return 0;
                }
                Map.Entry<Long, byte[]> page = pages.next();
                System.arraycopy(page.getValue(), 0, buffer, offset, page.getValue().length);
                return page.getKey();
            }

            @Override
            public void finish() {
                // Decoded and verified as a whole above.
            }

            @Override
            public void close() {
                // Nothing is held.
            }
        };
    }

    private static void varint(ByteArrayOutputStream out, long value) {
        long rest = value;
        while (rest >= 0x80) {
            out.write((int) (rest | 0x80));
            rest >>>= 7;
        }
        out.write((int) rest);
    }

    /** CRC-64/GO-ISO without the final inversion. */
    private static long crc(long state, byte[] bytes) {
        long crc = state;
        for (byte value : bytes) {
            crc ^= value & 0xff;
            for (int bit = 0; bit < 8; bit++) {
                crc = (crc >>> 1) ^ ((crc & 1) * 0xD800000000000000L);
            }
        }
        return crc;
    }
}
