package io.loomstream.perf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileReplicaClient;
import io.loomstream.engine.restore.Restore;
import io.loomstream.engine.restore.RestoreOutcome;
import io.loomstream.engine.restore.RestoreProgress;
import io.loomstream.engine.restore.RestoreRequest;
import io.loomstream.perf.server.ServerProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a fleet's directories hold beside well-behaved databases, before a server as its user starts it. */
class FleetOdditiesIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    /** The longest name whose local state, {@code .NAME-litestream}, fits the 255 bytes of a file system's name. */
    private static final String LONGEST = "l".repeat(255 - ".-litestream".length() - ".db".length()) + ".db";

    private static final String TOO_LONG = "t".repeat(255 - ".db".length()) + ".db";

    @TempDir
    Path directory;

    private Path config;

    @BeforeEach
    void configure() throws IOException {
        Files.createDirectories(directory.resolve("data"));
        config = directory.resolve("loomstream.yml");
        Files.writeString(config, """
                state-dir: DIR/state
                multi-db:
                  patterns: ["DIR/data/**/*.db"]
                  scan-interval: 200ms
                  full-scan-interval: 2s
                  hot-duration: 1s
                  replica-template: {path: "DIR/replica/{{relpath}}", sync-interval: 100ms}
                """.replace("DIR", directory.toString()));
    }

    private ServerProcess start() throws IOException {
        ServerProcess server =
                ServerProcess.replicate(ServerProcess.launcher(), config, directory.resolve("server.log"));
        Awaitility.await().atMost(PATIENCE).until(server::ready);
        return server;
    }

    private Path data(String name) throws IOException {
        Path file = directory.resolve("data").resolve(name);
        Files.createDirectories(file.getParent());
        return file;
    }

    private static String sqlite(Path database, String sql) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("sqlite3", "-cmd", ".timeout 10000", database.toString(), sql)
                .redirectErrorStream(true)
                .start();
        String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), database + ": " + answer);
        return answer.strip();
    }

    private Path make(String name, int value) throws IOException, InterruptedException {
        Path database = data(name);
        sqlite(database, "pragma journal_mode=wal; create table t(x); insert into t values (" + value + ")");
        return database;
    }

    /** The largest value in the replica, or nothing. */
    private String replicated(String relativePath) throws Exception {
        Path replica = directory.resolve("replica");
        for (String segment : relativePath.split("/", -1)) {
            replica = replica.resolve(encoded(segment));
        }
        Path output = directory.resolve("restored.db");
        Files.deleteIfExists(output);
        RestoreOutcome outcome = Restore.from(new FileReplicaClient(replica, FileAccess.PRIVATE), RestoreProgress.NONE)
                .run(RestoreRequest.latest(output));
        if (outcome instanceof RestoreOutcome.NotAvailable) {
            return "";
        }
        assertInstanceOf(RestoreOutcome.Restored.class, outcome, relativePath);
        return sqlite(output, "pragma integrity_check; select max(x) from t").replace("\n", " ");
    }

    /** As docs/configuration.md says. */
    private static String encoded(String name) {
        StringBuilder encoded = new StringBuilder();
        name.codePoints().forEach(sign -> {
            if (Character.isLetterOrDigit(sign) || "-_.~!'()+=@,".indexOf(sign) >= 0) {
                encoded.appendCodePoint(sign);
            } else {
                for (byte octet : Character.toString(sign).getBytes(StandardCharsets.UTF_8)) {
                    encoded.append("%%%02X".formatted(octet));
                }
            }
        });
        return encoded.toString();
    }

    private void awaitReplicated(String relativePath, int value) {
        Awaitility.await(relativePath)
                .atMost(PATIENCE)
                .until(() -> replicated(relativePath).equals("ok " + value));
    }

    @Test
    void oddNamesAreReplicatedLikeAnyOther() throws Exception {
        List<String> names = List.of(
                "with spaces/a b .db",
                "ünï/東京 \uD83D\uDE00.db",
                "line\nbreak.db",
                "-rf.db",
                "quote'\"%20?.db",
                LONGEST);
        for (String name : names) {
            make(name, 1);
        }
        try (ServerProcess server = start()) {
            for (String name : names) {
                awaitReplicated(name, 1);
                sqlite(data(name), "insert into t values (2)");
            }
            for (String name : names) {
                awaitReplicated(name, 2);
            }
            assertEquals(0, server.stop(), server.output());
        }
    }

    @Test
    void whatIsNoDatabaseDisturbsNobody() throws Exception {
        make("good.db", 1);
        Files.createFile(data("empty.db"));
        Files.writeString(data("text.db"), "no database, however long it is ".repeat(500));
        Files.createDirectories(data("directory.db"));
        Files.createSymbolicLink(data("sub/loop"), directory.resolve("data"));
        Files.createSymbolicLink(data("self.db"), Path.of("self.db"));
        Files.createSymbolicLink(data("link.db"), data("good.db"));
        Files.createLink(data("hard/linked.db"), data("good.db"));
        Files.copy(data("good.db"), data(TOO_LONG));
        Path unreadable = make("unreadable.db", 1);
        Files.setPosixFilePermissions(unreadable, PosixFilePermissions.fromString("---------"));
        boolean readable = Files.isReadable(unreadable); // to the superuser it is
        try (ServerProcess server = start()) {
            sqlite(data("good.db"), "insert into t values (2)");
            Awaitility.await()
                    .atMost(PATIENCE)
                    .until(() -> replicated("good.db").equals("ok 2")
                            || replicated("hard/linked.db").equals("ok 2"));
            assertTrue(
                    replicated("good.db").isEmpty()
                            || replicated("hard/linked.db").isEmpty(),
                    "one file is one database");

            // Each of them may become one.
            Files.delete(data("text.db"));
            make("text.db", 3);
            sqlite(data("empty.db"), "pragma journal_mode=wal; create table t(x); insert into t values (4)");
            Files.setPosixFilePermissions(unreadable, PosixFilePermissions.fromString("rw-r--r--"));
            sqlite(unreadable, "insert into t values (5)");
            awaitReplicated("text.db", 3);
            awaitReplicated("empty.db", 4);
            awaitReplicated("unreadable.db", 5);
            for (String never : List.of("self.db", "link.db", "directory.db", "sub/loop/good.db")) {
                assertEquals("", replicated(never), never);
            }
            Files.delete(data(TOO_LONG)); // as long as it is there it counts as not replicated
            assertEquals(0, server.stop(), "readable: " + readable + "; " + server.output());
        }
    }

    @Test
    void databasesAreRenamedMovedReplacedAndMadeAgain() throws Exception {
        make("old name.db", 1);
        make("here/moved.db", 2);
        make("replaced.db", 3);
        make("again.db", 4);
        try (ServerProcess server = start()) {
            awaitReplicated("old name.db", 1);
            awaitReplicated("here/moved.db", 2);
            awaitReplicated("replaced.db", 3);
            awaitReplicated("again.db", 4);

            rename(data("old name.db"), data("new name.db"));
            rename(data("here/moved.db"), data("there/deep/moved.db"));
            Path other = directory.resolve("other.db");
            sqlite(other, "pragma journal_mode=wal; create table t(x); insert into t values (33)");
            rename(other, data("replaced.db"));
            for (String suffix : List.of("-wal", "-shm", "")) {
                Files.deleteIfExists(Path.of(data("again.db") + suffix));
            }
            make("again.db", 44);

            awaitReplicated("new name.db", 1);
            awaitReplicated("there/deep/moved.db", 2);
            awaitReplicated("replaced.db", 33);
            awaitReplicated("again.db", 44);
            assertEquals("ok 1", replicated("old name.db"), "the old replica is kept");
            sqlite(data("there/deep/moved.db"), "insert into t values (22)");
            awaitReplicated("there/deep/moved.db", 22);
            assertEquals("ok 2", replicated("here/moved.db"), "and nobody writes to it any more");
            assertEquals(0, server.stop(), server.output());
            assertFalse(Files.exists(data("old name.db")), "nobody makes it again");
        }
    }

    /** As a person does it: side files go with their database. */
    private static void rename(Path from, Path to) throws IOException {
        for (String suffix : List.of("-wal", "-shm", "")) {
            Path file = Path.of(from + suffix);
            Files.deleteIfExists(Path.of(to + suffix));
            if (Files.exists(file)) {
                Files.move(file, Path.of(to + suffix), StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }
}
