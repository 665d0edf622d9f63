package io.loomstream.engine.fleet;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.posix.StatBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * File systems stamp changes with ticks of 1 ms to 2 s. A change in the tick of the last look leaves no trace in the times,
 * often none in the size either: what was seen within a tick of its change proves nothing. Real file systems here have fine
 * ticks, so this one is made.
 */
class RacyScanTest {
    private static final int DATABASES = 6;
    private static final int STEPS = 4_000;

    /** No sweep comes to the rescue. */
    private static final Duration NEVER = Duration.ofDays(36_500);

    /** Writers, a scanner, and a replicator that copies what the scanner reports. */
    private static final class World implements ScanListener {
        final Random random;
        final FakeFiles files;
        final PathTable table = new PathTable();
        final Scanner scanner;
        final Map<String, Integer> version = new HashMap<>();
        final Map<String, Integer> copied = new HashMap<>();
        final Set<Integer> dirty = new LinkedHashSet<>();
        int spuriousLooks;
        boolean writing = true;

        World(Duration tick, Random random) {
            this.random = random;
            this.files = new FakeFiles(tick);
            this.scanner = new Scanner(
                    table, Selection.ofPatterns(List.of("/f/*/*.db"), List.of()), () -> files, files, this, NEVER);
            files.make("/f", true);
            for (int i = 0; i < DATABASES; i++) {
                if (!files.exists(folder(i))) {
                    files.make(folder(i), true);
                }
                files.make(path(i), false);
                version.put(path(i), 0);
            }
        }

        private static String folder(int i) {
            return "/f/d" + i % 2;
        }

        private static String path(int i) {
            return folder(i) + "/" + i + ".db";
        }

        /** One transaction by a writer with one of the habits that leave the least trace. */
        void write() {
            String database = path(random.nextInt(DATABASES));
            String wal = database + "-wal";
            String journal = database + "-journal";
            switch (random.nextInt(4)) {
                case 0 -> {
                    // A connection stays: the WAL is written again from its start, of the same size as ever.
                    if (!files.exists(wal)) {
                        files.make(wal, false);
                    }
                    files.touch(wal);
                }
                case 1 -> {
                    // Open, write, close: the WAL is gone again, the database file changed in place.
                    if (!files.exists(wal)) {
                        files.make(wal, false);
                    }
                    files.touch(database);
                    files.remove(wal);
                }
                case 2 -> {
                    // A rollback journal comes and goes.
                    if (!files.exists(journal)) {
                        files.make(journal, false);
                    }
                    files.touch(database);
                    files.remove(journal);
                }
                default -> {
                    // A persistent journal is written and its header zeroed.
                    if (!files.exists(journal)) {
                        files.make(journal, false);
                    }
                    files.touch(journal);
                    files.touch(database);
                }
            }
            version.merge(database, 1, Integer::sum);
        }

        void sometimes() {
            if (writing && random.nextInt(12) == 0) {
                files.advance(random.nextInt(3_000_000));
                write();
            }
        }

        /** Copies dirty databases: stamp first, content after, clean only by a stamp that proves something. */
        void copy() {
            for (int row : List.copyOf(dirty)) {
                String path = new String(table.pathBytes(row), UTF_8);
                DatabaseStamp stamp = stamp(path);
                sometimes();
                copied.put(path, version.get(path));
                if (!stamp.racy()) {
                    Tier from = table.tier(row).orElseThrow();
                    assertTrue(table.settle(row, from, Tier.COLD_CLEAN, stamp));
                    dirty.remove(row);
                }
            }
        }

        private DatabaseStamp stamp(String path) {
            Instant now = files.now();
            StatBuffer file = new StatBuffer();
            StatBuffer wal = new StatBuffer();
            StatBuffer journal = new StatBuffer();
            assertEquals(0, stat(path, file));
            boolean hasWal = stat(path + "-wal", wal) == 0;
            boolean hasJournal = stat(path + "-journal", journal) == 0;
            return DatabaseStamp.of(
                    file,
                    hasWal ? wal : null,
                    hasJournal ? journal : null,
                    now.getEpochSecond() * 1_000_000_000L + now.getNano());
        }

        private int stat(String path, StatBuffer into) {
            byte[] bytes = path.getBytes(UTF_8);
            return files.stat(bytes, bytes.length, false, into);
        }

