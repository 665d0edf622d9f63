package io.loomstream.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileReplicaClient;
import io.loomstream.engine.restore.ManyRestores.Job;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class FleetProgressTest {
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();
    private final AtomicLong now = new AtomicLong();
    private final Job job =
            new Job("t1", new FileReplicaClient(Path.of("/replica"), FileAccess.PRIVATE), Path.of("/t1.db"));

    private FleetProgress progress(boolean terminal) {
        return new FleetProgress(new PrintStream(written, true, StandardCharsets.UTF_8), terminal, now::get);
    }

    private String text() {
        return written.toString(StandardCharsets.UTF_8);
    }

    private void seconds(int seconds) {
        now.addAndGet(TimeUnit.SECONDS.toNanos(seconds));
    }

    @Test
    void writesALineEveryTenSecondsAndEachFailureAtOnce() {
        FleetProgress progress = progress(false);
        progress.expect(4);
        progress.restored(job, Txid.ZERO, 3_000_000);
        progress.failed(job, "broken");
        assertEquals("FAILED t1: broken\n", text());
        seconds(10);
        progress.alreadyComplete(job);
        assertEquals("FAILED t1: broken\nrestoring: 3 of 4 databases, 1 failed, 3.0 MB, 0.3 MB/s\n", text());
        progress.end();
        assertEquals("restored 1 databases, 3.0 MB, in 10.0 s; 1 were complete already; 1 failed", progress.summary());
        assertEquals(1, progress.failures());
    }

    @Test
    void drawsABarOnATerminalAndTakesItAway() {
        FleetProgress progress = progress(true);
        progress.expect(4);
        seconds(1);
        progress.restored(job, Txid.ZERO, 1_000_000);
        assertEquals(
                "\r\033[Krestoring [######..................] 1 of 4 databases, 0 failed, 1.0 MB, 1.0 MB/s", text());
        progress.end();
        assertTrue(text().endsWith("\r\033[K"));
    }
}
