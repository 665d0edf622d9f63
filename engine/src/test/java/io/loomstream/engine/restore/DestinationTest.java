package io.loomstream.engine.restore;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.replica.FailingFileSteps;
import io.loomstream.engine.replica.PosixFileSteps;
import io.loomstream.engine.restore.RestoreRequest.Existing;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** What may be replaced, and that a kill at any step leaves one whole database or the other. */
class DestinationTest {
    private static final String OLD_ROWS = "old:3";

    @TempDir
    Path directory;

    private Fixture fixture;
    private byte[] restored;
    private Path output;

    @BeforeEach
    void restoreOnce() throws Exception {
        fixture = Fixture.copy("single-page", directory);
        output = Files.createDirectory(directory.resolve("home")).resolve("app.db");
        run(Existing.REFUSE);
        restored = Files.readAllBytes(output);
        Files.delete(output);
    }

    private enum Main {
        ABSENT,
        EMPTY,
        FILE,
        LINK,
        DANGLING_LINK,
        DIRECTORY,
        FIFO
    }

    @TestFactory
    Stream<DynamicTest> everyCombinationOfWhatIsThereIsRefusedOrReplaced() {
        List<DynamicTest> tests = new ArrayList<>();
        for (Main main : Main.values()) {
            for (String side : List.of("", "-wal", "-shm", "-journal")) {
                for (Existing existing : List.of(Existing.REFUSE, Existing.REPLACE)) {
                    tests.add(DynamicTest.dynamicTest(
                            main + " " + side + " " + existing, () -> check(main, side, existing)));
                }
            }
        }
        return tests.stream();
    }

    private void check(Main main, String side, Existing existing) throws Exception {
        clear();
        place(main);
        Path sidePath = output.resolveSibling("app.db" + side);
        if (!side.isEmpty()) {
            Files.writeString(sidePath, "stale " + side);
        }
        boolean replaceable = switch (main) {
            case ABSENT, EMPTY -> side.isEmpty() || existing == Existing.REPLACE;
            case FILE -> existing == Existing.REPLACE;
            case LINK, DANGLING_LINK, DIRECTORY, FIFO -> false;
        };

        if (replaceable) {
            run(existing);
            assertArrayEquals(restored, Files.readAllBytes(output));
            assertTrue(side.isEmpty() || !Files.exists(sidePath), "the side file would be replayed");
        } else {
            assertThrows(ConflictException.class, () -> run(existing));
            assertTrue(side.isEmpty() || Files.readString(sidePath).equals("stale " + side));
            assertTrue(main == Main.ABSENT || Files.exists(output, LinkOption.NOFOLLOW_LINKS));
        }
        assertEquals("precious", Files.readString(directory.resolve("precious")));
        try (Stream<Path> left = Files.list(output.getParent())) {
            assertFalse(left.anyMatch(path -> path.toString().contains("restoring")), "a temporary file stays");
        }
    }

    private void place(Main main) throws Exception {
        Path precious = Files.writeString(directory.resolve("precious"), "precious");
        switch (main) {
            case ABSENT -> {}
            case EMPTY -> Files.createFile(output);
            case FILE -> Files.writeString(output, "not a database, but somebody's");
            case LINK -> Files.createSymbolicLink(output, precious);
            case DANGLING_LINK -> Files.createSymbolicLink(output, directory.resolve("nowhere"));
            case DIRECTORY -> Files.createDirectory(output);
            case FIFO ->
                assertEquals(
                        0,
                        new ProcessBuilder("mkfifo", output.toString()).start().waitFor());
        }
    }

    @Test
    void keepingLeavesWhateverHasTheName() throws Exception {
        for (Main main : Main.values()) {
            clear();
            place(main);
            boolean there = main != Main.ABSENT;
            assertEquals(there, run(Existing.KEEP) instanceof RestoreOutcome.AlreadyThere, main.toString());
        }
    }

    /** A file SQLite cannot read might still be all there is: its bytes are kept, with those of its side files. */
    @Test
    void unreadableOldFileIsSetAsideNotLost() throws Exception {
        Files.writeString(output, "x".repeat(5_000));
        Files.writeString(output.resolveSibling("app.db-wal"), "its log");

        RestoreOutcome.Restored outcome = (RestoreOutcome.Restored) run(Existing.REPLACE);

        assertEquals(2, outcome.setAside().size(), outcome.toString());
        assertEquals("its log", Files.readString(outcome.setAside().get(0)));
        assertEquals("x".repeat(5_000), Files.readString(outcome.setAside().get(1)));
        assertArrayEquals(restored, Files.readAllBytes(output));
    }

