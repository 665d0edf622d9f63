package io.loomstream.admin.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class SharedScrapeTest {
    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 10);
    private final AtomicInteger made = new AtomicInteger();
    private final SharedScrape shared = new SharedScrape(now::get);

    private String scrape(String format) throws IOException {
        return shared.of(format, () -> new Metrics.Scrape(format + made.incrementAndGet(), new byte[0]))
                .contentType();
    }

    @Test
    void whoAsksWithinASecondHasTheSameOneOfTheSameFormat() throws IOException {
        assertEquals("a1", scrape("a"));
        now.addAndGet(Duration.ofMillis(999).toNanos());
        assertEquals("a1", scrape("a"));
        assertEquals("b2", scrape("b"));
        now.addAndGet(Duration.ofMillis(1).toNanos());
        assertEquals("a3", scrape("a"));
    }

    @Test
    void oneThatFailedIsNotShared() throws IOException {
        assertThrows(
                IOException.class,
                () -> shared.of("a", () -> {
                    throw new IOException("broken");
                }));
        assertEquals("a1", scrape("a"));
    }
}
