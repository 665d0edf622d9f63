package io.loomstream.perf.jmh;

import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.ltx.LtxDecoder;
import io.loomstream.engine.ltx.LtxEncoder;
import io.loomstream.engine.ltx.LtxHeader;
import io.loomstream.engine.ltx.LtxTrailer;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.wal.WalSalts;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Question: how many MiB of pages a second does the LTX codec write and read, with one thread and with a second one beside
 * it? An operation is 1 MiB of pages of 4 KiB, of a snapshot of 16.
 *
 * <p>Command: {@code make bench BENCH=LtxBenchmark}. Not measured: files; both ends are in memory.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class LtxBenchmark {
    private static final int MEBIBYTES = 16;
    private static final int PAGES = MEBIBYTES * SamplePages.MEBIBYTE / SamplePages.PAGE_BYTES;

    /** 0: one thread; 1: a second one. */
    @Param({"0", "1"})
    int pipelines = 0;

    private byte[] pages = {};
    private byte[] file = {};
    private CodecResources resources = CodecResources.shared();

    @Setup
    public void setup() throws IOException, InterruptedException {
        resources = new CodecResources(pipelines);
        pages = SamplePages.of(SamplePages.Content.ROWS, MEBIBYTES * SamplePages.MEBIBYTE, 1);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        encodeTo(out);
        file = out.toByteArray();
    }

    private LtxTrailer encodeTo(OutputStream out) throws IOException, InterruptedException {
        LtxHeader header = LtxHeader.of(SamplePages.PAGE_BYTES, PAGES, TxidRange.of(Txid.ONE), 0, 32, 0, WalSalts.NONE);
        try (LtxEncoder encoder = new LtxEncoder(out, header, resources)) {
            for (int number = 1; number <= PAGES; number++) {
                encoder.page(number, pages, (number - 1) * SamplePages.PAGE_BYTES);
            }
            return encoder.finish();
        }
    }

    /** The file's checksum. */
    @Benchmark
    @OperationsPerInvocation(MEBIBYTES)
    public long encode() throws IOException, InterruptedException {
        return encodeTo(OutputStream.nullOutputStream()).fileChecksum();
    }

    /** The file's checksum, verified. */
    @Benchmark
    @OperationsPerInvocation(MEBIBYTES)
    public long decode() throws IOException, InterruptedException {
        byte[] page = new byte[SamplePages.PAGE_BYTES];
        try (LtxDecoder decoder = new LtxDecoder(new ByteArrayInputStream(file), "benchmark", resources)) {
            int number;
            do {
                number = decoder.nextPage(page, 0);
            } while (number != 0);
            return decoder.finish().fileChecksum();
        }
    }
}
