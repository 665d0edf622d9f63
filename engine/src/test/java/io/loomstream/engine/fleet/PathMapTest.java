package io.loomstream.engine.fleet;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.fleet.HotList.Owner;
import io.loomstream.engine.fleet.PathMap.Entry;
import io.loomstream.engine.replica.FileRootStore;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PathMapTest {
    private static final Owner FIRST = new Owner("node-1", "alpha", 17, Instant.parse("2026-01-02T03:04:05Z"));
    private static final Owner SECOND = new Owner("node-1", "beta", 18, Instant.parse("2026-01-02T03:05:05Z"));

    @TempDir
    Path directory;

    private final PathTable table = new PathTable();

    private static byte[] map(Entry... entries) {
        try (PathMap.Writer writer = new PathMap.Writer(FIRST, Instant.EPOCH)) {
            for (Entry entry : entries) {
                writer.add(entry);
            }
            return writer.finish();
        }
    }

    private static List<Entry> read(byte[] map) {
        List<Entry> entries = new ArrayList<>();
        PathMap.read(new ByteArrayInputStream(map), "map", entries::add);
        return entries;
    }

    private static byte[] compressed(String text) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
            out.write(text.getBytes(UTF_8));
        }
        return bytes.toByteArray();
    }

    @Test
    void readsBackWhatItWrites() {
        List<Entry> entries = List.of(
                new Entry("/data/a b.db", "p/a%20b"),
                new Entry("/data/é\n\"\\.db", "s3://elsewhere/x"),
                new Entry("/data/c.db", "p/c"));
        assertEquals(entries, read(map(entries.toArray(Entry[]::new))));
        assertEquals(List.of(), read(map()));
    }

    @Test
    void theDigestIsThatOfTheSetWhateverItsOrder() {
        Entry one = new Entry("/a", "x");
        Entry other = new Entry("/b", "y");
        assertEquals(
                PathMap.read(new ByteArrayInputStream(map(one, other)), "map", entry -> {}),
                PathMap.read(new ByteArrayInputStream(map(other, one)), "map", entry -> {}));
        assertFalse(PathMap.read(new ByteArrayInputStream(map(one, other)), "map", entry -> {})
                .equals(PathMap.read(
                        new ByteArrayInputStream(map(new Entry("/a", "y"), new Entry("/b", "x"))),
                        "map",
                        entry -> {})));
    }

    @Test
    void refusesEveryTruncation() {
        byte[] whole = map(new Entry("/data/a.db", "p/a"), new Entry("/data/b.db", "p/b"));
        for (int length = 0; length < whole.length; length++) {
            byte[] cut = Arrays.copyOf(whole, length);
            assertThrows(CorruptDataException.class, () -> read(cut), "cut at " + length);
        }
    }

    @Test
    void refusesEveryFlippedBitOfTheContent() {
        byte[] whole = map(new Entry("/data/a.db", "p/a"), new Entry("/data/b.db", "p/b"));
        List<Entry> entries = read(whole);
        for (int bit = 80;
                bit < whole.length * 8;
                bit++) { // before: gzip's header, of which time and system do not matter
            byte[] flipped = whole.clone();
            flipped[bit / 8] ^= (byte) (1 << bit % 8);
            try {
                assertEquals(entries, read(flipped), "bit " + bit);
            } catch (CorruptDataException found) {
                assertTrue(found.getMessage().startsWith("map:"), found.getMessage());
            }
        }
    }

    @Test
    void refusesMissingDoubledAndForeignLines() throws Exception {
        String head = "{\"version\":1,\"later\":{\"x\":[1]}}\n";
        for (String text : List.of(
                "",
                "{}\n",
                "{\"version\":2}\n{\"databases\":0,\"digest\":\"" + "0".repeat(32) + "\"}\n",
                head,
                head + "{\"path\":\"/a\",\"replica\":\"a\"}\n",
                head + "{\"path\":\"/a\",\"replica\":\"a\"}\n{\"databases\":0,\"digest\":\"" + "0".repeat(32) + "\"}\n",
                head + "{\"databases\":0,\"digest\":\"" + "0".repeat(32) + "\"}\n{\"path\":\"/a\"}\n",
                head + "[1]\n")) {
            assertThrows(CorruptDataException.class, () -> read(compressed(text)), text);
        }
        assertEquals(List.of(), read(compressed(head + "{\"databases\":0,\"digest\":\"" + "0".repeat(32) + "\"}\n")));
    }

    @Test
    void aHundredThousandDatabasesFitIntoAFewMegabytes() {
        AtomicLong seen = new AtomicLong();
        try (PathMap.Writer writer = new PathMap.Writer(FIRST, Instant.EPOCH)) {
            for (int i = 0; i < 100_000; i++) {
                writer.add(new Entry(
                        "/data/shop-" + i / 1000 + "/databases/orders/branches/main/tenants/tenant-" + i + ".db",
                        "shop-" + i / 1000 + "/orders/main/tenant-" + i));
            }
            byte[] map = writer.finish();
            assertTrue(map.length < 4 << 20, map.length + " bytes");
            PathMap.read(new ByteArrayInputStream(map), "map", entry -> seen.incrementAndGet());
        }
        assertEquals(100_000, seen.get());
    }

    // ---- kept

    private CountingRoot root() {
        return new CountingRoot(new FileRootStore(directory));
    }

    private PathMapKeeper keeper(CountingRoot root, Owner owner, Duration interval) {
        return new PathMapKeeper(
                root,
                owner,
                interval,
                (path, pattern) -> directory.resolve("p" + pattern + path).toString(),
                Time.system());
    }

    private int add(byte[] name) {
        try (PathTable.Locked locked = table.lock()) {
            byte[] parent = "/data".getBytes(UTF_8);
            int known = locked.directories().find(PathTable.NONE, parent, parent.length);
            int id = known != PathTable.NONE ? known : locked.directories().add(PathTable.NONE, parent, parent.length);
            int row = locked.rows().add(id, name, name.length, 3);
            locked.rows().discovered(row, new DatabaseStamp(row + 1, 7, row + 1, false, false, false, 1_700_000_000));
            return row;
        }
    }

    private List<Entry> stored() throws IOException {
        return read(Files.readAllBytes(directory.resolve("_loomstream/node-1/databases.jsonl.gz")));
    }

    @Test
    void saysWhatTheTableHasAndCountsWhatItCannotSay() throws Exception {
        add("a.db".getBytes(UTF_8));
        add(new byte[] {'b', (byte) 0xE9, '.', 'd', 'b'});
        int gone = add("c.db".getBytes(UTF_8));
        assertTrue(table.transition(gone, Tier.DISCOVERED, Tier.GONE));
        PathMapKeeper keeper = keeper(root(), FIRST, Duration.ZERO);
        keeper.takeOver();
        keeper.changed();

        assertTrue(keeper.keep(table, false));

        assertEquals(List.of(new Entry("/data/a.db", "p3/data/a.db")), stored());
        assertEquals(1, keeper.unnamed());
    }

    @Test
    void asksNothingWhileNoDatabaseComesOrGoes() {
        add("a.db".getBytes(UTF_8));
        CountingRoot root = root();
        PathMapKeeper keeper = keeper(root, FIRST, Duration.ZERO);
        keeper.takeOver();
        keeper.changed();
        assertTrue(keeper.keep(table, false));
        int before = root.requests.get();
        for (int i = 0; i < 1000; i++) {
            assertFalse(keeper.keep(table, false));
        }
        assertEquals(before, root.requests.get());
    }

    @Test
    void aRestartOverTheSameDatabasesWritesNothing() {
        add("a.db".getBytes(UTF_8));
        CountingRoot root = root();
        PathMapKeeper first = keeper(root, FIRST, Duration.ZERO);
        first.takeOver();
        first.changed();
        first.keep(table, false);
        PathMapKeeper second = keeper(root, SECOND, Duration.ZERO);
        second.takeOver();
        second.changed();
        assertFalse(second.keep(table, true));
        assertEquals(1, root.writes.get());
    }

    @Test
    void isNotWrittenMoreOftenThanItsIntervalButAtTheEnd() throws Exception {
        CountingRoot root = root();
        PathMapKeeper keeper = keeper(root, FIRST, Duration.ofHours(1));
        keeper.takeOver();
        for (int i = 0; i < 5; i++) {
            add(("a" + i + ".db").getBytes(UTF_8));
            keeper.changed();
            keeper.keep(table, false);
        }
        assertEquals(1, root.writes.get());
        assertTrue(keeper.keep(table, true));
        assertEquals(5, stored().size());
    }

    @Test
    void theProcessThatWasOvertakenIsTold() throws Exception {
        add("a.db".getBytes(UTF_8));
        PathMapKeeper first = keeper(root(), FIRST, Duration.ZERO);
        first.takeOver();
        PathMapKeeper second = keeper(root(), SECOND, Duration.ZERO);
        second.takeOver();
        second.changed();
        second.keep(table, false);
        first.changed();
        ConflictException told = assertThrows(ConflictException.class, () -> first.keep(table, false));
        assertTrue(told.getMessage().contains("alpha"), told.getMessage());
        assertEquals(1, stored().size());
    }

    @Test
    void aStoreThatWasAwayAtTheStartIsTakenOverLater() throws Exception {
        add("a.db".getBytes(UTF_8));
        CountingRoot root = root();
        PathMapKeeper first = keeper(root, FIRST, Duration.ZERO);
        first.takeOver();
        first.changed();
        first.keep(table, false);
        add("b.db".getBytes(UTF_8));
        PathMapKeeper second = keeper(root, SECOND, Duration.ZERO);
        root.away.set(true);
        assertThrows(TransientStorageException.class, second::takeOver);
        second.changed();
        assertThrows(TransientStorageException.class, () -> second.keep(table, false));
        root.away.set(false);
        assertTrue(second.keep(table, false), "what failed is not forgotten");
        assertEquals(2, stored().size());
    }
}
