package io.loomstream.engine.replica;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The file backend: the contract, and what only a directory can show. */
class FileReplicaClientTest extends ReplicaClientContract {
    private static final int SIZE_BYTES = 700;

    @Override
    protected ReplicaClient client() {
        return new FileReplicaClient(root(), FileAccess.PRIVATE);
    }

    private Path root() {
        return local.resolve("replica");
    }

    private Path stored(long txid) {
        return root().resolve("ltx/0").resolve(range(txid, txid).fileName());
    }

    @Test
    void modificationTimeIsTheHeaderTimeToTheMillisecond() throws Exception {
        client().write(Level.L0, range(1, 1), sample(range(1, 1), SIZE_BYTES, 1));

        assertEquals(
                Instant.parse("2026-03-04T05:06:07.089Z"),
                Files.getLastModifiedTime(stored(1)).toInstant());
        FileTime readAt = (FileTime) Files.getAttribute(stored(1), "lastAccessTime");
        assertEquals(Instant.parse("2026-03-04T05:06:07.089Z"), readAt.toInstant());
    }

    @Test
    void filesAreOnlyTheOwners() throws Exception {
        client().write(Level.L0, range(1, 1), sample(range(1, 1), SIZE_BYTES, 1));

        assertEquals("rw-------", mode(stored(1)));
        for (Path directory : List.of(root(), root().resolve("ltx"), root().resolve("ltx/0"))) {
            assertEquals("rwx------", mode(directory), directory.toString());
        }
    }

    /** 0666 and 0777 are what no ordinary umask lets through. */
    @Test
    void databasesModeIsGrantedWhateverTheUmaskSays() throws Exception {
        Path home = Files.createDirectory(local.resolve("home"));
        Path database = Files.createFile(home.resolve("app.db"));
        Files.setPosixFilePermissions(database, PosixFilePermissions.fromString("rw-rw-rw-"));
        Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwxrwxrwx"));
        ReplicaClient client = new FileReplicaClient(root(), FileAccess.like(database));

        client.write(Level.L0, range(1, 1), sample(range(1, 1), SIZE_BYTES, 1));

        assertEquals("rw-rw-rw-", mode(stored(1)));
        assertEquals("rwxrwxrwx", mode(root().resolve("ltx/0")));
        assertEquals(Files.getAttribute(database, "unix:uid"), Files.getAttribute(stored(1), "unix:uid"));
    }

    /** Small files and large ones are stored in different ways. */
    @Test
    void largeFileIsStoredWithTheSameModeAndTimeAsASmallOne() throws Exception {
        for (int size : List.of(1024 * 1024, 1024 * 1024 + 1)) {
            Path source = sample(range(size, size), size, size);

            client().write(Level.L0, range(size, size), source);

            assertArrayEquals(Files.readAllBytes(source), Files.readAllBytes(stored(size)));
            assertEquals("rw-------", mode(stored(size)));
            assertEquals(
                    Instant.parse("2026-03-04T05:06:07.089Z"),
                    Files.getLastModifiedTime(stored(size)).toInstant());
        }
    }

    @Test
    void temporaryFileOfACrashIsReplaced() throws Exception {
        ReplicaClient client = client();
        client.write(Level.L0, range(1, 1), sample(range(1, 1), SIZE_BYTES, 1));
        Path leftover = Files.write(stored(2).resolveSibling(range(2, 2).fileName() + ".tmp"), new byte[9_000]);
        Path source = sample(range(2, 2), SIZE_BYTES, 2);

        client.write(Level.L0, range(2, 2), source);

        assertArrayEquals(Files.readAllBytes(source), Files.readAllBytes(stored(2)));
        assertFalse(Files.exists(leftover));
    }

    @Test
    void temporaryNameThatLinksElsewhereIsNotFollowed() throws Exception {
        ReplicaClient client = client();
        client.write(Level.L0, range(1, 1), sample(range(1, 1), SIZE_BYTES, 1));
        Path precious = Files.writeString(local.resolve("precious"), "precious");
        Files.createSymbolicLink(stored(2).resolveSibling(range(2, 2).fileName() + ".tmp"), precious);

        client.write(Level.L0, range(2, 2), sample(range(2, 2), SIZE_BYTES, 2));

        assertEquals("precious", Files.readString(precious));
        assertTrue(Files.isRegularFile(stored(2)));
    }

