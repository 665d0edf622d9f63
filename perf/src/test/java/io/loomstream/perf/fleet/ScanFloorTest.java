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
        // 30 tenants folders, their branches, and for each of 15 projects 3 folders more, below the root.
        assertEquals("106 directory stats, 0 listings, 0 file stats, 1 tasks", figures.get("idle_calls"));
        assertEquals("106 directory stats, 0 listings, 3 file stats, 1 tasks", figures.get("open_connections_calls"));
        assertTrue(figures.containsKey("find_all_wall_ms"));
    }
}
