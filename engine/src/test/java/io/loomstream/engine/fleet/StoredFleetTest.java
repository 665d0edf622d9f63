package io.loomstream.engine.fleet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.fleet.HotList.Owner;
import io.loomstream.engine.fleet.PathMap.Entry;
import io.loomstream.engine.replica.FileRootStore;
import io.loomstream.engine.replica.RootStore;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoredFleetTest {
    private static final Owner OWNER = new Owner("node-1", "alpha", 17, Instant.EPOCH);
    private static final Entry ONE = new Entry("/data/one.db", "t/one");
    private static final Entry TWO = new Entry("/data/two.db", "t/two");
    private static final Entry THREE = new Entry("/data/three.db", "t/three");

    @TempDir
    Path directory;

    private RootStore root;

    @BeforeEach
    void open() {
        root = new FileRootStore(directory);
    }

    private static byte[] map() {
        try (PathMap.Writer writer = new PathMap.Writer(OWNER, Instant.EPOCH)) {
            writer.add(ONE);
            writer.add(TWO);
            writer.add(THREE);
            return writer.finish();
        }
    }

    private void hot(String... paths) {
        root.write(
                HotListKeeper.name("node-1"),
                new HotList(OWNER, Instant.EPOCH, List.of(paths)).encode(),
                Optional.empty());
    }

    private StoredFleet fleet() {
        return StoredFleet.of(root, "node-1").orElseThrow();
    }

    @Test
    void givesTheHotOnesInTheirOrderAndThenAll() {
        root.write(PathMapKeeper.name("node-1"), map(), Optional.empty());
        hot("/data/three.db", "/data/deleted.db", "/data/one.db", "/data/three.db");

        StoredFleet fleet = fleet();

        assertEquals(3, fleet.databases());
        assertEquals(List.of(THREE, ONE), fleet.hot());
        List<Entry> all = new ArrayList<>();
        fleet.forEach(all::add);
        assertEquals(List.of(ONE, TWO, THREE), all);
    }

    @Test
    void theOrderMayBeMissingOrDamagedTheMapMayNot() {
        assertEquals(Optional.empty(), StoredFleet.of(root, "node-1"));
        String version = root.write(PathMapKeeper.name("node-1"), map(), Optional.empty());
        assertEquals(List.of(), fleet().hot());
        root.write(HotListKeeper.name("node-1"), "{".getBytes(StandardCharsets.UTF_8), Optional.empty());
        assertEquals(List.of(), fleet().hot());
        assertEquals(3, fleet().databases());

        byte[] cut = Arrays.copyOf(map(), map().length - 9);
        root.write(PathMapKeeper.name("node-1"), cut, Optional.of(version));
        assertThrows(CorruptDataException.class, this::fleet);
    }
}
