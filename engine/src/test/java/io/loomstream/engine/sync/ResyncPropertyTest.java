package io.loomstream.engine.sync;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.AssertionFailedError;

/**
 * Random lives of a database, with a replicator that is away most of the time: after every return the restored database is
 * the source, byte for byte. Two wrong page hashes show that the test would notice.
 */
class ResyncPropertyTest {
    private static final long SEED = Long.getLong("loomstream.seed", System.nanoTime());
    private static final int ROUNDS = Integer.getInteger("loomstream.rounds", 60);

    @TempDir
    Path directory;

    /** Lets the application do something while pages are read, now and then. */
    private static final class Interfering implements PageHash {
        private final PageHash hash;
        private Runnable what;
        private int atPage;

        Interfering(PageHash hash) {
            this.hash = hash;
        }

        void arm(int page, Runnable interference) {
            atPage = page;
            what = interference;
        }

        @Override
        public void of(Key key, int number, byte[] buffer, int offset, int pageSize, long[] result) {
            Runnable now = what;
            if (now != null && number >= atPage) {
                what = null;
                now.run();
            }
            hash.of(key, number, buffer, offset, pageSize, result);
        }
    }

    /** One database and what happens to it. */
    private static final class Life {
        private final Setting s;
        private final Random random;
        private final Interfering hash;
        private final Path backup;
        private boolean connected;

        Life(Path directory, PageHash hash, long seed) {
            this.hash = new Interfering(hash);
            this.s = new Setting(directory, this.hash, JournalPolicy.WAL);
            this.random = new Random(seed);
            this.backup = directory.resolve("backup.db");
        }

        void live(int rounds) throws IOException, InterruptedException {
            try (s) {
                connect();
                s.app.exec("a", "pragma journal_mode=wal");
                s.app.exec("a", "create table t(id integer primary key, x)");
                s.app.exec("a", "create table flag(id integer primary key, v)");
                s.app.exec("a", "insert into flag values (1, zeroblob(3000)), (2, zeroblob(3000))");
                s.app.exec("a", insert());
                s.catchUp();
                for (int round = 1; round <= rounds; round++) {
                    round();
                    s.assertRestoresToSource("seed " + SEED + ", round " + round);
                }
            }
        }

        private void round() throws IOException {
            boolean away = random.nextInt(4) > 0;
            if (away) {
                s.crash();
            }
            for (int i = random.nextInt(1, 5); i > 0; i--) {
                act();
                if (!away && random.nextBoolean()) {
                    s.catchUp();
                }
            }
            if (random.nextInt(3) == 0) {
                connect();
                String sql = random.nextBoolean() ? insert() : flag();
                hash.arm(random.nextInt(1, 200), () -> {
                    s.app.exec("a", sql);
                    if (random.nextBoolean()) {
                        s.app.tryExec("a", "pragma wal_checkpoint(passive)");
                    }
                });
            }
            s.catchUp();
            hash.arm(0, null);
            s.catchUp();
        }

        private void act() throws IOException {
            connect();
            switch (random.nextInt(10)) {
                case 0, 1 -> s.app.exec("a", insert());
                case 2 -> s.app.exec("a", "delete from t where id % 7 = " + random.nextInt(7));
                case 3 -> s.app.exec("a", "update t set x = x where id % 5 = " + random.nextInt(5));
                case 4 -> s.app.tryExec("a", "vacuum");
                case 5 -> s.app.tryExec("a", "pragma wal_checkpoint(truncate)");
                case 6 -> s.app.tryExec("a", "pragma wal_checkpoint(passive)");
                case 7, 8 -> s.app.exec("a", flag());
                default -> restoreOrBackUp();
            }
            if (random.nextInt(3) > 0) {
                disconnect();
            }
        }

        private void restoreOrBackUp() throws IOException {
            disconnect();
            if (Files.exists(s.directory().resolve("app.db-wal"))) {
                return; // held, and so not all in the file
            }
            if (!Files.exists(backup)) {
                Files.copy(s.database, backup);
            } else if (random.nextBoolean()) {
                Files.move(backup, s.database, StandardCopyOption.REPLACE_EXISTING);
            } else {
                Files.write(s.database, Files.readAllBytes(backup));
                Files.delete(backup);
            }
        }

        private String insert() {
            return "insert into t(x) with recursive n(i) as (select 1 union all select i+1 from n where i<"
                    + random.nextInt(2, 60) + ") select randomblob(" + random.nextInt(10, 4000) + ") from n";
        }

        /** A page that has had this very content before: what an index that is behind takes for unchanged. */
        private String flag() {
            String content = random.nextBoolean() ? "zeroblob(3000)" : "hex(zeroblob(1500))";
            return "update flag set v = " + content + " where id = " + random.nextInt(1, 3);
        }

        private void connect() {
            if (!connected) {
                s.app.open("a", s.database, 1);
                connected = true;
            }
        }

        private void disconnect() {
            if (connected) {
                s.app.close("a");
                connected = false;
            }
        }
    }

    @Test
    void everyRestoreIsTheSource() throws Exception {
        System.out.println("ResyncPropertyTest -Dloomstream.seed=" + SEED);
        Life life = new Life(directory, new SipHash128(), SEED);
        life.live(ROUNDS);
        SyncCounters counters = life.s.services.counters();
        assertTrue(counters.differenceCopies() > ROUNDS / 4, counters.differenceCopies() + " diffs");
        assertTrue(counters.continued() > 0);
    }

    @Test
    void aHashOfTwoBitsIsFoundOut() {
        SipHash128 sip = new SipHash128();
        PageHash weak = (key, number, buffer, offset, pageSize, result) -> {
            sip.of(key, number, buffer, offset, pageSize, result);
            result[0] = (result[0] & 3) | 4;
            result[1] = 0;
        };
        assertFoundOut(weak);
    }

    @Test
    void anIndexThatIsNotAlwaysRolledForwardIsFoundOut() {
        SipHash128 sip = new SipHash128();
        Map<Integer, long[]> remembered = new HashMap<>();
        Random random = new Random(SEED);
        PageHash lazy = (key, number, buffer, offset, pageSize, result) -> {
            sip.of(new PageHash.Key(1, 2), number, buffer, offset, pageSize, result);
            if (random.nextInt(3) == 0) {
                long[] before = remembered.getOrDefault(number, result);
                System.arraycopy(before, 0, result, 0, 2);
            } else {
                remembered.put(number, result.clone());
            }
        };
        assertFoundOut(lazy);
    }

    private void assertFoundOut(PageHash wrong) {
        System.out.println("ResyncPropertyTest -Dloomstream.seed=" + SEED);
        Life life = new Life(directory, wrong, SEED);
        assertThrows(AssertionFailedError.class, () -> life.live(10 * ROUNDS));
    }
}
