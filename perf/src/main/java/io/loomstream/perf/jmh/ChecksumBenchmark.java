package io.loomstream.perf.jmh;

import io.loomstream.engine.ltx.Crc64;
import io.loomstream.engine.wal.WalBatch;
import io.loomstream.engine.wal.WalHeader;
import io.loomstream.engine.wal.WalPosition;
import io.loomstream.engine.wal.WalReader;
import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Question: how many MiB a second can one core checksum, in an LTX file (CRC-64; goal 1 GB/s) and in a WAL (the frames'
 * running sums, salts and page map)? An operation is 1 MiB.
 *
 * <p>Command: {@code make bench BENCH=ChecksumBenchmark}. Not measured: reading the bytes from a file.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class ChecksumBenchmark {
    private byte[] pages = {};
    private byte[] wal = {};

    @Setup
    public void setup() {
        pages = SamplePages.of(SamplePages.Content.ROWS, SamplePages.MEBIBYTE, 1);
        wal = SampleWal.of(pages);
    }

    @Benchmark
    public long crc64() {
        Crc64 crc = new Crc64();
        for (int at = 0; at < pages.length; at += SamplePages.PAGE_BYTES) {
            crc.update(pages, at, SamplePages.PAGE_BYTES);
        }
        return crc.value();
    }

    @Benchmark
    public int walFrames() throws IOException {
        WalHeader header = WalHeader.parse(wal).orElseThrow();
        WalReader.Outcome outcome =
                WalReader.read(this::read, header, new WalPosition(0, header.checksum()), SampleWal.frames(pages), 0);
        return outcome instanceof WalBatch batch ? batch.checksum().s2() : 0;
    }

    private int read(long position, byte[] buffer, int offset, int length) {
        int from = (int) Math.min(position, wal.length);
        byte[] bytes = Arrays.copyOfRange(wal, from, Math.min(from + length, wal.length));
        System.arraycopy(bytes, 0, buffer, offset, bytes.length);
        return bytes.length;
    }
}
