package io.loomstream.engine.wal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.testing.AppProcess;
import io.loomstream.engine.testing.Seed;
import io.loomstream.engine.testing.WalSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * SQLite itself is the judge: it opens a copy of database and WAL, recovers what it finds valid and moves it into the
 * database file. Ours must see the same transactions, byte for byte, however the WAL was damaged.
 */
class SqliteOracleTest {
    private static AppProcess app;

    @TempDir
    private Path directory;

    private int copies;

    @BeforeAll
    static void startApplication() {
        app = AppProcess.start();
    }

    @AfterAll
    static void stopApplication() throws IOException {
        app.close();
    }

    /** A database whose last transactions are in its WAL only. */
    private static final class Written {
        private final byte[] database;
        private final byte[] wal;

        Written(Path database) throws IOException {
            this.database = Files.readAllBytes(database);
            this.wal = Files.readAllBytes(Path.of(database + "-wal"));
        }
    }

    private Written write(int pageSize, long seed) throws IOException {
        Path file = directory.resolve("written-" + pageSize + "-" + seed + ".db");
        Random random = new Random(seed);
        app.open("w", file)
                .exec("w", "PRAGMA page_size=" + pageSize)
                .exec("w", "PRAGMA journal_mode=wal")
                .exec("w", "PRAGMA synchronous=off")
                .exec("w", "PRAGMA wal_autocheckpoint=0")
                .exec("w", "CREATE TABLE t (id INTEGER PRIMARY KEY, x BLOB)");
        for (int i = 0; i < 20; i++) {
            if (i == 5) {
                app.exec("w", "PRAGMA wal_checkpoint(TRUNCATE)");
            }
            if (i == 9) {
                // From here on over frames of the WAL before.
                app.exec("w", "PRAGMA wal_checkpoint(RESTART)");
            }
            app.exec("w", "BEGIN");
            app.exec("w", "INSERT INTO t (x) VALUES (randomblob(" + (1 + random.nextInt(3 * pageSize / 2)) + "))");
            app.exec("w", "UPDATE t SET x = randomblob(" + random.nextInt(pageSize) + ") WHERE id % 5 = " + i % 5);
            app.exec("w", random.nextInt(4) == 0 ? "ROLLBACK" : "COMMIT");
        }
        if (random.nextBoolean()) {
            app.exec("w", "DELETE FROM t WHERE id % 3 <> 0").exec("w", "VACUUM");
        }
        Written written = new Written(file);
        app.close("w");
        return written;
    }

