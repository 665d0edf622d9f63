package io.loomstream.engine.replica.s3;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class S3OwnerTest {
    private static final long RUNNING = ProcessHandle.current().pid();
    private static final S3Owner US = new S3Owner("east", "host", 1_000_000_001);

    private static final Instant BEGAN = Instant.parse("2026-03-04T05:06:07Z");

    private static boolean isOrWas(String metadata) {
        return US.isOrWas(metadata, Optional.of(BEGAN.minusMillis(1)), BEGAN);
    }

    @Test
    void knowsItselfAndItsDeadPredecessor() throws Exception {
        Process ended = new ProcessBuilder("true").start();
        ended.waitFor();
        assertTrue(isOrWas(US.asMetadata()));
        assertTrue(isOrWas("east/host/" + ended.pid()));
    }

    @Test
    void oneThatTookOverWhileThisOneWasPausedIsAnotherThoughItHasEnded() throws Exception {
        Process ended = new ProcessBuilder("true").start();
        ended.waitFor();
        String owner = "east/host/" + ended.pid();
        assertFalse(US.isOrWas(owner, Optional.of(BEGAN), BEGAN));
        assertFalse(US.isOrWas(owner, Optional.of(BEGAN.plusMillis(1)), BEGAN));
        assertFalse(US.isOrWas(owner, Optional.empty(), BEGAN), "when is not known");
    }

    @Test
    void takesEverybodyElseForAnotherServer() {
        assertFalse(isOrWas("east/host/" + RUNNING));
        assertFalse(isOrWas("west/host/1000000001"));
        assertFalse(isOrWas("east/other/1000000001"));
        assertFalse(isOrWas("east/host/"));
        assertFalse(isOrWas("east/host/one"));
        assertFalse(isOrWas(""));
    }
}
