package io.loomstream.engine.fleet;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PathTableTest {
    private final PathTable table = new PathTable();

    private static DatabaseStamp stamp(long digest, boolean racy) {
        return new DatabaseStamp(digest, 7, (int) digest | 1, false, false, racy, 1_700_000_000);
    }

    private int directory(int parent, String name) {
        try (PathTable.Locked locked = table.lock()) {
            byte[] bytes = name.getBytes(UTF_8);
            int found = locked.directories().find(parent, bytes, bytes.length);
            return found != PathTable.NONE ? found : locked.directories().add(parent, bytes, bytes.length);
        }
    }

    private int add(int directory, String name) {
        return add(directory, name.getBytes(UTF_8));
    }

    private int add(int directory, byte[] name) {
        try (PathTable.Locked locked = table.lock()) {
            int row = locked.rows().add(directory, name, name.length, 3);
            locked.rows().discovered(row, stamp(1000L + row, false));
            return row;
        }
    }

    private void remove(int row) {
        assertTrue(table.transition(row, table.tier(row).orElseThrow(), Tier.GONE));
        assertTrue(table.remove(row));
    }

    private void reclaim(int directory) {
        try (PathTable.Locked locked = table.lock()) {
            locked.rows().reclaim(directory);
        }
    }

    private int find(String path) {
        return table.find(path.getBytes(UTF_8));
    }

    @Test
    void rowKeepsPathPatternAndTime() {
        int row = add(directory(directory(PathTable.NONE, "/data"), "a b"), "x\n.db");
        assertEquals(Optional.of(Path.of("/data/a b/x\n.db")), table.path(row));
        assertEquals(row, find("/data/a b/x\n.db"));
        assertEquals(PathTable.NONE, find("/data/a b/x.db"));
        assertEquals(PathTable.NONE, find("/data"));
        assertEquals(PathTable.NONE, find("/other/x.db"));
        assertEquals(3, table.pattern(row));
        assertEquals(1_700_000_000L, table.writtenSeconds(row));
        assertEquals(Optional.of(Tier.DISCOVERED), table.tier(row));
        assertEquals(Optional.empty(), table.tier(row + 1));
    }

    @Test
    void fileSystemRootIsADirectoryLikeAnother() {
        int row = add(directory(PathTable.NONE, ""), "x.db");
        assertEquals(Optional.of(Path.of("/x.db")), table.path(row));
        assertEquals(row, find("/x.db"));
    }

    @Test
    void nameThatIsNoTextIsKeptByteForByteAndHasNoJavaPath() {
        byte[] name = {'a', (byte) 0xE9, '.', 'd', 'b'};
        int row = add(directory(PathTable.NONE, "/d"), name);
        byte[] path = {'/', 'd', '/', 'a', (byte) 0xE9, '.', 'd', 'b'};
        assertArrayEquals(path, table.pathBytes(row));
        assertEquals(row, table.find(path));
        assertEquals(Optional.empty(), table.path(row));
        assertEquals("/d/a\\e9.db", PathText.of(path));
    }

    @Test
    void onlyAllowedWaysLeadFromTierToTier() {
        int row = add(directory(PathTable.NONE, "/d"), "x.db");
        for (Tier from : Tier.values()) {
            for (Tier to : Tier.values()) {
                if (to.isSettled()) {
                    assertThrows(IllegalArgumentException.class, () -> table.transition(row, from, to));
                    if (!from.mayBecome(to)) {
                        assertThrows(
                                IllegalArgumentException.class, () -> table.settle(row, from, to, stamp(5, false)));
                    }
                } else if (!from.mayBecome(to)) {
                    assertThrows(IllegalArgumentException.class, () -> table.transition(row, from, to));
                }
            }
        }
        assertFalse(Tier.FAILED.mayBecome(Tier.COLD_CLEAN));
        assertFalse(table.transition(row, Tier.HOT, Tier.COLD_DIRTY), "it is not hot");
        assertTrue(table.transition(row, Tier.DISCOVERED, Tier.SEEDING));
        assertEquals(1, table.count(Tier.SEEDING));
        assertEquals(0, table.count(Tier.DISCOVERED));
        assertArrayEquals(new int[] {row}, table.rows(Tier.SEEDING));
    }

    @Test
    void racyStampMakesNothingClean() {
        int row = add(directory(PathTable.NONE, "/d"), "x.db");
        assertThrows(
                IllegalArgumentException.class,
                () -> table.settle(row, Tier.DISCOVERED, Tier.COLD_CLEAN, stamp(9, true)));
        assertEquals(Optional.of(Tier.DISCOVERED), table.tier(row));
        assertTrue(table.settle(row, Tier.DISCOVERED, Tier.IGNORED, stamp(9, true)));
        assertEquals(DatabaseStamp.UNPROVEN, table.digest(row));
    }

    @Test
    void differenceEndsProofAndTierAtOnce() {
        int row = add(directory(PathTable.NONE, "/d"), "x.db");
        assertTrue(table.settle(row, Tier.DISCOVERED, Tier.COLD_CLEAN, stamp(9, false)));
        assertEquals(9, table.digest(row));
        try (PathTable.Locked locked = table.lock()) {
            assertEquals(Rows.Observed.UNCHANGED, locked.rows().observe(row, stamp(9, false)));
            assertEquals(Rows.Observed.WRITTEN, locked.rows().observe(row, stamp(8, false)));
            assertEquals(Rows.Observed.BUSY, locked.rows().observe(row, stamp(7, false)));
        }
        assertEquals(DatabaseStamp.UNPROVEN, table.digest(row));
        assertEquals(Optional.of(Tier.COLD_DIRTY), table.tier(row));
    }

    @Test
    void proofThatBecomesRacyAgainIsNoneSinceTheClockWentBack() {
        int row = add(directory(PathTable.NONE, "/d"), "x.db");
        assertTrue(table.settle(row, Tier.DISCOVERED, Tier.COLD_CLEAN, stamp(9, false)));
        try (PathTable.Locked locked = table.lock()) {
            assertEquals(Rows.Observed.WRITTEN, locked.rows().observe(row, stamp(9, true)));
        }
    }

    @Test
    void keptDigestProvesOnlyWhatWasSeen() {
        int row = add(directory(PathTable.NONE, "/d"), "x.db");
        assertFalse(table.settleAsKept(row, DatabaseStamp.UNPROVEN));
        assertFalse(table.settleAsKept(row, 4711));
        assertTrue(table.settleAsKept(row, 1000L + row));
        assertEquals(Optional.of(Tier.COLD_CLEAN), table.tier(row));
    }

    @Test
    void removedRowComesBackOnlyAfterItsDirectoryWasReclaimed() {
        int directory = directory(PathTable.NONE, "/d");
        int row = add(directory, "x.db");
        assertFalse(table.remove(row), "it is not GONE");
        remove(row);
        assertEquals(PathTable.NONE, find("/d/x.db"));
        assertThrows(IllegalArgumentException.class, () -> table.pathBytes(row));
        int other = add(directory, "x.db");
        assertTrue(other != row);
        reclaim(directory);
        assertEquals(row, add(directory, "y.db"));
        assertEquals(other, find("/d/x.db"));
        assertEquals(row, find("/d/y.db"));
    }

    @Test
    void holdsWhatAMapHoldsThroughManyAddsAndRemoves() {
        Random random = Seeds.random("holdsWhatAMapHoldsThroughManyAddsAndRemoves");
        Map<String, Integer> model = new HashMap<>();
        int root = directory(PathTable.NONE, "/r");
        for (int step = 0; step < 60_000; step++) {
            String folder = "d" + random.nextInt(20);
            int directory = directory(root, folder);
            String name = "n".repeat(random.nextInt(4) * 60) + random.nextInt(40) + ".db";
            String path = "/r/" + folder + "/" + name;
            Integer row = model.get(path);
            if (row == null) {
                model.put(path, add(directory, name));
            } else {
                remove(row);
                model.remove(path);
            }
            if (random.nextInt(50) == 0) {
                reclaim(directory);
            }
            if (step % 6_000 == 0) {
                model.forEach((known, id) -> {
                    assertEquals(id, find(known));
                    assertEquals(known, new String(table.pathBytes(id), UTF_8));
                });
                assertEquals(model.size(), table.size());
            }
        }
        assertEquals(model.size(), table.size());
        assertEquals(
                model.values().stream().mapToInt(id -> id).sorted().boxed().toList(),
                Arrays.stream(table.rows(Tier.DISCOVERED)).sorted().boxed().toList());
        assertTrue(table.limit() < 6_000, "rows are used again: " + table.limit());
    }

    private void fill(int databases, int perDirectory) {
        int root = directory(PathTable.NONE, "/data");
        int directory = PathTable.NONE;
        for (int i = 0; i < databases; i++) {
            if (i % perDirectory == 0) {
                directory = directory(root, "project-%04d".formatted(i / perDirectory));
            }
            add(directory, "tenant-%06d.db".formatted(i));
        }
    }

    @Test
    void hundredThousandRowsStayNearTheGoalOf64Bytes() {
        fill(100_000, 100);
        double bytes = table.memoryBytes() / 100_000.0;
        System.out.printf("%.1f bytes a database%n", bytes);
        assertTrue(bytes < 80, bytes + " bytes a database");
        long counted = table.memoryBytes() - arrayBytes();
        assertTrue(Math.abs(counted) < 4096, "the table counts its own arrays wrongly by " + counted);
    }

    @Test
    void oneDatabaseADirectoryStaysUnderTheLimitOf240Bytes() {
        fill(100_000, 1);
        double bytes = table.memoryBytes() / 100_000.0;
        System.out.printf("%.1f bytes a database with a directory of its own%n", bytes);
        assertTrue(bytes < 160, bytes + " bytes a database");
    }

    @Test
    void numberOfObjectsDoesNotGrowWithTheRows() {
        fill(100, 10);
        int few = reachable().size();
        fill(50_000, 10);
        assertEquals(few, reachable().size());
    }

    @Test
    void millionRowsWork() {
        fill(1_000_000, 1_000);
        assertEquals(1_000_000, table.size());
        Random random = Seeds.random("millionRowsWork");
        for (int i = 0; i < 1_000; i++) {
            int n = random.nextInt(1_000_000);
            int row = find("/data/project-%04d/tenant-%06d.db".formatted(n / 1_000, n));
            assertEquals(n, row);
        }
        assertTrue(table.memoryBytes() < 80_000_000, table.memoryBytes() + " bytes");
    }

    private long arrayBytes() {
        long sum = 0;
        for (Object object : reachable()) {
            if (object.getClass().isArray() && object.getClass().componentType().isPrimitive()) {
                Class<?> type = object.getClass().componentType();
                int size = type == long.class ? 8 : type == int.class ? 4 : type == short.class ? 2 : 1;
                sum += (long) Array.getLength(object) * size;
            }
        }
        return sum;
    }

    /** Every object of ours, and every array, that the table refers to. */
    private Set<Object> reachable() {
        Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        Deque<Object> open = new ArrayDeque<>();
        open.add(table);
        while (!open.isEmpty()) {
            Object object = open.pop();
            if (!seen.add(object)) {
                continue;
            }
            if (object instanceof Object[] array) {
                Arrays.stream(array).filter(one -> one != null).forEach(open::add);
            }
            if (object.getClass().getName().startsWith("io.loomstream")) {
                for (Field field : object.getClass().getDeclaredFields()) {
                    follow(object, field).ifPresent(open::add);
                }
            }
        }
        return seen;
    }

    private static Optional<Object> follow(Object object, Field field) {
        if (Modifier.isStatic(field.getModifiers()) || field.getType().isPrimitive()) {
            return Optional.empty();
        }
        try {
            field.setAccessible(true);
            return Optional.ofNullable(field.get(object));
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }
}
