package io.loomstream.engine.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.fleet.Replication;
import io.loomstream.engine.fleet.ReplicationOptions;
import io.loomstream.engine.fleet.Report;
import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.ltx.LtxDecoder;
import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileReplicaClient;
import io.loomstream.engine.testing.AppProcess;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Directories as Litestream left them, taken over: rows survive, and no TXID is written twice with other bytes. */
class TakeoverTest {
    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(
            strings = {"takeover-clean", "takeover-dirty", "takeover-wal-gone", "takeover-behind", "takeover-meta-lost"
            })
    void onceBringsTheSourcesRowsAndRewritesNothing(String name) throws Exception {
        Path home = copy(name);
        Map<String, byte[]> before = replicaFiles(home);

        assertTrue(once(home).complete());
        Map<String, byte[]> after = replicaFiles(home);
        before.forEach((file, bytes) ->
                assertEquals(hex(bytes), hex(after.getOrDefault(file, new byte[0])), file + " was rewritten"));
        assertRowsOf(home, name);
        if (name.equals("takeover-clean") || name.equals("takeover-dirty") || name.equals("takeover-behind")) {
            assertNoFullCopy(home, before, after);
        }

        assertTrue(once(home).complete());
        assertEquals(after.keySet(), replicaFiles(home).keySet(), "a second run had nothing to do");
        assertRowsOf(home, name);
    }

    @Test
    void goesOnFromWhatItTookOver() throws Exception {
        Path home = copy("takeover-clean");
        Map<String, byte[]> before = replicaFiles(home);
        assertTrue(once(home).complete());
        try (AppProcess app = AppProcess.start()) {
            // A connection that stays: the last one to close would bring the WAL into the database file.
            app.open("a", home.resolve("app.db")).exec("a", "insert into t(k, v) values (4711, x'00ff')");
            assertTrue(once(home).complete());
        }
        assertNoFullCopy(home, before, replicaFiles(home));
        Path restored = Restored.latest(home.resolve("replica"), directory.resolve("restored.db"));
        assertEquals(
                "4711",
                sqlite(restored, "select k from t order by id desc limit 1").strip());
    }

    private Path copy(String name) throws Exception {
        Path original =
                Path.of(TakeoverTest.class.getResource("/fixtures/" + name).toURI());
        Path home = directory.resolve(name);
        try (Stream<Path> files = Files.walk(original)) {
            for (Path file : files.toList()) {
                Path target = home.resolve(original.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(target);
                } else {
                    Files.copy(file, target);
                }
            }
        }
        return home;
    }

    private static Report once(Path home) throws InterruptedException {
        return Replication.once(
                List.of(new DatabaseSpec(
                        DatabaseOptions.defaults(home.resolve("app.db")),
                        new FileReplicaClient(home.resolve("replica"), FileAccess.PRIVATE))),
                ReplicationOptions.defaults(),
                Duration.ZERO,
                Duration.ofMillis(1));
    }

    private static Map<String, byte[]> replicaFiles(Path home) throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        try (Stream<Path> found = Files.walk(home.resolve("replica"))) {
            for (Path file : found.filter(Files::isRegularFile).toList()) {
                files.put(home.relativize(file).toString(), Files.readAllBytes(file));
            }
        }
        return files;
    }

    private static void assertNoFullCopy(Path home, Map<String, byte[]> before, Map<String, byte[]> after)
            throws Exception {
        for (String file : after.keySet()) {
            if (before.containsKey(file)) {
                continue;
            }
            try (InputStream in = Files.newInputStream(home.resolve(file));
                    LtxDecoder decoder = new LtxDecoder(in, file, CodecResources.shared())) {
                int pages = 0;
                byte[] page = new byte[decoder.header().pageSize()];
                while (decoder.nextPage(page, 0) != 0) {
                    pages++;
                }
                assertTrue(pages < decoder.header().commit(), file + " holds every page");
            }
        }
    }

    private void assertRowsOf(Path home, String name) throws Exception {
        String expectations = Files.readString(home.resolve("expect.json"));
        Path restored = Restored.latest(home.resolve("replica"), directory.resolve("restored.db"));
        String rows = sqlite(restored, value(expectations, "rows_query"));
        MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
        assertEquals(
                value(expectations, "rows_sha256"), hex(sha256.digest(rows.getBytes(StandardCharsets.UTF_8))), name);
        Files.delete(restored);
    }

    private static String value(String json, String key) {
        Matcher matcher = Pattern.compile("\"" + key + "\": \"([^\"]*)\"").matcher(json);
        assertTrue(matcher.find(), key);
        return matcher.group(1);
    }

    private static String sqlite(Path database, String sql) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("sqlite3", database.toString(), sql)
                .redirectErrorStream(true)
                .start();
        String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), answer);
        return answer;
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }
}
