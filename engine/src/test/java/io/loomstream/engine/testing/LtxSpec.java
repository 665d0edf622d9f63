package io.loomstream.engine.testing;

import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.ltx.LtxDecoder;
import io.loomstream.engine.ltx.LtxEncoder;
import io.loomstream.engine.ltx.LtxHeader;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.wal.WalSalts;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/** A whole LTX file as a value. Pages may not be changed after they were given. */
public final class LtxSpec {
    private final LtxHeader header;
    private final Map<Integer, byte[]> pages;

    private LtxSpec(LtxHeader header, Map<Integer, byte[]> pages) {
        this.header = header;
        this.pages = pages;
    }

    /** A file without pages. Its timestamp, in milliseconds, is its last TXID. */
    public static LtxSpec of(int pageSize, long minTxid, long maxTxid, int commitPages) {
        TxidRange range = new TxidRange(new Txid(minTxid), new Txid(maxTxid));
        return new LtxSpec(LtxHeader.of(pageSize, commitPages, range, maxTxid, 0, 0, WalSalts.NONE), new TreeMap<>());
    }

    /** A file with this header and without pages. */
    public static LtxSpec of(LtxHeader header) {
        return new LtxSpec(header, new TreeMap<>());
    }

    /** The same with one page more, every byte of it the same. */
    public LtxSpec page(int number, int fill) {
        byte[] bytes = new byte[header.pageSize()];
        Arrays.fill(bytes, (byte) fill);
        return page(number, bytes);
    }

    /** The same with one page more, or another. */
    public LtxSpec page(int number, byte[] bytes) {
        TreeMap<Integer, byte[]> more = new TreeMap<>(pages);
        more.put(number, bytes);
        return new LtxSpec(header, more);
    }

    /** The same with many pages more. */
    public LtxSpec pages(Map<Integer, byte[]> others) {
        TreeMap<Integer, byte[]> more = new TreeMap<>(pages);
        more.putAll(others);
        return new LtxSpec(header, more);
    }

    public LtxHeader header() {
        return header;
    }

    /** The pages, ascending. */
    public Map<Integer, byte[]> pages() {
        return pages;
    }

    /** The file's bytes. */
    public byte[] encode() throws IOException, InterruptedException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (LtxEncoder encoder = new LtxEncoder(out, header, CodecResources.shared())) {
            for (Map.Entry<Integer, byte[]> page : pages.entrySet()) {
                encoder.page(page.getKey(), page.getValue(), 0);
            }
            encoder.finish();
        }
        return out.toByteArray();
    }

    /** Reads a file and verifies it. */
    public static LtxSpec decode(byte[] bytes, String name) throws IOException, InterruptedException {
        return decode(new ByteArrayInputStream(bytes), name, CodecResources.shared());
    }

    /** Reads a file and verifies it. */
    public static LtxSpec decode(InputStream in, String name, CodecResources resources)
            throws IOException, InterruptedException {
        try (LtxDecoder decoder = new LtxDecoder(in, name, resources)) {
            LtxHeader header = decoder.header();
            TreeMap<Integer, byte[]> pages = new TreeMap<>();
            byte[] buffer = new byte[header.pageSize()];
            for (int number = decoder.nextPage(buffer, 0); number != 0; number = decoder.nextPage(buffer, 0)) {
                pages.put(number, buffer.clone());
            }
            decoder.finish();
            return new LtxSpec(header, pages);
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof LtxSpec spec
                && header.equals(spec.header)
                && pages.keySet().equals(spec.pages.keySet())
                && pages.entrySet().stream()
                        .allMatch(page -> Arrays.equals(page.getValue(), spec.pages.get(page.getKey())));
    }

    @Override
    public int hashCode() {
        return 31 * header.hashCode() + pages.keySet().hashCode();
    }

    @Override
    public String toString() {
        return header + " with pages " + pages.keySet();
    }
}
