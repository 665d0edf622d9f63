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
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands over databases that are found. */
class FleetCommandsTest {
    private static final String DIRECTORY = """
            dbs:
              - dir: DIR/data
                pattern: "*.db"
                recursive: true
                replica: {path: DIR/replicas}
            """;

    /** The same replicas as {@link #DIRECTORY}, names with other signs than letters and digits apart. */
    private static final String MULTI_DB = """
            state-dir: DIR/state
            multi-db:
              patterns: ["DIR/data/**/*.db"]
              replica-template: {path: "DIR/replicas/{{relpath}}"}
            """;

    @TempDir
    Path directory;

    private record Answer(int status, String out, String err) {}

    @BeforeEach
    void makeTwoDatabases() throws Exception {
        sqlite("data/a.db", "pragma journal_mode=wal; create table t(x); insert into t values (1)");
        sqlite("data/x/b b.db", "pragma journal_mode=wal; create table t(x); insert into t values (2)");
        Files.writeString(directory.resolve("data/no.db"), "not a database");
        sqlite("data/other.sqlite", "create table t(x)");
    }

    private String sqlite(String name, String sql) throws IOException, InterruptedException {
        Path file = directory.resolve(name);
        Files.createDirectories(file.getParent());
        Process process = new ProcessBuilder("sqlite3", file.toString(), sql)
                .redirectErrorStream(true)
                .start();
        String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), answer);
        return answer.strip();
    }

    private void config(String yaml) throws IOException {
        Files.writeString(directory.resolve("ls.yml"), placed(yaml));
    }

    private String placed(String text) {
        return text.replace("DIR", directory.toString());
    }

    private Answer run(String... words) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = Main.run(
                Stream.of(words).map(this::placed).toArray(String[]::new),
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));
        return new Answer(
                status,
                out.toString(StandardCharsets.UTF_8).replace(directory.toString(), "DIR"),
                err.toString(StandardCharsets.UTF_8).replace(directory.toString(), "DIR"));
    }

    private void once(String yaml) throws IOException {
        config(yaml);
        Answer answer = run("replicate", "-once", "-config", "DIR/ls.yml");
        assertEquals(0, answer.status(), answer.toString());
    }

    /** Every LTX file of all replicas, by its path below them. */
    private Set<String> files() throws IOException {
        Path replicas = directory.resolve("replicas");
        if (!Files.exists(replicas)) {
            return Set.of();
        }
        try (Stream<Path> files = Files.walk(replicas)) {
            return files.filter(file -> file.toString().endsWith(".ltx"))
                    .map(file -> replicas.relativize(file).toString())
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    private static String l0(String replica, int txid) {
        return "%s/ltx/0/%016x-%016x.ltx".formatted(replica, txid, txid);
    }

    private void assertRestores(String database, String value) throws Exception {
        Path output = directory.resolve("restored.db");
        Answer answer = run("restore", "-config", "DIR/ls.yml", "-o", output.toString(), "DIR/" + database);
        assertEquals(0, answer.status(), answer.toString());
        assertEquals(value, sqlite("restored.db", "select max(x) from t"));
        Files.delete(output);
    }

    @Test
    void onceReplicatesADirectory() throws Exception {
        once(DIRECTORY);

        assertEquals(Set.of(l0("a.db", 1), l0("x/b b.db", 1)), files());
        assertFalse(Files.exists(directory.resolve("state")), "no catalog");
        assertFalse(Files.exists(directory.resolve("replicas/_loomstream")), "no hot list");
    }

    @Test
    void onceReplicatesAFleetAndSaysWhatFailed() throws Exception {
        config(MULTI_DB);
        Files.writeString(directory.resolve("replicas"), "in the way");
        assertEquals(1, run("replicate", "-once", "-config", "DIR/ls.yml").status());
        Files.delete(directory.resolve("replicas"));
        once(MULTI_DB);

        assertEquals(Set.of(l0("a.db", 1), l0("x/b%20b.db", 1)), files());
        assertTrue(Files.exists(directory.resolve("state/catalog.db")));
    }

    @Test
    void databasesAreListedWithoutBeingOpened() throws Exception {
        config("""
                dbs:
                  - {path: DIR/data/a.db, replica: {path: DIR/own}}
                """ + MULTI_DB);
        Answer answer = run("databases", "-config", "DIR/ls.yml");

        assertEquals(0, answer.status());
        assertEquals(
                List.of("path replica", "DIR/data/a.db file", "DIR/data/no.db file", "DIR/data/x/b b.db file"),
                answer.out().lines().map(line -> line.replaceAll("  +", " ")).toList());
        try (Stream<Path> files = Files.walk(directory.resolve("data"))) {
            assertEquals(
                    List.of(),
                    files.filter(file -> file.toString().matches(".*-(wal|shm|litestream)"))
                            .toList());
        }
        String json = run("databases", "-json", "-config", "DIR/ls.yml").out();
        assertTrue(
                json.contains("\"path\":\"DIR/data/x/b b.db\"") || json.contains("\"path\": \"DIR/data/x/b b.db\""),
                json);
    }

    @Test
    void aFleetsDatabaseIsFoundByItsPathWhenTheFileIsGone() throws Exception {
        for (String yaml : List.of(DIRECTORY, MULTI_DB)) {
            once(yaml);
            Files.move(directory.resolve("data/x"), directory.resolve("aside"));
            assertRestores("data/x/b b.db", "2");
            Answer ltx = run("ltx", "-config", "DIR/ls.yml", "DIR/data/x/b b.db");
            assertEquals(0, ltx.status());
            assertTrue(ltx.out().contains("0000000000000001"), ltx.out());
            assertEquals(
                    0,
                    run("verify", "-config", "DIR/ls.yml", "DIR/data/x/b b.db").status());
            Answer none = run("ltx", "-config", "DIR/ls.yml", "DIR/data/x/b.sqlite");
            assertEquals(1, none.status());
            assertTrue(none.err().contains("database not found in config: DIR/data/x/b.sqlite"), none.err());
            Files.move(directory.resolve("aside"), directory.resolve("data/x"));
        }
    }

    @Test
    void verifyLooksAtEveryDatabaseThatIsThere() throws Exception {
        once(DIRECTORY);
        Files.delete(directory.resolve("data/no.db"));
        Answer answer = run("verify", "-config", "DIR/ls.yml");

        assertEquals(0, answer.status(), answer.toString());
        assertEquals(
                2, answer.out().lines().filter(line -> line.startsWith("ok ")).count(), answer.out());
    }

    @Test
    void aDirectoryWithoutADatabaseStartsOnlyWhenItIsWatched() throws Exception {
        config(DIRECTORY.replace("\"*.db\"", "\"no.*\""));
        Answer refused = run("replicate", "-once", "-config", "DIR/ls.yml");
        assertEquals(1, refused.status());
        assertTrue(refused.err().contains("dbs[DIR/data]: no SQLite databases found"), refused.err());

        once(DIRECTORY.replace("\"*.db\"", "\"no.*\"\n    watch: true"));
        assertEquals(Set.of(), files());
    }

    @Test
    void fromPathEntriesToAFleetNothingIsCopiedAgain() throws Exception {
        once("""
                dbs:
                  - {path: DIR/data/a.db, replica: {path: DIR/replicas/a.db}}
                  - {path: "DIR/data/x/b b.db", replica: {path: "DIR/replicas/x/b b.db"}}
                """);
        goesOnIn(MULTI_DB);
    }

    @Test
    void fromADirectoryToAFleetNothingIsCopiedAgain() throws Exception {
        once(DIRECTORY);
        goesOnIn(MULTI_DB);
    }

    /** A space is no letter: the template encodes it, so whoever has such names moves those replicas along. */
    private void goesOnIn(String yaml) throws Exception {
        Set<String> before = files();
        Files.move(directory.resolve("replicas/x/b b.db"), directory.resolve("replicas/x/b%20b.db"));
        once(yaml);
        assertEquals(before.size(), files().size(), "nothing was written, nothing is copied");
        sqlite("data/a.db", "insert into t values (11)");
        sqlite("data/x/b b.db", "insert into t values (12)");
        once(yaml);
        assertEquals(Set.of(l0("a.db", 1), l0("a.db", 2), l0("x/b%20b.db", 1), l0("x/b%20b.db", 2)), files());
        assertRestores("data/a.db", "11");
        assertRestores("data/x/b b.db", "12");
        assertTrue(
                Files.size(directory.resolve("replicas/" + l0("a.db", 2)))
                        < Files.size(directory.resolve("replicas/" + l0("a.db", 1))) + 4096,
                "a page, not the whole database");
    }

    @Test
    void twoDatabasesWithOneReplicaPathAreRefusedByName() throws Exception {
        sqlite("data/y/a.db", "pragma journal_mode=wal; create table t(x); insert into t values (3)");
        config("""
                state-dir: DIR/state
                multi-db:
                  patterns: ["DIR/data/**/*.db"]
                  replica-template: {path: "DIR/replicas/{{tenant}}"}
                """);
        for (int i = 0; i < 3; i++) {
            Answer answer = run("replicate", "-once", "-config", "DIR/ls.yml");
            assertEquals(1, answer.status(), answer.toString());
            assertTrue(
                    answer.out().contains("its replica path is that of DIR/data/a.db")
                            || answer.out().contains("its replica path is that of DIR/data/y/a.db"),
                    answer.out());
            assertEquals(Set.of(l0("a", 1), l0("b%20b", 1)), files(), "the one that has it keeps it");
        }
    }

    @Test
    void aDatabaseIsServedOnceHoweverManySectionsSelectIt() throws Exception {
        Files.createSymbolicLink(directory.resolve("link"), directory.resolve("data"));
        once("""
                dbs:
                  - {path: DIR/link/a.db, replica: {path: DIR/replicas/own}}
                  - {dir: DIR/data, pattern: "*.db", recursive: true, watch: true, replica: {path: DIR/replicas/all}}
                """ + MULTI_DB);

        assertEquals(Set.of(l0("own", 1), l0("all/x/b b.db", 1)), files());
    }
}
