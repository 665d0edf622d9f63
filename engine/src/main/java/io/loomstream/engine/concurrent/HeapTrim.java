package io.loomstream.engine.concurrent;

import java.time.Duration;
import java.util.concurrent.Callable;

/**
 * Collects the whole heap when it has grown, until interrupted. The serial collector by itself never does so before the heap
 * has reached its limit, a quarter of the machine's memory: what young collections promote, here some 150 KB a second with
 * 1,000 hot databases, would lie there for hours. A collection of what the server keeps takes some 20 ms.
 *
 * <p>Used by one thread.
 */
public final class HeapTrim implements Callable<Void> {
    private static final Duration LOOK = Duration.ofSeconds(1);
    /** Between two collections, unless the heap grows fast. */
    static final Duration PAUSE = Duration.ofSeconds(5);
    /** After a collection that gave much back, the next may too: what was in flight during a storm has been promoted. */
    static final Duration AGAIN = Duration.ofSeconds(15);

    static final long SLACK_BYTES = 1 << 20;
    /** So much at once is a storm, of first copies or of requests: waiting would only make the heap larger. */
    static final long SURGE_BYTES = 8 << 20;

    private final Time time;
    private long keptBytes;
    private long freedBytes;
    private long collectedAt;

    public HeapTrim(Time time) {
        this.time = time;
        this.collectedAt = time.nanoTime();
        this.keptBytes = Runtime.getRuntime().totalMemory();
    }

    @Override
    public Void call() throws InterruptedException {
        while (true) {
            time.sleep(LOOK);
            long before = Runtime.getRuntime().totalMemory();
            if (due(before)) {
                System.gc();
                collected(before, Runtime.getRuntime().totalMemory());
            }
        }
    }

    /** Whether to collect now, with a heap of so many bytes. */
    boolean due(long heapBytes) {
        long slack = Math.max(SLACK_BYTES, keptBytes / 16);
        long grown = heapBytes - keptBytes;
        long since = time.nanoTime() - collectedAt;
        return (grown > slack && since >= PAUSE.toNanos())
                || grown > Math.max(SURGE_BYTES, keptBytes / 4)
                || (freedBytes > slack && since >= AGAIN.toNanos());
    }

    /** Takes note of a collection. */
    void collected(long beforeBytes, long afterBytes) {
        keptBytes = afterBytes;
        freedBytes = beforeBytes - afterBytes;
        collectedAt = time.nanoTime();
    }
}
