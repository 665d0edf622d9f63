package io.loomstream.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code verify} answers and with which exit status. */
class VerifyCommandTest {
    @TempDir
    Path directory;

    private record Answer(int status, String out, String err) {}

    @BeforeEach
    void replicateTwoDatabases() throws Exception {
        StringBuilder config = new StringBuilder("dbs:\n");
        for (String name : List.of("a", "b")) {
            sqlite(name, "pragma journal_mode=wal; create table t(x); insert into t values (1)");
            config.append("  - path: DIR/%s.db%n    replica: {type: file, path: DIR/%s}%n".formatted(name, name));
        }
        Files.writeString(directory.resolve("ls.yml"), config.toString().replace("DIR", directory.toString()));
        for (int i = 0; i < 3; i++) {
            sqlite("a", "insert into t values (" + i + ")");
            assertEquals(0, run("replicate", "-once", "-config", "DIR/ls.yml").status());
        }
    }

    private void sqlite(String name, String sql) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        "sqlite3", directory.resolve(name + ".db").toString(), sql)
                .redirectErrorStream(true)
                .start();
        String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), answer);
    }

    private Answer run(String... words) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        String[] placed = Stream.of(words)
                .map(word -> word.replace("DIR", directory.toString()))
                .toArray(String[]::new);
        int status = Main.run(
                placed,
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));
        return new Answer(status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    private Path newestFile() throws IOException {
        try (Stream<Path> files = Files.list(directory.resolve("a/ltx/0"))) {
            return files.sorted().toList().getLast();
        }
    }

    @Test
    void wholeReplicasPass() {
        for (List<String> flags : List.of(List.<String>of(), List.of("-deep", "-tmp", "DIR"))) {
            Stream<String> words = Stream.concat(Stream.of("verify", "-config", "DIR/ls.yml"), flags.stream());
            Answer answer = run(words.toArray(String[]::new));
            assertEquals(0, answer.status(), answer.toString());
            assertEquals(
                    2,
                    answer.out().lines().filter(line -> line.startsWith("ok ")).count(),
                    answer.out());
        }
        assertEquals(0, run("verify", "-deep", "file://DIR/a").status());
    }

    @Test
    void damageIsFoundByTheDeepLookAndNamed() throws Exception {
        byte[] bytes = Files.readAllBytes(newestFile());
        bytes[bytes.length - 3] ^= 1;
        Files.write(newestFile(), bytes);

        assertEquals(0, run("verify", "-config", "DIR/ls.yml").status(), "the listing cannot tell");
        Answer deep = run("verify", "-deep", "-json", "-config", "DIR/ls.yml");
        assertEquals(2, deep.status(), deep.toString());
        assertTrue(deep.out().contains("\"kind\": \"corrupt\""), deep.out());
        assertTrue(deep.out().contains(newestFile().getFileName().toString()), deep.out());
        assertTrue(deep.out().contains("\"ok\": false"), deep.out());
        assertTrue(deep.out().contains("\"ok\": true"), "the other replica is whole: " + deep.out());
    }

    @Test
    void holeIsAProblem() throws Exception {
        Files.delete(directory.resolve("a/ltx/0/0000000000000002-0000000000000002.ltx"));
        Answer answer = run("verify", "-config", "DIR/ls.yml", "DIR/a.db");
        assertEquals(2, answer.status(), answer.toString());
        assertTrue(answer.out().contains("problem hole: "), answer.out());
    }

    @Test
    void gapAndOverlapOfALevelAreProblemsAndNamed() throws Exception {
        Path level0 = directory.resolve("a/ltx/0");
        Path level1 = Files.createDirectories(directory.resolve("a/ltx/1"));
        String name = "%016x-%016x.ltx";
        for (int txid : new int[] {1, 3}) {
            String file = name.formatted(txid, txid);
            Files.copy(level0.resolve(file), level1.resolve(file));
        }
        Answer gap = run("verify", "-config", "DIR/ls.yml");
        assertEquals(2, gap.status(), gap.toString());
        assertTrue(gap.out().contains("problem gap: level 1 " + name.formatted(3, 3)), gap.out());
        assertTrue(gap.out().contains(name.formatted(2, 2)), gap.out());

        Files.move(level1.resolve(name.formatted(1, 1)), level1.resolve(name.formatted(1, 3)));
        Answer overlap = run("verify", "-config", "DIR/ls.yml");
        assertEquals(2, overlap.status(), overlap.toString());
        assertTrue(overlap.out().contains("problem overlap: level 1 " + name.formatted(3, 3)), overlap.out());
        assertTrue(overlap.out().contains(name.formatted(1, 3)), overlap.out());
    }

    @Test
    void nothingThereIsNeverOk() throws Exception {
        Answer wrong = run("verify", "file://DIR/nowhere");
        assertEquals(2, wrong.status(), wrong.toString());
        assertFalse(wrong.out().contains("ok "), wrong.out());

        Files.writeString(directory.resolve("none.yml"), "dbs: []\n");
        assertEquals(1, run("verify", "-config", "DIR/none.yml").status());
    }

    @Test
    void replicaThatCannotBeListedIsAFailureOfItsOwn() throws Exception {
        Path level = directory.resolve("b/ltx/3");
        Files.writeString(level, "a file where a directory should be");
        Answer answer = run("verify", "-json", "-config", "DIR/ls.yml");
        assertEquals(1, answer.status(), answer.toString());
        assertTrue(answer.out().contains("\"error\": "), answer.out());
    }
}