    /** What SQLite makes of the two files. */
    private byte[] recoveredBySqlite(byte[] database, byte[] wal) throws IOException {
        Path file = directory.resolve("copy-" + copies++ + ".db");
        Files.write(file, database);
        Files.write(Path.of(file + "-wal"), wal);
        app.open("r", file)
                .exec("r", "PRAGMA synchronous=off")
                .exec("r", "PRAGMA wal_checkpoint(TRUNCATE)")
                .close("r");
        byte[] recovered = Files.readAllBytes(file);
        Files.delete(file);
        return recovered;
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 1024, 2048, 4096, 8192, 16384, 32768, 65536})
    void committedPagesOfARealWalAreThoseThatSqliteSees(int pageSize) throws Exception {
        Written written = write(pageSize, Seed.random("real/" + pageSize).nextLong());
        byte[] ours = new WalBytes(written.wal).appliedTo(written.database);
        assertTrue(new WalBytes(written.wal).recovered().lastFrame() > 10);
        assertArrayEquals(recoveredBySqlite(written.database, written.wal), ours);
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 4096, 65536})
    void checksumsOfABigEndianMachineAreRead(int pageSize) throws Exception {
        Written written = write(pageSize, Seed.random("bigEndian/" + pageSize).nextLong());
        int frames = new WalBytes(written.wal).recovered().lastFrame();
        byte[] valid = Arrays.copyOf(
                written.wal, (int) new WalBytes(written.wal).header().endOfFrame(frames));
        byte[] wal = WalSpec.parse(valid).bigEndian().encode();

        byte[] ours = new WalBytes(wal).appliedTo(written.database);
        assertEquals(frames, new WalBytes(wal).recovered().lastFrame());
        assertArrayEquals(recoveredBySqlite(written.database, wal), ours);
        assertArrayEquals(recoveredBySqlite(written.database, valid), ours);
    }

    @Test
    void specWritesTheBytesThatSqliteWrites() throws Exception {
        byte[] wal = write(1024, 3).wal;
        int frames = new WalBytes(wal).recovered().lastFrame();
        byte[] valid = Arrays.copyOf(wal, (int) new WalBytes(wal).header().endOfFrame(frames));
        assertArrayEquals(valid, WalSpec.parse(valid).encode());
    }

    @ParameterizedTest
    @CsvSource({"512,false", "512,true", "1024,false", "4096,true"})
    void damagedWalGivesWhatSqliteRecoversFromIt(int pageSize, boolean bigEndian) throws Exception {
        Random random = Seed.random("mutations/" + pageSize);
        Written written = write(pageSize, random.nextLong());
        byte[] original = bigEndian ? WalSpec.parse(written.wal).bigEndian().encode() : written.wal;
        int different = 0;
        for (int round = 0; round < 150; round++) {
            byte[] wal = mutate(original, pageSize, random);
            byte[] sqlite = recoveredBySqlite(written.database, wal);
            assertArrayEquals(sqlite, new WalBytes(wal).appliedTo(written.database), "round " + round);
            different += Arrays.equals(sqlite, new WalBytes(original).appliedTo(written.database)) ? 0 : 1;
        }
        assertTrue(different > 30, different + " mutations mattered");
    }

    private static byte[] mutate(byte[] original, int pageSize, Random random) {
        byte[] wal = original.clone();
        int frameBytes = pageSize + WalHeader.FRAME_HEADER_BYTES;
        int frames = (wal.length - WalHeader.SIZE_BYTES) / frameBytes;
        int frame = WalHeader.SIZE_BYTES + random.nextInt(frames) * frameBytes;
        int other = WalHeader.SIZE_BYTES + random.nextInt(frames) * frameBytes;
        switch (random.nextInt(10)) {
            case 0 -> wal[random.nextInt(wal.length)] ^= (byte) (1 << random.nextInt(8));
            case 1 -> wal[random.nextInt(WalHeader.SIZE_BYTES)] ^= (byte) (1 << random.nextInt(8));
            case 2 -> wal[frame + random.nextInt(WalHeader.FRAME_HEADER_BYTES)] = (byte) random.nextInt();
            case 3 -> wal = Arrays.copyOf(wal, random.nextInt(wal.length));
            case 4 -> Arrays.fill(wal, frame, wal.length, (byte) 0);
            case 5 -> System.arraycopy(original, other, wal, frame, frameBytes);
            case 6 -> Arrays.fill(wal, frame, frame + Integer.BYTES, (byte) 0);
            case 7 -> wal = reencodedWithoutSomeFrames(original, random);
            case 8 -> {
                // The next WAL's first frames over this one's.
                byte[] young =
                        WalSpec.of(pageSize, random.nextInt(), random.nextInt()).encode();
                System.arraycopy(young, 0, wal, 0, young.length);
            }
            default -> wal = Arrays.copyOf(wal, wal.length + random.nextInt(2 * frameBytes));
        }
        return wal;
    }

    /** Valid checksums to a random end, then the bytes that were there. */
    private static byte[] reencodedWithoutSomeFrames(byte[] original, Random random) {
        WalSpec all = WalSpec.parse(original);
        int length = original.length - random.nextInt(original.length - WalHeader.SIZE_BYTES);
        byte[] wal = WalSpec.parse(Arrays.copyOf(original, Math.max(WalHeader.SIZE_BYTES, length)))
                .encode();
        assertTrue(all.frames() > 0);
        byte[] file = original.clone();
        System.arraycopy(wal, 0, file, 0, wal.length);
        return file;
    }
}
