package io.loomstream.engine.restore;

import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.ltx.LtxDecoder;
import io.loomstream.engine.ltx.LtxHeader;
import io.loomstream.engine.ltx.TxidRange;
import java.io.IOException;
import java.io.InputStream;

/** The codec's decoder, together with the stream it reads. */
final class DecodedPages implements LtxPages {
    private final InputStream stream;
    private final LtxDecoder decoder;
    private final LtxHeader header;

    private DecodedPages(InputStream stream, LtxDecoder decoder, LtxHeader header) {
        this.stream = stream;
        this.decoder = decoder;
        this.header = header;
    }

    /** Takes the stream over, also when this fails. */
    static DecodedPages open(InputStream stream, String source, CodecResources resources) throws IOException {
        LtxDecoder decoder = new LtxDecoder(stream, source, resources);
        boolean complete = false;
        try {
            DecodedPages pages = new DecodedPages(stream, decoder, decoder.header());
            complete = true;
            return pages;
        } finally {
            if (!complete) {
                decoder.close();
                stream.close();
            }
        }
    }

    @Override
    public TxidRange range() {
        return header.range();
    }

    @Override
    public int pageSizeBytes() {
        return header.pageSize();
    }

    @Override
    public long commitPages() {
        return Integer.toUnsignedLong(header.commit());
    }

    @Override
    public long nextPage(byte[] buffer, int offset) throws IOException, InterruptedException {
        return Integer.toUnsignedLong(decoder.nextPage(buffer, offset));
    }

    @Override
    public void finish() throws IOException, InterruptedException {
        decoder.finish();
    }

    @Override
    public void close() throws IOException {
        try {
            decoder.close();
        } finally {
            stream.close();
        }
    }
}
