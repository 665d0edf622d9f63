package io.loomstream.engine.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileReplicaClient;
import io.loomstream.engine.sync.DatabaseSync.Look;
import io.loomstream.engine.testing.AppProcess;
import io.loomstream.engine.testing.FileLocker;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * No two processes work on one database or one meta directory, wherever the lock that says so is. A second set of services
 * stands for a second process: nothing but the files and their locks is common to both.
 */
class OwnershipTest {
    private static final String CLAIM = """
            import fcntl, struct, sys
            f = open(sys.argv[1], "rb")
            fcntl.fcntl(f, 37, struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, 0x40000200, 1, 0))
            print("locked", flush=True)
            sys.stdin.read()
            """;

    @TempDir
    Path directory;

    private Path database;
    private Path meta;
    private AppProcess app;
    private ReplicatedDatabase first;
    private ReplicatedDatabase second;

    @BeforeEach
    void start() {
        database = directory.resolve("app.db");
        meta = directory.resolve("meta");
        app = AppProcess.start();
        app.open("a", database).exec("a", "pragma journal_mode=wal").exec("a", "create table t(x)");
        first = instance(meta);
        second = instance(meta);
    }

    @AfterEach
    void stop() throws IOException {
        first.close();
        second.close();
        app.close();
    }

    private ReplicatedDatabase instance(Path meta) {
        return new ReplicatedDatabase(
                new DatabaseSpec(
                        DatabaseOptions.defaults(database).withMetaPath(meta),
                        new FileReplicaClient(directory.resolve("replica"), FileAccess.PRIVATE)),
                Captured.services(Time.system()));
    }

    private static void catchUp(ReplicatedDatabase database) throws InterruptedException {
        Look look = Look.MOVED;
        for (int i = 0; i < 1000 && (look != Look.QUIET || database.behind()); i++) {
            look = database.sync().look(true);
            database.upload();
        }
        assertEquals(Look.QUIET, look);
    }

    private void assertRefused(ReplicatedDatabase instance) {
        assertThrows(ConflictException.class, () -> instance.sync().look(true));
    }

    @Test
    void whileAHoldHasTheLockTheCursorFileNeedsNoDescriptorAndASecondInstanceIsRefused() throws Exception {
        catchUp(first);
        Path cursorFile = meta.resolve("loomstream.cursor");
        try (FileLocker free = FileLocker.lock(cursorFile).orElseThrow()) {
            assertTrue(Files.exists(cursorFile), "the lock is elsewhere: " + free);
        }
        assertRefused(second);
        app.exec("a", "insert into t values (1)");
        assertEquals(Look.COPIED, first.sync().look(true), "the refusal took nothing from the first");
        assertRefused(second);
    }

    @Test
    void anInstanceWithAnotherMetaDirectoryIsRefusedToo() throws Exception {
        catchUp(first);
        ReplicatedDatabase elsewhere = instance(directory.resolve("other-meta"));
        assertRefused(elsewhere);
        elsewhere.close();
        app.exec("a", "insert into t values (1)");
        assertEquals(Look.COPIED, first.sync().look(true));
    }

    @Test
    void anotherProcessClaimIsRespectedUntilItEnds() throws Exception {
        Process claiming = new ProcessBuilder(List.of("python3", "-c", CLAIM, database.toString()))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try {
            byte[] answer = claiming.getInputStream().readNBytes("locked".length());
            assertEquals("locked", new String(answer, StandardCharsets.UTF_8));
            assertRefused(first);
            assertRefused(first);
        } finally {
            claiming.destroyForcibly().onExit().join();
        }
        catchUp(first);
    }

    @Test
    void withoutAHoldTheLockIsOnTheCursorFile() throws Exception {
        catchUp(first);
        first.sync().shutDown();
        assertEquals(Optional.empty(), FileLocker.lock(meta.resolve("loomstream.cursor")));
        assertRefused(second);
    }

    @Test
    void whatAnOwnerLeftBehindIsTakenOver() throws Exception {
        catchUp(first);
        Txid before = first.sync().localMax();
        first.close();
        app.exec("a", "insert into t values (1)");
        catchUp(second);
        assertEquals(before.next(), second.sync().localMax(), "goes on from the first one's cursor");
    }

    /** The first one's lock is on a file that is no longer at the path, where the second one looks for it. */
    @Test
    void anOwnerWhoseDatabaseWasReplacedAndTakenByAnotherStoresNothingMore() throws Exception {
        catchUp(first);
        Path next = directory.resolve("next.db");
        app.open("n", next).exec("n", "create table t(x)").exec("n", "insert into t values (4711)");
        app.close("n");
        app.exec("a", "insert into t values (1)"); // for the first to copy, if it went on
        Files.move(next, database, StandardCopyOption.REPLACE_EXISTING);
        Files.deleteIfExists(directory.resolve("app.db-wal"));
        Files.deleteIfExists(directory.resolve("app.db-shm"));
        catchUp(second);
        Txid newest = second.sync().localMax();
        assertRefused(first);
        assertRefused(first);
        assertEquals(newest, second.sync().newestLocal());
        second.close();
        catchUp(first);
        assertTrue(!newest.isAfter(first.sync().localMax()), "it goes on from there once it is free");
    }
}
