package io.loomstream.engine.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.fleet.Replication;
import io.loomstream.engine.fleet.ReplicationOptions;
import io.loomstream.engine.fleet.Workload;
import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileReplicaClient;
import io.loomstream.engine.sync.DatabaseSync.Look;
import io.loomstream.engine.testing.AppProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Two captures of one file in one process would close each other's descriptors, and closing one drops SQLite's POSIX locks
 * on that file: so a file has one owner, whatever leads to it.
 */
class TwinPathsTest {
    @TempDir
    Path directory;

    private Path database;
    private AppProcess app;
    private final SyncServices services = Captured.services(Time.system());

    @BeforeEach
    void start() {
        database = directory.resolve("app.db");
        app = AppProcess.start();
        app.open("a", database).exec("a", "pragma journal_mode=wal").exec("a", "create table t(x)");
    }

    @AfterEach
    void stop() throws IOException {
        app.close();
    }

    private Path twin(String kind) throws IOException {
        Path twin = directory.resolve("twin.db");
        return switch (kind) {
            case "symbolic link" -> Files.createSymbolicLink(twin, database);
            case "relative link" -> Files.createSymbolicLink(twin, Path.of("app.db"));
            case "hard link" -> Files.createLink(twin, database);
            case "directory link" ->
                Files.createSymbolicLink(directory.resolve("way"), directory).resolve("app.db");
            default -> throw new IllegalArgumentException(kind);
        };
    }

    private DatabaseSpec spec(Path path) {
        DatabaseOptions options = DatabaseOptions.defaults(path)
                .withMetaPath(directory.resolve("meta-" + path.toString().hashCode()));
        Path replica = directory.resolve("replica-" + path.toString().hashCode());
        return new DatabaseSpec(options, new FileReplicaClient(replica, FileAccess.PRIVATE));
    }

    @ParameterizedTest
    @ValueSource(strings = {"symbolic link", "relative link", "hard link", "directory link"})
    void twoPathsToOneFileAreRefusedAtTheStartAndBothNamed(String kind) throws Exception {
        Path twin = twin(kind);
        ConflictException refused = assertThrows(
                ConflictException.class,
                () -> Replication.start(
                        Workload.of(List.of(spec(database), spec(twin))), ReplicationOptions.defaults()));
        assertTrue(refused.getMessage().contains(database.toString()), refused.getMessage());
        assertTrue(refused.getMessage().contains(twin.toString()), refused.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"symbolic link", "relative link", "hard link", "directory link"})
    void aTwinThatAppearsLaterIsRefusedAndTheFirstGoesOn(String kind) throws Exception {
        ReplicatedDatabase first = new ReplicatedDatabase(spec(database), services);
        ReplicatedDatabase second = new ReplicatedDatabase(spec(twin(kind)), services);
        first.look(true);
        assertThrows(ConflictException.class, () -> second.sync().look(true));
        app.exec("a", "insert into t values (1)");
        first.upload();
        assertEquals(Look.COPIED, first.sync().look(true));
        assertThrows(ConflictException.class, () -> second.sync().look(true));
        assertTrue(
                app.query("a", "pragma wal_checkpoint(TRUNCATE)")
                        .getFirst()
                        .getFirst()
                        .equals("1"),
                "the hold is there");
        first.close();
        second.close();
    }

    @Test
    void aFileThatItsOwnerGaveUpMayBeTaken() throws Exception {
        ReplicatedDatabase first = new ReplicatedDatabase(spec(database), services);
        first.look(true);
        first.close();
        ReplicatedDatabase second = new ReplicatedDatabase(spec(twin("directory link")), services);
        second.look(true);
        second.upload();
        assertEquals(Look.COPIED, second.sync().look(true));
        second.close();
    }

    /** SQLite follows a link: the side files stand beside the file it leads to. */
    @Test
    void aDatabaseBehindALinkIsCopiedAndALinkThatMovesOnIsFollowed() throws Exception {
        Path link = directory.resolve("current.db");
        Files.createSymbolicLink(link, database);
        app.open("l", link);
        DatabaseSpec spec = spec(link);
        Path replica = directory.resolve("replica-" + link.toString().hashCode());
        try (Looped copied = new Looped(new ReplicatedDatabase(spec, services))) {
            app.exec("l", "insert into t values (4711)");
            copied.catchUp();
            assertEquals("4711", restored(replica, "select x from t"));
            Path next = directory.resolve("next.db");
            app.open("n", next).exec("n", "pragma journal_mode=wal").exec("n", "create table t(x)");
            app.exec("n", "insert into t values (4712)");
            Files.delete(link);
            Files.createSymbolicLink(link, next);
            copied.catchUp();
            assertEquals("4712", restored(replica, "select x from t"));
        }
    }

    private record Looped(ReplicatedDatabase database) implements AutoCloseable {
        void catchUp() throws InterruptedException {
            Look look = Look.MOVED;
            for (int i = 0; i < 1000 && (look != Look.QUIET || database.behind()); i++) {
                look = database.sync().look(true);
                database.upload();
            }
            assertEquals(Look.QUIET, look);
        }

        @Override
        public void close() {
            database.close();
        }
    }

    private String restored(Path replica, String query) throws Exception {
        Path restored = Restored.latest(replica, directory.resolve("restored.db"));
        String answer = Captured.sqlite(restored, query).strip();
        Files.deleteIfExists(restored);
        return answer;
    }

    @Test
    void twoDatabasesMayNotShareAMetaDirectoryAndTheFirstKeepsItsLock() throws Exception {
        Path other = directory.resolve("other.db");
        app.open("o", other).exec("o", "pragma journal_mode=wal").exec("o", "create table t(x)");
        Path meta = directory.resolve("meta");
        ReplicatedDatabase first = sharing(database, meta);
        ReplicatedDatabase second = sharing(other, meta);
        first.look(true);
        ConflictException refused =
                assertThrows(ConflictException.class, () -> second.sync().look(true));
        assertTrue(refused.getMessage().contains("meta directory"), refused.getMessage());
        assertKeptFromOtherProcesses(meta);
        second.close();
        assertKeptFromOtherProcesses(meta);
        first.close();
    }

    /** Services of their own share with the first ones what two processes share: nothing but the files and their locks. */
    private void assertKeptFromOtherProcesses(Path meta) {
        ReplicatedDatabase elsewhere = sharing(database, meta, Captured.services(Time.system()));
        assertThrows(ConflictException.class, () -> elsewhere.sync().look(true), "the first has lost its lock");
        elsewhere.close();
    }

    private ReplicatedDatabase sharing(Path path, Path meta) {
        return sharing(path, meta, services);
    }

    private ReplicatedDatabase sharing(Path path, Path meta, SyncServices services) {
        return new ReplicatedDatabase(
                new DatabaseSpec(
                        DatabaseOptions.defaults(path).withMetaPath(meta),
                        new FileReplicaClient(directory.resolve("replica-" + path.getFileName()), FileAccess.PRIVATE)),
                services);
    }
}
