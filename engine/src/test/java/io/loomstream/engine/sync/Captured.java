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
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;
import org.awaitility.Awaitility;

/** A database and a file replica in one directory, captured by hand. Each {@link #start} is a process start of ours. */
final class Captured implements AutoCloseable {
    final Path directory;
    final Path database;
    final Path replica;
    private SyncServices services;
    private ReplicatedDatabase copied;
    private long wholeCopiesBefore;

    Captured(Path directory) {
        this.directory = directory;
        this.database = directory.resolve("app.db");
        this.replica = directory.resolve("replica");
        this.services = services(Time.system());
        this.copied = make(services, options -> options);
    }

    static SyncServices services(Time time) {
        return SyncServices.create(
                time,
                Posix.load().orElseThrow(),
                new SqliteConnections(new Gate("native", 6), time, ConnectionLimits.defaults()),
                CodecResources.shared());
    }

    private ReplicatedDatabase make(SyncServices services, UnaryOperator<DatabaseOptions> change) {
        return new ReplicatedDatabase(
                new DatabaseSpec(
                        change.apply(DatabaseOptions.defaults(database)),
                        new FileReplicaClient(replica, FileAccess.PRIVATE)),
                services);
    }

    Captured with(Time time) {
        services = services(time);
        return start();
    }

    /** As after another start of the machine, without a shutdown in order before it. */
    Captured afterAnotherBoot() {
        services = services.withBoot(new BootId(1, System.nanoTime()));
        return start();
    }

    SyncServices services() {
        return services;
    }

    Captured start() {
        return start(options -> options);
    }

    Captured start(HoldMode hold) {
        return start(options -> options.withHold(hold));
    }

    /** Ends the one before as a kill would, and begins anew. */
    Captured start(UnaryOperator<DatabaseOptions> change) {
        copied.close();
        copied = make(services, change);
        wholeCopiesBefore = wholeCopies(services);
        return this;
    }

    /** What a kill leaves: locks and descriptors are gone, and nothing was written. */
    void kill() {
        copied.close();
    }

    /** An end in order, with a last look and upload. */
    Outcome stop() throws InterruptedException {
        return copied.finish(Duration.ZERO, Duration.ofMillis(1), Gates.of(100, 50, 200));
    }

    ReplicatedDatabase replicated() {
        return copied;
    }

    DatabaseSync sync() {
        return copied.sync();
    }

    Look look() throws InterruptedException {
        return copied.sync().look(true);
    }

    /** Looks and uploads until a look finds nothing new. */
    Captured catchUp() {
        Awaitility.await()
                .pollInterval(Duration.ofMillis(5))
                .pollDelay(Duration.ZERO)
                .atMost(Duration.ofSeconds(30))
                .until(() -> {
                    Look look = look();
                    copied.upload();
                    return look == Look.QUIET && !copied.behind();
                });
        return this;
    }

    /** Catches up, and goes on looking until the cursor's fingerprint proves something. */
    Captured settle() {
        catchUp();
        Awaitility.await()
                .pollInterval(Duration.ofMillis(5))
                .atMost(Duration.ofSeconds(30))
                .until(() -> {
                    look();
                    return !cursor().database().racy();
                });
        return this;
    }

    Cursor cursor() {
        return copied.sync().cursor().orElseThrow();
    }

    long txid() {
        return copied.sync().localMax().value();
    }

    /** Whether this start of ours read every page at least once, and copied all of them or those that differ. */
    boolean copiedEverything() {
        return wholeCopies(services) > wholeCopiesBefore;
    }

    private static long wholeCopies(SyncServices services) {
        return services.counters().completeCopies() + services.counters().differenceCopies();
    }

    Path wal() {
        return directory.resolve("app.db-wal");
    }

    Path shm() {
        return directory.resolve("app.db-shm");
    }

    boolean hasWal() {
        return Files.exists(wal());
    }

    void assertRestoresToSource() throws IOException, InterruptedException {
        Path restored = Restored.latest(replica, directory.resolve("restored.db"));
        assertEquals("ok", sqlite(restored, "pragma integrity_check").strip());
        String query = "select type, name, sql from sqlite_schema; select rowid, * from t";
        assertEquals(digests(sqlite(database, query)), digests(sqlite(restored, query)));
        for (String suffix : new String[] {"", "-wal", "-shm"}) {
            Files.deleteIfExists(directory.resolve("restored.db" + suffix));
        }
    }

    /** A dump line by line, each as its digest: a failure stays readable. */
    private static List<String> digests(String text) {
        return text.lines().map(line -> line.length() + "/" + line.hashCode()).toList();
    }

    static String sqlite(Path file, String command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("sqlite3", "-cmd", ".timeout 5000", file.toString(), command)
                .redirectErrorStream(true)
                .start();
        String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), answer);
        return answer;
    }

    @Override
    public void close() {
        copied.close();
    }
}
