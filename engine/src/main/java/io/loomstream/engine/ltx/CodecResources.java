package io.loomstream.engine.ltx;

import java.util.Optional;
import java.util.concurrent.Semaphore;
import net.jpountz.lz4.LZ4Compressor;
import net.jpountz.lz4.LZ4Factory;
import net.jpountz.lz4.LZ4SafeDecompressor;

/**
 * What encoders and decoders share: the LZ4 implementation and a bound on how many of them may use a second thread and the
 * large buffers that go with it. Who gets none works alone with small buffers; nobody waits. Thread-safe.
 */
public final class CodecResources {
    /** About a megabyte each; more would not make two to eight cores faster. */
    private static final int PIPELINES = 8;

    private static final class Shared {
        static final CodecResources INSTANCE = new CodecResources(PIPELINES);
    }

    private final Semaphore pipelines;
    private final LZ4Compressor compressor;
    private final LZ4SafeDecompressor decompressor;

    /** Resources with a bound of their own, for tests. */
    public CodecResources(int pipelines) {
        this.pipelines = new Semaphore(pipelines);
        LZ4Factory lz4 = LZ4Factory.fastestInstance();
        this.compressor = lz4.fastCompressor();
        this.decompressor = lz4.safeDecompressor();
    }

    /** The process's own. */
    public static CodecResources shared() {
        return Shared.INSTANCE;
    }

    LZ4Compressor compressor() {
        return compressor;
    }

    LZ4SafeDecompressor decompressor() {
        return decompressor;
    }

    /** The right to use a second thread, until closed. */
    interface Pipeline extends AutoCloseable {
        @Override
        void close();
    }

    Optional<Pipeline> tryPipeline() {
        return pipelines.tryAcquire() ? Optional.of(pipelines::release) : Optional.empty();
    }
}
