package io.loomstream.engine.replica.s3;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class S3OwnerTest {
    private static final long RUNNING = ProcessHandle.current().pid();
    private static final S3Owner US = new S3Owner("east", "host", 1_000_000_001);

    @Test
    void knowsItselfAndItsDeadPredecessor() throws Exception {
        Process ended = new ProcessBuilder("true").start();
        ended.waitFor();
        assertTrue(US.isOrWas(US.asMetadata()));
        assertTrue(US.isOrWas("east/host/" + ended.pid()));
    }

    @Test
    void takesEverybodyElseForAnotherServer() {
        assertFalse(US.isOrWas("east/host/" + RUNNING));
        assertFalse(US.isOrWas("west/host/1000000001"));
        assertFalse(US.isOrWas("east/other/1000000001"));
        assertFalse(US.isOrWas("east/host/"));
        assertFalse(US.isOrWas("east/host/one"));
        assertFalse(US.isOrWas(""));
    }
}
