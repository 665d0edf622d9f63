package io.loomstream.engine.follow;

import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.ltx.LtxDecoder;
import io.loomstream.engine.replica.ReplicaFile;
import java.io.IOException;
import java.io.InputStream;

/**
 * One LTX file on this side of the network, verified to its last byte.
 *
 * @param source what errors call it
 * @param content its bytes
 * @param commitPages the database's length once it is applied
 */
record StagedFile(ReplicaFile file, String source, Content content, long commitPages, long fileChecksum) {
    /** Where the bytes wait: in memory or in a spool file. */
    @FunctionalInterface
    interface Content {
        InputStream open() throws IOException;
    }

    Position.Applied applied() {
        return new Position.Applied(file.level(), file.range(), fileChecksum);
    }

    /** Hears one page; the buffer is used again. */
    @FunctionalInterface
    interface PageConsumer {
        void accept(int number, byte[] buffer) throws IOException;
    }

    /** Decodes it all once more, page by page. */
    void pages(PageConsumer consumer) throws IOException, InterruptedException {
        try (InputStream in = content.open();
                LtxDecoder decoder = new LtxDecoder(in, source, CodecResources.shared())) {
            byte[] buffer = new byte[decoder.header().pageSize()];
            for (int page = decoder.nextPage(buffer, 0); page != 0; page = decoder.nextPage(buffer, 0)) {
                consumer.accept(page, buffer);
            }
            decoder.finish();
        }
    }
}