    /**
     * The old database's last transactions are only in its WAL, as after a kill of its application. Stopped at every
     * step in turn, what has the name is either the old database with all its rows or the new one to the byte.
     */
    @Test
    void killAtAnyStepOfReplacingLeavesTheOldOrTheNewDatabaseWhole() throws Exception {
        FailingFileSteps all = FailingFileSteps.never();
        oldDatabaseWithWal();
        RestoreSetup.of(fixture.client(), all).run(request(Existing.REPLACE));
        assertArrayEquals(restored, Files.readAllBytes(output));
        assertTrue(all.taken().size() >= 4, all.taken().toString());

        boolean sawNew = false;
        for (int stopAt = 0; stopAt < all.taken().size(); stopAt++) {
            clear();
            oldDatabaseWithWal();
            FailingFileSteps stopping = FailingFileSteps.stopAt(stopAt);

            assertThrows(
                    TransientStorageException.class,
                    () -> RestoreSetup.of(fixture.client(), stopping).run(request(Existing.REPLACE)));

            boolean isNew = Arrays.equals(restored, Files.readAllBytes(output));
            sawNew |= isNew;
            if (isNew) {
                assertFalse(Files.exists(output.resolveSibling("app.db-wal")), "new database beside the old WAL");
            } else {
                assertEquals(OLD_ROWS, rows(output), "stopped at " + stopping.taken());
            }
        }
        assertTrue(sawNew, "the last step comes after the rename");
    }

    @Test
    void databaseThatAnotherConnectionHasOpenIsNotReplaced() throws Exception {
        try (Connection application = oldDatabase()) {
            assertFalse(application.isClosed());

            ConflictException refusal = assertThrows(ConflictException.class, () -> run(Existing.REPLACE));

            assertTrue(refusal.getMessage().contains("in use"), refusal.getMessage());
        }
        assertEquals(OLD_ROWS, rows(output));
    }

    @Test
    void modeIsTheReplacedFilesOrPrivate() throws Exception {
        run(Existing.REFUSE);
        assertEquals("rw-------", mode());

        Files.setPosixFilePermissions(output, PosixFilePermissions.fromString("rw-rw-r--"));
        run(Existing.REPLACE);
        assertEquals("rw-rw-r--", mode());
    }

    @Test
    void missingParentDirectoryIsMade() throws Exception {
        output = directory.resolve("not/there/yet/app.db");
        run(Existing.REFUSE);
        assertArrayEquals(restored, Files.readAllBytes(output));
    }

    /** An open application whose rows are in the WAL only. */
    private Connection oldDatabase() throws SQLException {
        Connection connection = DriverManager.getConnection("jdbc:sqlite:" + output);
        try (Statement statement = connection.createStatement()) {
            statement.execute("PRAGMA journal_mode=WAL");
            statement.execute("PRAGMA wal_autocheckpoint=0");
            statement.execute("CREATE TABLE old(id INTEGER PRIMARY KEY, text)");
            statement.execute("INSERT INTO old(text) VALUES ('a'), ('b'), ('c')");
        }
        return connection;
    }

    private void oldDatabaseWithWal() throws Exception {
        List<byte[]> bytes = new ArrayList<>();
        List<Path> files = List.of(output, output.resolveSibling("app.db-wal"));
        try (Connection connection = oldDatabase()) {
            assertFalse(connection.isClosed());
            for (Path file : files) {
                bytes.add(Files.readAllBytes(file));
            }
        }
        for (int i = 0; i < files.size(); i++) {
            Files.write(files.get(i), bytes.get(i));
        }
    }

    private static String rows(Path database) throws SQLException {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
                Statement statement = connection.createStatement();
                ResultSet count = statement.executeQuery("SELECT count(*) FROM old")) {
            return "old:" + count.getInt(1);
        }
    }

    private void clear() throws IOException {
        try (Stream<Path> files = Files.list(output.getParent())) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
    }

    private RestoreRequest request(Existing existing) {
        return RestoreRequest.latest(output).onExisting(existing);
    }

    private RestoreOutcome run(Existing existing) throws InterruptedException {
        return RestoreSetup.of(fixture.client(), new PosixFileSteps()).run(request(existing));
    }

    private String mode() throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(output));
    }
}
