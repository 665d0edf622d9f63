package io.loomstream.engine.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomstream.engine.concurrent.Gate;
import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.posix.Posix;
import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileReplicaClient;
import io.loomstream.engine.sqlite.ConnectionLimits;
import io.loomstream.engine.sqlite.SqliteConnections;
import io.loomstream.engine.sync.DatabaseSync.Look;
import io.loomstream.engine.testing.AppProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/** One database with its application and its replica, and a replicator that comes and goes. */
final class Setting implements AutoCloseable {
    final Path database;
    final Path replica;
    final AppProcess app = AppProcess.start();
    SyncServices services;
    private final Path directory;
    private final JournalPolicy journal;
    private final PageHash hash;
    private ReplicatedDatabase copied;

    Setting(Path directory, PageHash hash, JournalPolicy journal) {
        this.directory = directory;
        this.database = directory.resolve("app.db");
        this.replica = directory.resolve("replica");
        this.journal = journal;
        this.hash = hash;
        this.services = ofAProcess();
    }

    Setting(Path directory) {
        this(directory, new SipHash128(), JournalPolicy.WAL);
    }

    Path directory() {
        return directory;
    }

    ReplicatedDatabase replicator() {
        if (copied == null) {
            DatabaseOptions options = DatabaseOptions.defaults(database).withJournalPolicy(journal);
            copied = new ReplicatedDatabase(
                    new DatabaseSpec(options, new FileReplicaClient(replica, FileAccess.PRIVATE)), services);
        }
        return copied;
    }

    /** As by kill -9: locks and descriptors are gone, nothing else happened. */
    void crash() {
        if (copied != null) {
            copied.close();
            copied = null;
        }
    }

    /** What a process of its own begins with. */
    private SyncServices ofAProcess() {
        return SyncServices.create(
                        Time.system(),
                        Posix.load().orElseThrow(),
                        new SqliteConnections(new Gate("native", 6), Time.system(), ConnectionLimits.defaults()),
                        CodecResources.shared())
                .withHash(hash);
    }

    /** The replicator is killed, and another process replicates. */
    void startAnew() {
        crash();
        services = ofAProcess();
    }

    /** The replicator is killed, and the machine starts anew. */
    void crashMachine() {
        crash();
        services = services.withBoot(new BootId(1, services.bootId().low()));
    }

    /** Looks and uploads until a look finds nothing new. */
    void catchUp() {
        ReplicatedDatabase replicator = replicator();
        Awaitility.await()
                .pollInterval(Duration.ofMillis(2))
                .pollDelay(Duration.ZERO)
                .atMost(Duration.ofSeconds(30))
                .until(() -> {
                    Look look = replicator.sync().look(true);
                    replicator.upload();
                    return look == Look.QUIET && !replicator.behind();
                });
    }

    Path metaPath() {
        return DatabaseOptions.defaults(database).metaPath();
    }

    Path indexFile() {
        return metaPath().resolve("loomstream.pages");
    }

    long newestTxid() throws IOException {
        return files().size();
    }

    List<Path> files() throws IOException {
        try (Stream<Path> listed = Files.list(replica.resolve("ltx/0"))) {
            return listed.sorted().toList();
        }
    }

    long newestBytes() throws IOException {
        return Files.size(files().getLast());
    }

    /** Compares a restored database with the source, byte for byte; nobody may be writing. */
    void assertRestoresToSource(String what) throws IOException, InterruptedException {
        Path image = directory.resolve("image.db");
        Path imageWal = directory.resolve("image.db-wal");
        Files.copy(database, image, StandardCopyOption.REPLACE_EXISTING);
        Files.deleteIfExists(imageWal);
        Path wal = directory.resolve("app.db-wal");
        if (Files.exists(wal)) {
            Files.copy(wal, imageWal, StandardCopyOption.REPLACE_EXISTING);
            sqlite(image, "pragma wal_checkpoint(truncate)");
        }
        Path restored = Restored.latest(replica, directory.resolve("restored.db"));
        byte[] expected = Files.readAllBytes(image);
        byte[] actual = Files.readAllBytes(restored);
        int difference = Arrays.mismatch(expected, actual);
        assertEquals(
                -1,
                difference,
                () -> what + ": " + expected.length + " and " + actual.length + " bytes, the first difference at "
                        + difference);
    }

    static String sqlite(Path file, String sql) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("sqlite3", file.toString(), sql)
                .redirectErrorStream(true)
                .start();
        String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), answer);
        return answer;
    }

    @Override
    public void close() throws IOException {
        crash();
        app.close();
    }
}
