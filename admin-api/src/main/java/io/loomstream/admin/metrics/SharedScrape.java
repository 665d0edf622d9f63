package io.loomstream.admin.metrics;

import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

/**
 * Lets everybody who asks within a second have the same scrape. One looks at every database of a fleet, so that two hundred
 * clients would otherwise take the processor from the replication. Thread-safe; who comes while one is made waits for it.
 */
final class SharedScrape {
    private static final long FRESH_NANOS = Duration.ofSeconds(1).toNanos();

    private final LongSupplier nanoTime;
    private final ReentrantLock lock = new ReentrantLock();
    /** The last one of each format; guarded by lock. */
    private final Map<String, Made> last = new HashMap<>();

    private record Made(Metrics.Scrape scrape, long atNanos) {}

    /** Makes one. */
    interface Maker {
        Metrics.Scrape make() throws IOException;
    }

    SharedScrape(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /** The last one of a format if it was begun within the last second, else a new one. */
    Metrics.Scrape of(String format, Maker maker) throws IOException {
        lock.lock();
        try {
            long now = nanoTime.getAsLong();
            Made made = last.get(format);
            if (made != null && now - made.atNanos() < FRESH_NANOS) {
                return made.scrape();
            }
            Metrics.Scrape scrape = maker.make();
            last.put(format, new Made(scrape, now));
            return scrape;
        } finally {
            lock.unlock();
        }
    }
}
