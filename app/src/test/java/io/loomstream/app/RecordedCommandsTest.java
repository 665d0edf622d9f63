package io.loomstream.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Command lines that were given to Litestream v0.5.16, given to us in the same order: the same exit status, the same
 * results, and errors that say the same, apart from what {@link #DIFFERENT} lists.
 */
final class RecordedCommandsTest {
    private static final Set<String> SERVED = Set.of("databases", "ltx", "wal", "restore", "replicate", "help", "-h");

    /** Error texts of ours where they are not Litestream's, by the words of the command line. */
    private static final Map<String, String> DIFFERENT = Map.ofEntries(
            Map.entry(
                    "ltx -config DIR/ls.yml -level 12 DIR/app.db",
                    "Error: invalid value \"12\" for flag -level: level must be between 0 and 9"),
            Map.entry("ltx", "Error: database path or replica URL required"),
            Map.entry(
                    "restore -config DIR/ls.yml -o DIR/out.db DIR/app.db",
                    "Error: cannot restore, DIR/out.db already exists (8192 bytes). Use -force to overwrite"),
            Map.entry(
                    "restore -config DIR/ls.yml -o DIR/o2.db -txid xyz DIR/app.db",
                    "Error: invalid value \"xyz\" for flag -txid: invalid txid format"),
            Map.entry(
                    "restore -config DIR/ls.yml -o DIR/o2.db -timestamp yesterday DIR/app.db",
                    "Error: invalid -timestamp, must specify in ISO 8601 format"),
            Map.entry("restore file://DIR/replica", "Error: -o is required when restoring from a replica URL"),
            Map.entry("restore", "Error: database path or replica URL required"),
            Map.entry("restore -bogus", "Error: flag provided but not defined: -bogus"));

    /** Exit statuses of ours where they are not Litestream's, which has 1 for every failure. */
    private static final Map<String, Integer> DIFFERENT_EXIT = Map.of(
            "restore -config DIR/ls.yml -o DIR/o2.db -txid 00000000000000ff DIR/app.db", 4,
            "restore -o DIR/o5.db -timestamp TIME file://DIR/replica", 3);

    /** Command lines that we understand although Litestream does not, or serve later: not compared. */
    private static final Set<String> NOT_COMPARED = Set.of(
            "replicate -once -exec true -config DIR/ls.yml",
            "replicate -force-snapshot -config DIR/ls.yml",
            // Flags may follow arguments here.
            "replicate DIR/app.db -once file://DIR/x");

    @TempDir
    Path directory;

    private record Call(List<String> args, int exit, String stdout, String stderr) {
        String words() {
            return String.join(" ", args);
        }
    }

    @TestFactory
    Stream<DynamicTest> answersAsLitestreamDoes() throws Exception {
        prepare();
        return calls().stream()
                .filter(call ->
                        call.args().isEmpty() || SERVED.contains(call.args().getFirst()))
                .filter(call -> !NOT_COMPARED.contains(call.words()))
                .map(call -> DynamicTest.dynamicTest("loomstream " + call.words(), () -> compare(call)));
    }

    private void prepare() throws Exception {
        Files.writeString(
                directory.resolve("ls.yml"),
                "dbs:\n  - path: DIR/app.db\n    replica: {type: file, path: DIR/replica}\n"
                        .replace("DIR", directory.toString()));
        sqlite("pragma journal_mode=wal; create table t(x)");
        assertEquals(
                0, run(List.of("replicate", "-once", "-config", "DIR/ls.yml")).exit());
        sqlite("insert into t values (1)");
        assertEquals(
                0, run(List.of("replicate", "-once", "-config", "DIR/ls.yml")).exit());
    }

    private void sqlite(String sql) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        "sqlite3", directory.resolve("app.db").toString(), sql)
                .redirectErrorStream(true)
                .start();
        String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), answer);
    }

    private void compare(Call expected) {
        Call ours = run(expected.args());
        assertEquals(DIFFERENT_EXIT.getOrDefault(expected.words(), expected.exit()), ours.exit(), ours.stderr());
        if (expected.stdout().equals("(usage)")) {
            assertTrue((ours.stdout() + ours.stderr()).contains("Usage:"), ours.toString());
        } else {
            assertEquals(shape(expected.stdout()), shape(ours.stdout()));
        }
        String error = DIFFERENT.getOrDefault(expected.words(), lastLine(expected.stderr()));
        if (!error.isEmpty()) {
            String shaped = ours.stderr().replace(directory.toString(), "DIR");
            assertTrue(shaped.contains(error), "wanted: " + error + "\ngot: " + shaped);
        }
    }

    private static String lastLine(String text) {
        return text.isEmpty() ? "" : text.lines().toList().getLast();
    }

    /** Sizes, times and widths that depend on the directory's name are not compared. */
    private String shape(String text) {
        return text.replace(directory.toString(), "DIR")
                .replaceAll("\\d{4}-\\d\\d-\\d\\dT[0-9:.]+Z", "TIME")
                .replaceAll("(?m)( |: )[0-9]{1,6}(?=( |,|$))", "$1N")
                .replaceAll(" +", " ")
                .strip();
    }

    private Call run(List<String> args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        String[] words = args.stream()
                .map(word -> word.replace("DIR", directory.toString()).replace("TIME", "2006-01-02T15:04:05Z"))
                .toArray(String[]::new);
        int exit = Main.run(
                words,
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));
        // Log lines are not results.
        String stdout = out.toString(StandardCharsets.UTF_8).replaceAll("(?m)^time=.*\\R", "");
        return new Call(args, exit, stdout, err.toString(StandardCharsets.UTF_8));
    }

    private static List<Call> calls() throws IOException {
        List<Call> calls = new ArrayList<>();
        try (InputStream in =
                        Objects.requireNonNull(RecordedCommandsTest.class.getResourceAsStream("/recorded/cli.json"));
                JsonParser json = new JsonFactory().createParser(in)) {
            while (json.nextToken() != JsonToken.START_ARRAY) {
                // To the calls.
            }
            while (json.nextToken() == JsonToken.START_OBJECT) {
                List<String> args = new ArrayList<>();
                Map<String, String> values = new TreeMap<>();
                for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
                    if (json.nextToken() == JsonToken.START_ARRAY) {
                        while (json.nextToken() != JsonToken.END_ARRAY) {
                            args.add(json.getText());
                        }
                    } else {
                        values.put(name, json.getText());
                    }
                }
                calls.add(new Call(
                        args, Integer.parseInt(values.get("exit")), values.get("stdout"), values.get("stderr")));
            }
        }
        return calls;
    }
}