        /** How many databases are taken for clean though their copy is old, after everything has come to rest. */
        int lost() throws InterruptedException {
            files.meanwhile(() -> {});
            for (int i = 0; i < 4; i++) {
                files.advance(Duration.ofSeconds(5).toNanos());
                scanner.pass();
                copy();
            }
            assertEquals(DATABASES, table.count(Tier.COLD_CLEAN), "everything is clean in the end");
            int lost = 0;
            for (Map.Entry<String, Integer> one : version.entrySet()) {
                lost += one.getValue().equals(copied.get(one.getKey())) ? 0 : 1;
            }
            return lost;
        }

        int run(int steps) throws InterruptedException {
            int lost = 0;
            for (int round = 0; round < 8; round++) {
                files.meanwhile(this::sometimes);
                for (int step = 0; step < steps / 8; step++) {
                    switch (random.nextInt(4)) {
                        case 0 -> files.advance(random.nextInt(60_000_000));
                        case 1 -> files.advance(random.nextInt(2_000_000_000) + 400_000_000L);
                        case 2 -> scanner.pass();
                        default -> copy();
                    }
                }
                lost += lost();
            }
            return lost;
        }

        @Override
        public void appeared(int row) {
            dirty.add(row);
        }

        @Override
        public void written(int row, boolean replaced) {
            dirty.add(row);
            String path = new String(table.pathBytes(row), UTF_8);
            if (version.get(path).equals(copied.get(path))) {
                spuriousLooks++;
            }
        }

        @Override
        public void gone(int row) {
            throw new AssertionError("nothing goes");
        }

        @Override
        public void unknown(int row, String why) {
            throw new AssertionError(why);
        }

        @Override
        public void unreadable(byte[] directory, String why) {
            throw new AssertionError(why);
        }

        @Override
        public void refused(byte[] path, Refusal why, int row) {
            throw new AssertionError(why);
        }

        @Override
        public void incident(int missing, int known) {
            throw new AssertionError("nothing vanishes");
        }

        @Override
        public void finished(PassReport report) {
            assertEquals(0, report.events().listenerFailures());
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 10, 1_000, 2_000})
    void noChangeIsLostWhateverTheTick(long tickMillis) throws InterruptedException {
        World world =
                new World(Duration.ofMillis(tickMillis), Seeds.random("noChangeIsLostWhateverTheTick " + tickMillis));
        assertEquals(0, world.run(STEPS));
        assertTrue(world.version.values().stream().mapToInt(n -> n).sum() > STEPS / 4, "hardly anything was written");
    }

    @ParameterizedTest
    @ValueSource(longs = {1_000, 2_000})
    void withoutTheRuleChangesAreLost(long tickMillis) throws InterruptedException {
        int lost = 0;
        for (int seed = 0; seed < 10; seed++) {
            World world = new World(Duration.ofMillis(tickMillis), new Random(seed));
            // A scanner whose clock is an hour ahead takes every change for an old one.
            world.files.clockError(Duration.ofHours(1));
            lost += world.run(STEPS);
        }
        assertTrue(lost > 0, "this test cannot find what it is for");
    }

    @ParameterizedTest
    @ValueSource(longs = {10, 2_000})
    void noChangeIsLostWhenTheClockIsSetBackAndForth(long tickMillis) throws InterruptedException {
        Random random = Seeds.random("noChangeIsLostWhenTheClockIsSetBackAndForth " + tickMillis);
        World world = new World(Duration.ofMillis(tickMillis), random);
        for (int jump = 0; jump < 6; jump++) {
            assertEquals(0, world.run(400));
            // The one clock of machine and file system.
            world.files.setClock(Duration.ofMillis(random.nextInt(20_000) - 12_000));
        }
    }

    @Test
    void restIsCheap() throws InterruptedException {
        World world = new World(Duration.ofMillis(1), new Random(2));
        world.writing = false;
        world.scanner.pass();
        world.files.advance(Duration.ofSeconds(5).toNanos());
        world.copy();
        world.scanner.pass();
        world.files.advance(Duration.ofSeconds(5).toNanos());
        PassReport idle = world.scanner.pass();
        assertEquals(new PassReport.Work(3, 0, 0), idle.work());
        assertEquals(0, world.spuriousLooks);
    }
}
