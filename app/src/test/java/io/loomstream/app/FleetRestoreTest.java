package io.loomstream.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.testing.s3.S3Server;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A fleet that a real server replicated, and that was lost. */
class FleetRestoreTest {
    private static final int DATABASES = 6;
    private static S3Server server;

    @TempDir
    Path directory;

    private record Answer(int status, String out, String err) {}

    @BeforeAll
    static void startServer() throws Exception {
        server = S3Server.inMemory();
    }

    @AfterAll
    static void stopServer() throws IOException {
        server.close();
    }

    private Path database(int tenant) {
        return directory.resolve("data/acme/databases/shop/branches/main/tenants/t" + tenant + ".db");
    }

    private static String sqlite(Path file, String sql) throws Exception {
        Process process = new ProcessBuilder("sqlite3", file.toString(), sql)
                .redirectErrorStream(true)
                .start();
        String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), answer);
        return answer.strip();
    }

    private Answer run(String... words) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = Main.run(
                words,
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));
        return new Answer(status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    private Path config(String replica) throws IOException {
        return Files.writeString(directory.resolve("loomstream.yml"), """
                state-dir: DIR/state
                instance: node-1
                multi-db:
                  patterns: ["DIR/data/*/databases/*/branches/*/tenants/*.db"]
                  scan-interval: 200ms
                  replica-template: REPLICA
                """.replace("REPLICA", replica)
                .replace("DIR", directory.toString()));
    }

    private static String onS3(String path) {
        return "{type: s3, endpoint: \"%s\", bucket: %s, access-key-id: %s, secret-access-key: %s, path: \"%s\"}"
                .formatted(
                        server.endpoint(), S3Server.BUCKET, S3Server.ACCESS_KEY_ID, S3Server.SECRET_ACCESS_KEY, path);
    }

    private static final String TEMPLATE = "/{{project}}/{{database}}/{{branch}}/{{tenant}}";

    private boolean mapped() {
        return Files.exists(directory.resolve("replicas/_loomstream/node-1/databases.jsonl.gz"));
    }

    private static boolean mapped(String root) {
        return server.store().blobExists(S3Server.BUCKET, root + "/_loomstream/node-1/databases.jsonl.gz");
    }

    /** Makes databases, lets a server replicate them until it has found all and is stopped, and deletes the server's disk. */
    private void replicateAndLose(Path config, Callable<Boolean> mapped) throws Exception {
        for (int tenant = 0; tenant < DATABASES; tenant++) {
            Files.createDirectories(database(tenant).getParent());
            sqlite(
                    database(tenant),
                    "pragma journal_mode=wal; create table t(x); insert into t values (" + tenant + ")");
        }
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED"));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
        command.addAll(List.of("replicate", "-config", config.toString()));
        Path log = directory.resolve("server.log");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        builder.environment().put("LC_ALL", "C.UTF-8");
        Process process = builder.start();
        try {
            Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> mapped.call() || !process.isAlive());
            process.destroy();
            assertEquals(0, process.waitFor(), Files.readString(log));
        } finally {
            process.destroyForcibly();
        }
        delete(directory.resolve("data"));
        delete(directory.resolve("state"));
    }

    private static void delete(Path tree) throws IOException {
        try (Stream<Path> files = Files.walk(tree)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private void assertComesBack(Path config) throws Exception {
        Answer answer = run("restore", "-config", config.toString(), "-hot-first", "-integrity-check", "full");

        assertEquals(0, answer.status(), answer.toString());
        assertTrue(answer.out().startsWith("restored " + DATABASES + " databases, "), answer.out());
        for (int tenant = 0; tenant < DATABASES; tenant++) {
            assertEquals(Integer.toString(tenant), sqlite(database(tenant), "select x from t"));
        }
        assertFalse(Files.exists(directory.resolve("state/restore.jsonl")), "the restore is over");
        try (Stream<Path> files = Files.walk(directory.resolve("data"))) {
            assertEquals(
                    List.of(),
                    files.filter(file -> file.toString().contains("restoring")).toList());
        }
    }

    @Test
    void everyDatabaseComesBackToItsPathFromS3AndIsKeptAfterwards() throws Exception {
        Path config = config(onS3("by-map" + TEMPLATE));
        replicateAndLose(config, () -> mapped("by-map"));
        assertTrue(server.store().blobExists(S3Server.BUCKET, "by-map/_loomstream/node-1/hot-list.json"));

        assertComesBack(config);

        sqlite(database(1), "update t set x = 'new'");
        Answer again = run("restore", "-config", config.toString(), "-hot-first");
        assertEquals(1, again.status(), again.toString());
        assertEquals(
                DATABASES,
                again.err().lines().filter(line -> line.startsWith("FAILED ")).count(),
                again.err());
        assertTrue(again.err().contains(database(1) + " already exists"), again.err());
        assertEquals("new", sqlite(database(1), "select x from t"));

        Answer forced = run("restore", "-config", config.toString(), "-pattern", "*/*/*/t1", "-force");
        assertEquals(0, forced.status(), forced.toString());
        assertEquals("1", sqlite(database(1), "select x from t"));
    }

    @Test
    void everyDatabaseComesBackToItsPathFromADirectoryAndABrokenOffRestoreIsGoneOnWith() throws Exception {
        Path config = config("{path: \"DIR/replicas" + TEMPLATE + "\"}");
        replicateAndLose(config, this::mapped);
        // Something that stands in the way of one.
        Files.createDirectories(database(3).getParent());
        Files.writeString(database(3), "somebody's");

        Answer first = run("restore", "-config", config.toString(), "-hot-first");

        assertEquals(1, first.status(), first.toString());
        assertTrue(first.out().contains("; 1 failed"), first.out());
        assertTrue(first.err().contains("FAILED " + database(3) + ": "), first.err());
        assertEquals("somebody's", Files.readString(database(3)));

        Files.delete(database(3));
        Answer second = run("restore", "-config", config.toString(), "-hot-first");
        assertEquals(0, second.status(), second.toString());
        assertTrue(second.out().startsWith("restored 1 databases, "), second.out());
        assertTrue(second.out().contains("5 were complete already; 0 failed"), second.out());

        delete(directory.resolve("data"));
        assertComesBack(config);
    }

    @Test
    void anUnknownInstanceSaysWhichThereAre() throws Exception {
        Path config = config("{path: \"DIR/replicas" + TEMPLATE + "\"}");
        replicateAndLose(config, this::mapped);
        Files.writeString(config, Files.readString(config).replace("node-1", "node-2"));

        Answer answer = run("restore", "-config", config.toString(), "-hot-first");

        assertEquals(1, answer.status());
        assertTrue(answer.err().contains("no path map of instance \"node-2\""), answer.err());
        assertTrue(answer.err().contains("[node-1]"), answer.err());
    }

    @Test
    void aPatternRestoresBelowADirectoryByReplicaPaths() throws Exception {
        replicateAndLose(config("{path: \"DIR/replicas" + TEMPLATE + "\"}"), this::mapped);
        Path output = directory.resolve("output");
        String place = "file://" + directory.resolve("replicas");

        Answer some = run("restore", "-pattern", place + "/acme/**/t[12]", "-output-dir", output.toString());
        assertEquals(0, some.status(), some.toString());
        assertTrue(some.out().startsWith("restored 2 databases, "), some.out());
        assertEquals("2", sqlite(output.resolve("shop/main/t2"), "select x from t"));

        Path all = directory.resolve("all");
        Answer hot = run(
                "restore", "-pattern", place + "/**", "-output-dir", all.toString(), "-hot-first", "-parallel", "2");
        assertEquals(0, hot.status(), hot.toString());
        assertFalse(hot.err().contains("Warning"), hot.err());
        for (int tenant = 0; tenant < DATABASES; tenant++) {
            assertEquals(Integer.toString(tenant), sqlite(all.resolve("acme/shop/main/t" + tenant), "select x from t"));
        }

        Answer none = run("restore", "-pattern", place + "/no/*", "-output-dir", output.toString());
        assertEquals(1, none.status(), none.toString());
    }

    @Test
    void aPatternOnS3TakesItsKeysFromTheConfiguration() throws Exception {
        Path config = config(onS3("by-tree" + TEMPLATE));
        replicateAndLose(config, () -> mapped("by-tree"));
        Path output = directory.resolve("output");

        Answer answer = run(
                "restore",
                "-config",
                config.toString(),
                "-pattern",
                "**",
                "-output-dir",
                output.toString(),
                "-hot-first");

        assertEquals(0, answer.status(), answer.toString());
        for (int tenant = 0; tenant < DATABASES; tenant++) {
            assertEquals(
                    Integer.toString(tenant), sqlite(output.resolve("acme/shop/main/t" + tenant), "select x from t"));
        }
    }

    @Test
    void wordsThatMakeNoSenseAreRefused() {
        String pattern = "file:///replicas/**";
        assertUsage("-output-dir is required", "-pattern", pattern);
        assertUsage("has to end in a pattern", "-pattern", "file:///replicas", "-output-dir", "/x");
        assertUsage("too many arguments", "-pattern", pattern, "-output-dir", "/x", "a.db");
        assertUsage("is for one database", "-pattern", pattern, "-output-dir", "/x", "-txid", "0000000000000001");
        assertUsage("must name a bucket", "-pattern", "s3://*/x", "-output-dir", "/x");
        assertUsage("needs a -pattern", "-output-dir", "/x");
        assertUsage("invalid value", "-pattern", pattern, "-output-dir", "/x", "-parallel", "0");
    }

    private void assertUsage(String message, String... words) {
        Answer answer =
                run(Stream.concat(Stream.of("restore"), Stream.of(words)).toArray(String[]::new));
        assertEquals(1, answer.status(), answer.toString());
        assertTrue(answer.err().contains(message), answer.err());
    }
}
