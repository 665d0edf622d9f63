package io.loomstream.engine.ltx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An index of four bytes a page would fill the memory with a database of a terabyte, so it goes through a file. */
final class PageIndexSpillTest {
    /** Three times what is kept in memory, and some. */
    private static final int PAGES = 3 * PageIndexBuilder.MEMORY_BYTES / 3 + 17;

    @TempDir
    Path directory;

    private IndexSpill spill() {
        return () -> Files.newByteChannel(
                directory.resolve("index"),
                StandardOpenOption.CREATE_NEW,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE,
                StandardOpenOption.DELETE_ON_CLOSE);
    }

    @Test
    void anIndexThatWentThroughAFileIsTheSame() throws IOException {
        assertArrayEquals(index(new PageIndexBuilder(null), PAGES), index(new PageIndexBuilder(spill()), PAGES));
    }

    @Test
    void aSmallIndexNeedsNoFile() throws IOException {
        IndexSpill none = () -> {
            throw new IOException("no file may be opened");
        };
        assertEquals(index(new PageIndexBuilder(null), 1000).length, index(new PageIndexBuilder(none), 1000).length);
    }

    @Test
    void nothingIsLeftOpenOrBehind() throws IOException {
        List<SeekableByteChannel> opened = new ArrayList<>();
        IndexSpill remembered = () -> {
            SeekableByteChannel channel = spill().open();
            opened.add(channel);
            return channel;
        };
        try (PageIndexBuilder builder = new PageIndexBuilder(remembered)) {
            fill(builder, PAGES);
            assertTrue(opened.getFirst().isOpen());
        }
        assertFalse(opened.getFirst().isOpen());
        assertEquals(1, opened.size());
        assertFalse(Files.exists(directory.resolve("index")));
    }

    private static byte[] index(PageIndexBuilder builder, int pages) throws IOException {
        try (builder) {
            fill(builder, pages);
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            builder.writeTo(out, new Crc64());
            return out.toByteArray();
        }
    }

    /** Pages with gaps and lengths of one to three bytes, so that entries end everywhere in the buffer. */
    private static void fill(PageIndexBuilder builder, int pages) throws IOException {
        int page = 0;
        for (int i = 0; i < pages; i++) {
            page += 1 + i % 200;
            builder.add(page, 20 + i * 7919 % 60_000);
        }
    }
}
