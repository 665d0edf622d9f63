package io.loomstream.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code restore -f} as a process of its own, against what {@code replicate -once} stores. */
class RestoreFollowTest {
    @TempDir
    Path directory;

    @Test
    void followsUntilSigtermAndResumes() throws Exception {
        sqlite("source.db", "pragma journal_mode=wal; create table t(x); insert into t values (1)");
        replicate();
        Path output = directory.resolve("copy.db");

        Process first = follow(output);
        awaitRows(output, "1");
        sqlite("source.db", "insert into t values (2)");
        replicate();
        awaitRows(output, "2");
        assertStopsWithSuccess(first);

        sqlite("source.db", "insert into t values (3)");
        replicate();
        Process second = follow(output);
        awaitRows(output, "3");
        assertStopsWithSuccess(second);
        assertEquals("ok", sqlite("copy.db", "pragma integrity_check"));
    }

    @Test
    void followingATargetIsRefused() {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = Main.run(
                new String[] {"restore", "-f", "-txid", "0000000000000001", "-o", "x", "file:///nowhere"},
                new PrintStream(new ByteArrayOutputStream()),
                new PrintStream(err, true, StandardCharsets.UTF_8));
        assertEquals(1, status);
        assertTrue(err.toString(StandardCharsets.UTF_8).contains("-f"), err.toString(StandardCharsets.UTF_8));
    }

    private static void assertStopsWithSuccess(Process process) throws Exception {
        process.destroy(); // SIGTERM
        assertEquals(0, process.waitFor());
    }

    private Process follow(Path output) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Main.class.getName(),
                        "restore",
                        "-f",
                        "-follow-interval",
                        "20ms",
                        "-o",
                        output.toString(),
                        "file://" + directory.resolve("replica"))
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("follow.log").toFile())
                .start();
    }

    private void replicate() {
        assertEquals(
                0,
                run(
                        "replicate",
                        "-once",
                        directory.resolve("source.db").toString(),
                        "file://" + directory.resolve("replica")));
    }

    private static int run(String... words) {
        List<String> list = new ArrayList<>(List.of(words));
        PrintStream nowhere = new PrintStream(new ByteArrayOutputStream());
        return Main.run(list.toArray(new String[0]), nowhere, nowhere);
    }

    /** Asks only once the file has its name: sqlite3 would make an empty one. */
    private void awaitRows(Path output, String count) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofMillis(50))
                .until(() -> Files.exists(output)
                        && sqlite("copy.db", "select count(*) from t").equals(count));
    }

    private String sqlite(String name, String sql) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        "sqlite3",
                        "-cmd",
                        ".timeout 10000",
                        directory.resolve(name).toString(),
                        sql)
                .redirectErrorStream(true)
                .start();
        String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        assertEquals(0, process.waitFor(), answer);
        return answer;
    }
}
