package io.loomstream.perf.fleet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScanFloorTest {
    @TempDir
    Path directory;

    @Test
    void smallFleetIsMeasuredAndEveryWriteSeen() throws Exception {
        Map<String, Object> figures = ScanFloor.measure(directory, 300, 10);
        assertEquals(300, figures.get("databases"));
        // 30 folders of tenants and 30 of branches, for each of 15 projects 4 more, and the root; the sweep may add
        // listings.
        String idle = (String) figures.get("idle_calls");
        assertTrue(idle.startsWith("121 directory stats, "), idle);
        assertTrue(figures.containsKey("find_all_wall_ms"));
    }
}