    @Test
    void directoryRemovedMeanwhileIsMadeAgain() throws Exception {
        ReplicaClient client = client();
        client.write(Level.L0, range(1, 1), sample(range(1, 1), SIZE_BYTES, 1));
        Files.delete(stored(1));
        Files.delete(root().resolve("ltx/0"));

        client.write(Level.L0, range(2, 2), sample(range(2, 2), SIZE_BYTES, 2));

        assertTrue(Files.exists(stored(2)));
    }

    /** A disk that fills up, or any other failure, at each step in turn: no name until the bytes are safe. */
    @Test
    void failureAtAnyStepLeavesNothingHalfWrittenAndTheNextAttemptSucceeds() throws Exception {
        Path source = sample(range(1, 1), SIZE_BYTES, 1);
        List<String> steps = List.of("create", "createDirectories", "create", "copy", "force", "rename");
        for (int failAt = 0; failAt <= steps.size(); failAt++) {
            Path fresh = local.resolve("fails-" + failAt);
            FailingFileSteps failing = FailingFileSteps.once(failAt);
            ReplicaClient client = new FileReplicaClient(fresh, FileAccess.PRIVATE, failing);

            TransientStorageException failure =
                    assertThrows(TransientStorageException.class, () -> client.write(Level.L0, range(1, 1), source));

            assertTrue(failure.getMessage().contains("No space left"), failure.getMessage());
            assertTrue(failure.getMessage().contains(range(1, 1).fileName()), failure.getMessage());
            boolean named = failing.taken().contains("rename")
                    && !failing.taken().getLast().equals("delete");
            assertEquals(named ? 1 : 0, client.list(Level.L0, Txid.ZERO).size(), "failed at " + failing.taken());
            client.write(Level.L0, range(1, 1), source);
            assertArrayEquals(Files.readAllBytes(source), read(client, Level.L0, range(1, 1), 0));
            try (var left = Files.list(fresh.resolve("ltx/0"))) {
                assertEquals(1, left.count(), "no temporary file stays");
            }
        }
    }

    /** A small file costs these steps and no others: the hot path of a thousand databases. */
    @Test
    void writeIntoAnExistingLevelTakesFiveSteps() throws Exception {
        client().write(Level.L0, range(1, 1), sample(range(1, 1), SIZE_BYTES, 1));
        FailingFileSteps steps = FailingFileSteps.never();

        new FileReplicaClient(root(), FileAccess.PRIVATE, steps)
                .write(Level.L0, range(2, 2), sample(range(2, 2), SIZE_BYTES, 2));

        assertEquals(List.of("create", "copy", "force", "rename", "forceDirectory"), steps.taken());
    }

    /** The attempt before may have died between the rename and the directory's sync. */
    @Test
    void sameBytesAgainAreMadeDurableAgain() throws Exception {
        Path source = sample(range(1, 1), SIZE_BYTES, 1);
        client().write(Level.L0, range(1, 1), source);
        FailingFileSteps steps = FailingFileSteps.never();

        new FileReplicaClient(root(), FileAccess.PRIVATE, steps).write(Level.L0, range(1, 1), source);

        assertEquals(List.of("force", "forceDirectory"), steps.taken());
    }

    @Test
    void unreadableLevelIsAnErrorNotAnEmptyList() throws Exception {
        Files.createDirectories(root().resolve("ltx"));
        Files.writeString(root().resolve("ltx/0"), "not a directory");

        TransientStorageException failure =
                assertThrows(TransientStorageException.class, () -> client().list(Level.L0, Txid.ZERO));

        assertTrue(failure.getMessage().contains("ltx/0"), failure.getMessage());
    }

    @Test
    void foreignNamesAreNeitherListedNorDeleted() throws Exception {
        ReplicaClient client = client();
        client.write(Level.L0, range(1, 1), sample(range(1, 1), SIZE_BYTES, 1));
        Path level = root().resolve("ltx/0");
        Files.writeString(level.resolve("README"), "x");
        Files.writeString(level.resolve("0000000000000002-0000000000000002.LTX"), "x");
        Files.writeString(level.resolve("0000000000000003-0000000000000002.ltx"), "x");
        Files.writeString(level.resolve(range(4, 4).fileName() + ".tmp"), "x");
        Files.createDirectory(level.resolve(range(5, 5).fileName()));

        assertEquals(1, client.list(Level.L0, Txid.ZERO).size());
        Files.delete(level.resolve(range(5, 5).fileName()));
        client.deleteAll();

        try (var left = Files.list(level)) {
            assertEquals(3, left.count(), "README, wrong case, empty range");
        }
    }

    private static String mode(Path file) throws Exception {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }
}
