package io.loomstream.engine.replica.s3;

import io.loomstream.engine.concurrent.Time;
import java.time.Duration;

/**
 * When bytes of one request moved last. One thread moves them, another watches.
 *
 * <p>Bytes given to the socket may wait in the kernel's buffer for long on a slow line, and nothing can be seen of them
 * leaving: so once a body is given away the wait for the answer grows with what may be buffered.
 */
final class Progress {
    /** The largest send buffer that Linux grows to by itself (tcp_wmem). */
    private static final long KERNEL_BUFFER_BYTES = 4L << 20;

    /** The slowest line on which a buffer is waited for. */
    private static final long SLOWEST_BYTES_A_SECOND = 16 << 10;

    private final Time time;
    private final long stallNanos;
    private volatile long movedAt;
    private volatile long sentBytes;

    Progress(Time time, Duration stall) {
        this.time = time;
        this.stallNanos = stall.toNanos();
        this.movedAt = time.nanoTime();
    }

    /** Bytes were read from the local file, to be sent. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // one thread writes
    void sent(long bytes) {
        sentBytes += bytes;
        movedAt = time.nanoTime();
    }

    /** Anything else moved. */
    void moved() {
        movedAt = time.nanoTime();
    }

    /** How long the watcher may wait before it must look again; zero or less: stalled. */
    long leftNanos() {
        long buffered = Math.min(sentBytes, KERNEL_BUFFER_BYTES);
        long patience = stallNanos + buffered * 1_000_000_000L / SLOWEST_BYTES_A_SECOND;
        return movedAt + patience - time.nanoTime();
    }
}
