package io.loomstream.perf.jmh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Collection;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Benchmarks run seldom; here each runs once, on its fixed seed, and has to compute what it always did. */
final class BenchmarksTest {
    private static final int JAVA_OF_AIRCOMPRESSOR = 25;

    @Test
    void samplePagesAreTheSameForTheSameSeed() {
        assertEquals(2_090_234_757, Arrays.hashCode(SamplePages.of(SamplePages.Content.ROWS, SamplePages.MEBIBYTE, 1)));
    }

    @Test
    void checksumsAreThoseOfTheFixedPages() throws Exception {
        ChecksumBenchmark benchmark = new ChecksumBenchmark();
        benchmark.setup();
        assertEquals(-2_177_673_425_087_201_677L, benchmark.crc64());
        assertEquals(-1_630_877_378, benchmark.walFrames());
    }

    @Test
    void everyLibraryGivesThePagesBack() {
        for (Lz4Codec.Library library : Lz4Codec.Library.values()) {
            if (library == Lz4Codec.Library.AIRCOMPRESSOR && Runtime.version().feature() < JAVA_OF_AIRCOMPRESSOR) {
                continue;
            }
            Lz4Benchmark benchmark = new Lz4Benchmark();
            benchmark.library = library;
            benchmark.content = SamplePages.Content.ROWS;
            benchmark.setup();
            int compressed = benchmark.compress();
            assertTrue(
                    compressed > SamplePages.MEBIBYTE / 2 && compressed < SamplePages.MEBIBYTE * 3 / 4,
                    () -> library + " made " + compressed + " bytes of a mebibyte");
            assertEquals(1_010_958_336, benchmark.decompress(), library.name());
        }
    }

    @Test
    void filesAreTheSameWithOneThreadAndWithTwo() throws Exception {
        for (int pipelines = 0; pipelines < 2; pipelines++) {
            LtxBenchmark benchmark = new LtxBenchmark();
            benchmark.pipelines = pipelines;
            benchmark.setup();
            assertEquals(-445_280_075_332_164_485L, benchmark.encode());
            assertEquals(benchmark.encode(), benchmark.decode());
        }
    }

    @Test
    void hashesAreThoseOfTheFixedPages() throws Exception {
        for (PageHash.Candidate candidate : PageHash.Candidate.values()) {
            PageHashBenchmark benchmark = new PageHashBenchmark();
            benchmark.candidate = candidate;
            benchmark.setup();
            long expected = switch (candidate) {
                case SHA_256 -> 0x29D3026819867B9AL;
                case MD5_HMAC -> 0xCFBF32A2AD26FD43L;
                case SHA_256_HMAC -> 0x6F1B6B97839A0241L;
                case AES_CBC_MAC -> 0x81333C545D45F467L;
                case AES_GMAC -> 0xDAEA47DE0F3FD9DCL;
                case SIP_HASH -> 0x5374840C9AF47493L;
            };
            assertEquals(expected, benchmark.hash(), candidate.name());
        }
    }

    /** The first of the authors' vectors (vectors.h, 128 bits), and what OpenSSL makes of the bytes 0 to 14. */
    @Test
    void sipHashAgreesWithItsAuthors() {
        byte[] message = new byte[15];
        for (int i = 0; i < message.length; i++) {
            message[i] = (byte) i;
        }
        PageHash.SipHash hash = new PageHash.SipHash(0x0706050403020100L, 0x0F0E0D0C0B0A0908L);
        assertEquals(0xE6A825BA047F81A3L, hash.hash(message, 0, 0));
        assertEquals(0x930255C71472F66DL, hash.high());
        assertEquals(0x11A8B03399E99354L, hash.hash(message, 0, message.length));
        assertEquals(0xD9C3CF970FEC087EL, hash.high());
    }

    /** JMH itself, in this process, with its generated code, for a moment each. */
    @Test
    void jmhRunsEveryBenchmark() throws Exception {
        Collection<RunResult> results = new Runner(new OptionsBuilder()
                        .include(Benchmarks.class.getPackageName() + "\\.")
                        .param("library", Lz4Codec.Library.LZ4_JAVA_NATIVE.name())
                        .param("candidate", PageHash.Candidate.SIP_HASH.name())
                        .forks(0)
                        .warmupIterations(0)
                        .measurementIterations(1)
                        .measurementTime(TimeValue.milliseconds(1))
                        .verbosity(VerboseMode.SILENT)
                        .shouldFailOnError(true)
                        .build())
                .run();
        Set<String> names = results.stream()
                .map(result -> result.getParams().getBenchmark().replaceFirst(".*\\.(\\w+\\.\\w+)$", "$1"))
                .collect(Collectors.toSet());
        assertEquals(
                Set.of(
                        "ChecksumBenchmark.crc64",
                        "ChecksumBenchmark.walFrames",
                        "Lz4Benchmark.compress",
                        "Lz4Benchmark.decompress",
                        "LtxBenchmark.encode",
                        "LtxBenchmark.decode",
                        "PageHashBenchmark.hash"),
                names);
        for (RunResult result : results) {
            assertFalse(result.getPrimaryResult().getScore() <= 0, result.getParams()::getBenchmark);
        }
    }
}
