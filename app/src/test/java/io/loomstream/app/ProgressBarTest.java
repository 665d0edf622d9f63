package io.loomstream.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.replica.ReplicaFile;
import io.loomstream.engine.restore.RestorePlan;
import io.loomstream.engine.restore.Target;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ProgressBarTest {
    private final ByteArrayOutputStream terminal = new ByteArrayOutputStream();
    private final AtomicLong nanos = new AtomicLong();
    private final ProgressBar bar =
            new ProgressBar(new PrintStream(terminal, true, StandardCharsets.UTF_8), nanos::get);

    private String written() {
        String text = terminal.toString(StandardCharsets.UTF_8);
        terminal.reset();
        return text;
    }

    @Test
    void saysShareAndRateAFewTimesASecondAndLeavesNothing() {
        bar.planned(new RestorePlan(
                new Target.Latest(),
                List.of(new ReplicaFile(Level.L0, TxidRange.of(Txid.ONE), 200_000_000, Instant.EPOCH)),
                Optional.empty()));
        bar.read(10_000_000);
        assertEquals("", written(), "too soon");
        nanos.set(500_000_000);
        bar.read(50_000_000);
        String line = written();
        assertTrue(line.contains("25%"), line);
        assertTrue(line.contains("50 of 200 MB, 100 MB/s"), line);
        assertTrue(line.length() < 80, line);
        bar.read(60_000_000);
        assertEquals("", written(), "too soon again");
        bar.ended();
        assertEquals("\r\033[K", written());
    }

    @Test
    void shortRestoreDrawsNothing() {
        bar.ended();
        assertEquals("", written());
        assertFalse(ProgressBar.wanted());
    }
}
