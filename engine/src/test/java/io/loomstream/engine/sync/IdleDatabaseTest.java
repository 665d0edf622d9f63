package io.loomstream.engine.sync;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.sync.DatabaseSync.Look;
import io.loomstream.engine.testing.AppProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Nothing is ever written to a user's database. */
class IdleDatabaseTest {
    @TempDir
    Path directory;

    /** A clock that goes on by itself and can be moved ahead; a sleep moves it. */
    private static final class MovableTime implements Time {
        private Duration ahead = Duration.ZERO;

        @Override
        public Instant now() {
            return Time.system().now().plus(ahead);
        }

        @Override
        public long nanoTime() {
            return System.nanoTime() + ahead.toNanos();
        }

        @Override
        public void sleep(Duration duration) {
            ahead = ahead.plus(duration);
        }
    }

    /** Digest, size, times and inode of the database and of each file beside it; the {@code -shm} by its existence. */
    private Map<String, String> state(Captured captured) throws Exception {
        Map<String, String> state = new TreeMap<>();
        for (String suffix : new String[] {"", "-wal", "-shm", "-journal"}) {
            Path file = directory.resolve("app.db" + suffix);
            if (!Files.exists(file)) {
                continue;
            }
            String digest = suffix.equals("-shm")
                    ? "exists"
                    : HexFormat.of()
                            .formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
            state.put(
                    suffix,
                    suffix.equals("-shm")
                            ? digest
                            : digest.substring(0, 16) + " "
                                    + captured.services()
                                            .files(file)
                                            .statDatabase()
                                            .orElseThrow());
        }
        return state;
    }

    private static String schema(Captured captured) throws IOException, InterruptedException {
        // immutable: this look must not change anything itself
        return Captured.sqlite(
                Path.of("file:" + captured.database + "?immutable=1"),
                "select type, name, sql from sqlite_schema; pragma page_count; pragma user_version;"
                        + " pragma schema_version; pragma journal_mode");
    }

    @ParameterizedTest
    @EnumSource(names = {"AUTO", "CONNECTION", "NONE"})
    void anHourOfLooksChangesNothingBesideAnApplicationThatIsIdle(HoldMode hold) throws Exception {
        MovableTime time = new MovableTime();
        try (Captured captured = new Captured(directory).with(time);
                AppProcess app = AppProcess.start()) {
            app.open("a", captured.database)
                    .exec("a", "pragma journal_mode=wal")
                    .exec("a", "create table t(x)");
            app.exec("a", "insert into t values (1)").exec("a", "pragma wal_checkpoint(PASSIVE)");
            captured.start(hold).settle();
            time.ahead = time.ahead.plusSeconds(10); // a look without a hold goes by times, which are still racy
            captured.look();
            Map<String, String> before = state(captured);
            String schema = schema(captured);
            long txid = captured.txid();
            for (int second = 0; second < 3600; second++) {
                time.ahead = time.ahead.plusSeconds(1);
                assertEquals(Look.QUIET, captured.look());
            }
            assertEquals(before, state(captured));
            assertEquals(schema, schema(captured));
            assertFalse(schema.contains("_litestream"), schema);
            assertEquals(txid, captured.txid());
            assertEquals(1, Restored.files(captured.replica));
        }
    }

    @Test
    void anHourOfLooksChangesNothingWhereNoApplicationIs() throws Exception {
        MovableTime time = new MovableTime();
        try (Captured captured = new Captured(directory).with(time)) {
            try (AppProcess app = AppProcess.start()) {
                app.open("a", captured.database)
                        .exec("a", "pragma journal_mode=wal")
                        .exec("a", "create table t(x)");
                app.exec("a", "insert into t values (1)");
            }
            Map<String, String> before = state(captured);
            String schema = schema(captured);
            captured.settle();
            for (int second = 0; second < 3600; second++) {
                time.ahead = time.ahead.plusSeconds(1);
                assertEquals(Look.QUIET, captured.look());
            }
            assertEquals(before, state(captured), "also the side files are gone again");
            assertEquals(schema, schema(captured));
            assertEquals(1, captured.txid());
        }
    }

    /** What promotion and demotion come to: a hold is taken and given up again. */
    @ParameterizedTest
    @EnumSource(names = {"AUTO", "CONNECTION"})
    void aHundredHoldsOfAnIdleDatabaseAreAFixedPoint(HoldMode hold) throws Exception {
        try (Captured captured = new Captured(directory)) {
            try (AppProcess app = AppProcess.start()) {
                app.open("a", captured.database)
                        .exec("a", "pragma journal_mode=wal")
                        .exec("a", "create table t(x)");
                app.exec("a", "insert into t values (1)");
            }
            captured.start(hold);
            rest(captured);
            Map<String, String> before = state(captured);
            long txid = captured.txid();
            for (int cycle = 0; cycle < 100; cycle++) {
                captured.start(hold);
                rest(captured);
                assertEquals(before, state(captured), "cycle " + cycle);
            }
            assertEquals(txid, captured.txid(), "nothing was copied");
            assertEquals(1, Restored.files(captured.replica), "nothing was uploaded");
        }
    }

    /** Looks until the last close is made. */
    private static void rest(Captured captured) {
        captured.catchUp();
        Awaitility.await()
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(2))
                .atMost(Duration.ofSeconds(20))
                .until(() -> {
                    captured.look();
                    return !captured.hasWal();
                });
    }

    @Test
    void aHundredStopsAndStartsBesideAnApplicationAreAFixedPoint() throws Exception {
        try (Captured captured = new Captured(directory);
                AppProcess app = AppProcess.start()) {
            app.open("a", captured.database)
                    .exec("a", "pragma journal_mode=wal")
                    .exec("a", "create table t(x)");
            app.exec("a", "insert into t values (1)");
            captured.settle();
            FileFingerprint database = captured.cursor().database();
            byte[] wal = Files.readAllBytes(captured.wal());
            FileTime walModified = Files.getLastModifiedTime(captured.wal());
            for (int cycle = 0; cycle < 100; cycle++) {
                captured.start().catchUp();
            }
            assertEquals(database, captured.cursor().database());
            assertArrayEquals(wal, Files.readAllBytes(captured.wal()));
            assertEquals(walModified, Files.getLastModifiedTime(captured.wal()));
            assertEquals(1, captured.txid());
        }
    }
}
