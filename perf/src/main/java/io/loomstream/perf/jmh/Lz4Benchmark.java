package io.loomstream.perf.jmh;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Question: which LZ4 library is faster on single pages of 4 KiB, under the flags that ship and with C2? An operation is
 * 256 pages, 1 MiB uncompressed.
 *
 * <p>Command: {@code make bench BENCH=Lz4Benchmark}; the answer is in docs/decisions/0002-lz4.md. Not measured: compression
 * ratio beyond the fast level, start-up time, whole files (see {@link LtxBenchmark}).
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class Lz4Benchmark {
    private static final int PAGES = SamplePages.MEBIBYTE / SamplePages.PAGE_BYTES;
    /** Above the worst case of a page that does not compress. */
    private static final int BLOCK_BYTES_MAX = SamplePages.PAGE_BYTES + 64;

    @Param
    Lz4Codec.Library library = Lz4Codec.Library.LZ4_JAVA_NATIVE;

    @Param({"ROWS", "RANDOM"})
    SamplePages.Content content = SamplePages.Content.ROWS;

    private final byte[][] blocks = new byte[PAGES][];
    private final byte[] block = new byte[BLOCK_BYTES_MAX];
    private final byte[] page = new byte[SamplePages.PAGE_BYTES];
    private byte[] pages = {};
    private Lz4Codec codec = Lz4Codec.of(Lz4Codec.Library.LZ4_JAVA_PURE);

    @Setup
    public void setup() {
        codec = Lz4Codec.of(library);
        pages = SamplePages.of(content, SamplePages.MEBIBYTE, 1);
        for (int i = 0; i < PAGES; i++) {
            int length = codec.compress(pages, i * SamplePages.PAGE_BYTES, SamplePages.PAGE_BYTES, block);
            blocks[i] = Arrays.copyOf(block, length);
        }
    }

    /** Bytes after compression. */
    @Benchmark
    public int compress() {
        int bytes = 0;
        for (int i = 0; i < PAGES; i++) {
            bytes += codec.compress(pages, i * SamplePages.PAGE_BYTES, SamplePages.PAGE_BYTES, block);
        }
        return bytes;
    }

    /** A hash over the last bytes of the pages. */
    @Benchmark
    public int decompress() {
        int hash = 0;
        for (int i = 0; i < PAGES; i++) {
            codec.decompress(blocks[i], blocks[i].length, page, 0, SamplePages.PAGE_BYTES);
            hash = 31 * hash + page[SamplePages.PAGE_BYTES - 1];
        }
        return hash;
    }
}
