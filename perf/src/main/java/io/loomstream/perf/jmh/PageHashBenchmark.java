package io.loomstream.perf.jmh;

import java.security.GeneralSecurityException;
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
 * Question: which hash may a page index use, where tenants choose the pages, at what price under the flags that ship (the
 * JDK's fast SHA-256 and AES are C2's) and with C2? An operation is 256 pages of 4 KiB, 1 MiB.
 *
 * <p>Command: {@code make bench BENCH=PageHashBenchmark}. Not measured: reading the pages, keeping the index.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class PageHashBenchmark {
    @Param
    PageHash.Candidate candidate = PageHash.Candidate.SHA_256;

    private byte[] pages = {};
    private PageHash hash = (page, offset, length) -> 0;

    @Setup
    public void setup() throws GeneralSecurityException {
        pages = SamplePages.of(SamplePages.Content.ROWS, SamplePages.MEBIBYTE, 1);
        hash = PageHash.of(candidate);
    }

    /** All pages' hashes, mixed. */
    @Benchmark
    public long hash() throws GeneralSecurityException {
        long mixed = 0;
        for (int at = 0; at < pages.length; at += SamplePages.PAGE_BYTES) {
            mixed = 31 * mixed + hash.hash(pages, at, SamplePages.PAGE_BYTES);
        }
        return mixed;
    }
}
