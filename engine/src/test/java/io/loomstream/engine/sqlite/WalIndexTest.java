package io.loomstream.engine.sqlite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.sqlite.WalIndex.Unsettled;
import io.loomstream.engine.sqlite.WalIndex.Valid;
import io.loomstream.engine.testing.AppProcess;
import io.loomstream.engine.testing.WalForge;
import io.loomstream.engine.wal.WalHeader;
import io.loomstream.engine.wal.WalSalts;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The bytes are a real {@code -shm}'s, written by the SQLite of another process. */
class WalIndexTest {
    @TempDir
    Path directory;

    private Path shm() {
        return directory.resolve("app.db-shm");
    }

    private Path wal() {
        return directory.resolve("app.db-wal");
    }

    private AppProcess application(int pageSize) {
        return AppProcess.start()
                .open("a", directory.resolve("app.db"))
                .exec("a", "pragma page_size=" + pageSize)
                .exec("a", "pragma journal_mode=wal")
                .exec("a", "create table t(x)");
    }

    private byte[] bytes() throws IOException {
        return Arrays.copyOf(Files.readAllBytes(shm()), WalIndex.SIZE_BYTES);
    }

    private static WalIndex valid(byte[] bytes) {
        return assertInstanceOf(Valid.class, WalIndex.parse(bytes, bytes.length))
                .index();
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 4096, 65536})
    void saysWhatSqliteWrote(int pageSize) throws IOException {
        try (AppProcess app = application(pageSize)) {
            for (int i = 0; i < 5; i++) {
                app.exec("a", "insert into t values (randomblob(2000))");
            }
            WalIndex index = valid(bytes());
            assertEquals(pageSize, index.pageSize());
            assertEquals(
                    WalHeader.parse(Files.readAllBytes(wal())).orElseThrow().salts(), index.salts());
            try (WalForge wal = WalForge.open(wal())) {
                assertEquals(wal.frames(), index.lastFrame());
                assertEquals(wal.commit(wal.frames()), index.commitPages());
            }
            assertEquals(0, index.backfilled());
            assertEquals(index.lastFrame(), index.framesToBackfill());
            assertFalse(index.fullyBackfilled());

            app.exec("a", "pragma wal_checkpoint(PASSIVE)");
            index = valid(bytes());
            assertTrue(index.fullyBackfilled());
            assertEquals(index.lastFrame(), index.backfilled());
            assertEquals(index.lastFrame(), index.backfillAttempted());
        }
    }

    @Test
    void readMarksNameTheFrameAReaderStaysAt() throws IOException {
        try (AppProcess app = application(4096)) {
            int frame = valid(bytes()).lastFrame();
            app.open("r", directory.resolve("app.db")).exec("r", "begin").query("r", "select * from t");
            assertEquals(frame, WalIndex.readMark(bytes(), 1));
            assertEquals(0, WalIndex.readMark(bytes(), 0));
            for (int slot = 2; slot < WalIndex.READ_MARK_COUNT; slot++) {
                assertEquals(WalIndex.READ_MARK_UNUSED, WalIndex.readMark(bytes(), slot), "slot " + slot);
            }
        }
    }

    @Test
    void copiesThatDifferAreUnsettledWhicheverByteItIs() throws IOException {
        try (AppProcess app = application(4096)) {
            app.exec("a", "insert into t values (1)");
            byte[] bytes = bytes();
            for (int at = 0; at < 96; at++) {
                byte[] torn = bytes.clone();
                torn[at] ^= 1;
                assertInstanceOf(Unsettled.class, WalIndex.parse(torn, torn.length), "byte " + at);
            }
        }
    }

    @Test
    void aWrongChecksumIsUnsettledAlsoWhereBothCopiesAgree() throws IOException {
        try (AppProcess app = application(4096)) {
            app.exec("a", "insert into t values (1)");
            byte[] bytes = bytes();
            for (int at = 0; at < 48; at++) {
                byte[] wrong = bytes.clone();
                wrong[at] ^= 1;
                wrong[48 + at] ^= 1;
                assertInstanceOf(Unsettled.class, WalIndex.parse(wrong, wrong.length), "byte " + at);
            }
        }
    }

    @Test
    void aFileThatIsShortOrEmptyOrZeroIsUnsettled() throws IOException {
        try (AppProcess app = application(4096)) {
            app.exec("a", "insert into t values (1)");
            byte[] bytes = bytes();
            for (int length = 0; length < WalIndex.SIZE_BYTES; length++) {
                assertInstanceOf(Unsettled.class, WalIndex.parse(bytes, length), "length " + length);
            }
            assertInstanceOf(Unsettled.class, WalIndex.parse(new byte[WalIndex.SIZE_BYTES], WalIndex.SIZE_BYTES));
        }
    }

    @Test
    void anotherVersionIsUnsettled() throws IOException {
        try (AppProcess app = application(4096)) {
            app.exec("a", "insert into t values (1)");
            byte[] bytes = bytes();
            ByteBuffer index = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
            index.putInt(0, 3007001);
            int s1 = 0;
            int s2 = 0;
            for (int i = 0; i < 40; i += 8) {
                s1 += index.getInt(i) + s2;
                s2 += index.getInt(i + 4) + s1;
            }
            index.putInt(40, s1).putInt(44, s2);
            System.arraycopy(bytes, 0, bytes, 48, 48);
            assertInstanceOf(Unsettled.class, WalIndex.parse(bytes, bytes.length));
        }
    }

    @Test
    void aResetThatNobodyWroteAfterIsToldFromAnotherWal() throws IOException {
        try (AppProcess app = application(4096)) {
            app.exec("a", "insert into t values (1)");
            WalSalts before =
                    WalHeader.parse(Files.readAllBytes(wal())).orElseThrow().salts();
            assertFalse(valid(bytes()).restartedAfter(before));
            for (int resets = 1; resets <= 3; resets++) {
                app.exec("a", "pragma wal_checkpoint(TRUNCATE)");
                assertTrue(valid(bytes()).restartedAfter(before));
                assertEquals(0, valid(bytes()).lastFrame());
            }
            WalSalts ahead = new WalSalts(valid(bytes()).salts().salt1() + 1, 0);
            assertFalse(valid(bytes()).restartedAfter(ahead));
        }
    }
}
