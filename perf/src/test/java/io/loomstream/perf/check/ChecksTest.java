package io.loomstream.perf.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.perf.writer.Assignment;
import io.loomstream.perf.writer.Habit;
import io.loomstream.perf.writer.Tally;
import io.loomstream.perf.writer.WriterMain;
import io.loomstream.perf.writer.WriterProcess;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The checks find what they are there to find: a check that cannot fail proves nothing. */
class ChecksTest {
    @TempDir
    Path directory;

    private Path written(boolean python) throws Exception {
        Path database = directory.resolve("app.db");
        WriterMain.create(database);
        List<Assignment> assignments = List.of(new Assignment(Habit.LONG_LIVED, database));
        try (WriterProcess writer =
                python ? WriterProcess.python(assignments, 1) : WriterProcess.java(assignments, 1)) {
            Awaitility.await().until(() -> writer.commits() >= 50);
            Map<Path, Tally> tallies = writer.stop();
            assertEquals(
                    tallies.get(database).commits(), ChainCheck.check(database).transactions());
            assertEquals(0, tallies.get(database).errors(), writer.messages());
        }
        return database;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void bothWritersWriteTheSameHistory(boolean python) throws Exception {
        Path database = written(python);
        assertEquals(Optional.empty(), PageCompare.difference(database, database));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "delete from chain where seq = 20",
                "delete from chain where seq = 1",
                "update chain set hash = randomblob(32) where seq = 30",
                "update chain set size = size + 1 where seq = 30",
                "update chain set tx = tx + 2 where seq > 40",
                "update body set data = randomblob(length(data) + 1) where seq = 25",
                "insert into body values (1000000, x'00')"
            })
    void aChangedHistoryIsFound(String change) throws Exception {
        Path database = written(false);
        execute(database, change);
        assertThrows(ChainCheck.BrokenException.class, () -> ChainCheck.check(database));
    }

    @Test
    void aDamagedFileIsFound() throws Exception {
        Path database = written(false);
        Path copy = Files.copy(database, directory.resolve("copy.db"));
        try (FileChannel file = FileChannel.open(copy, StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.allocate(4096), 4096);
        }
        assertThrows(ChainCheck.BrokenException.class, () -> ChainCheck.check(copy));
        assertTrue(PageCompare.difference(database, copy).orElseThrow().startsWith("page 2 of "));
    }

    @Test
    void oneOtherByteOrAnotherLengthIsFound() throws Exception {
        Path database = written(false);
        Path copy = Files.copy(database, directory.resolve("copy.db"));
        try (FileChannel file = FileChannel.open(copy, StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.wrap(new byte[] {99}), 27);
            assertTrue(PageCompare.difference(database, copy).orElseThrow().startsWith("page 1 of "));
            file.truncate(file.size() - 4096);
        }
        assertTrue(PageCompare.difference(database, copy).orElseThrow().contains("bytes and"));
    }

    private static void execute(Path database, String sql) throws SQLException {
        try (var connection = DriverManager.getConnection("jdbc:sqlite:" + database);
                var statement = connection.createStatement()) {
            statement.executeUpdate(sql);
            statement.execute("pragma wal_checkpoint(truncate)");
        }
    }
}
