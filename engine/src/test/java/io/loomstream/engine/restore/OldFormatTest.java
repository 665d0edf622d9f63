package io.loomstream.engine.restore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileOldFormatStore;
import io.loomstream.engine.replica.FileReplicaClient;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Replicas of Litestream v0.3, alone and beside LTX files. */
class OldFormatTest {
    private static final Pattern FILE = Pattern.compile("\"file\": \"replica/([^\"]+)\",\\s*\"mtime_ns\": ([0-9]+)");
    private static final Pattern ROWS = Pattern.compile(
            "\"(latest|[0-9-]{10}T[0-9:.]+Z)\": \\{\\s*\"rows\": [0-9]+,\\s*\"rows_sha256\": \"([0-9a-f]{64})\"");

    @TempDir
    Path directory;

    private Path replica;
    private Path output;

    @BeforeEach
    void copyFixture() throws Exception {
        replica = directory.resolve("replica");
        output = directory.resolve("out.db");
        Path original = Path.of(OldFormatTest.class.getResource("/fixtures/v03").toURI());
        Matcher matcher = FILE.matcher(Files.readString(original.resolve("expect.json")));
        while (matcher.find()) {
            Path target = replica.resolve(matcher.group(1));
            Files.createDirectories(target.getParent());
            Files.copy(original.resolve("replica").resolve(matcher.group(1)), target);
            Files.setLastModifiedTime(target, FileTime.from(Long.parseLong(matcher.group(2)), TimeUnit.NANOSECONDS));
        }
    }

    private Restore restore() {
        return RestoreSetup.of(new FileReplicaClient(replica, FileAccess.PRIVATE))
                .orFrom(new FileOldFormatStore(replica));
    }

    private RestoreOutcome restoreTo(Target target) throws InterruptedException {
        return restore().run(RestoreRequest.latest(output).to(target).checked(IntegrityCheck.FULL));
    }

    private static String rows(Path database) throws Exception {
        Process process = new ProcessBuilder("sqlite3", database.toString(), "select id||'|'||v from t order by id")
                .redirectErrorStream(true)
                .start();
        byte[] rows = process.getInputStream().readAllBytes();
        assertEquals(0, process.waitFor(), new String(rows, StandardCharsets.UTF_8));
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(rows));
    }

    private static List<String[]> expectations() throws Exception {
        String json = Files.readString(Path.of(
                OldFormatTest.class.getResource("/fixtures/v03/expect.json").toURI()));
        return ROWS.matcher(json)
                .results()
                .map(result -> new String[] {result.group(1), result.group(2)})
                .toList();
    }

    @Test
    void restoresTheRowsThatLitestreamRestoresAtEveryTarget() throws Exception {
        List<String[]> expectations = expectations();
        assertEquals(4, expectations.size());
        for (String[] expected : expectations) {
            Target target =
                    expected[0].equals("latest") ? new Target.Latest() : new Target.Before(Instant.parse(expected[0]));

            assertInstanceOf(RestoreOutcome.RestoredOldFormat.class, restoreTo(target));

            try (Stream<Path> left = Files.list(directory)) {
                assertEquals(2, left.count(), "a spool or side file stays");
            }
            assertEquals(expected[1], rows(output), expected[0]);
            Files.delete(output);
        }
    }

    @Test
    void momentBeforeEverythingIsNotAvailable() throws Exception {
        RestoreOutcome outcome = restoreTo(new Target.Before(Instant.parse("2020-01-01T00:00:00Z")));
        assertInstanceOf(RestoreOutcome.NotAvailable.class, outcome);
        assertFalse(Files.exists(output));
    }

    @Test
    void txidNeverMeansTheOldFormat() throws Exception {
        assertInstanceOf(RestoreOutcome.NotAvailable.class, restoreTo(new Target.AtTxid(Txid.ONE)));
    }

    private Path segment(String name) {
        return replica.resolve("generations/2209a29b89d58edb/wal/" + name + ".wal.lz4");
    }

    private CorruptDataException refused() {
        CorruptDataException refused = assertThrows(CorruptDataException.class, () -> restoreTo(new Target.Latest()));
        assertFalse(Files.exists(output));
        return refused;
    }

    @Test
    void missingSegmentOrIndexIsAnErrorThatNamesIt() throws Exception {
        byte[] kept = Files.readAllBytes(segment("00000003_00005098"));
        Files.delete(segment("00000003_00005098"));
        assertTrue(
                refused().getMessage().contains("WAL 3 is missing from its byte 20632"),
                refused().getMessage());
        Files.write(segment("00000003_00005098"), kept);
        try (Stream<Path> files = Files.list(segment("x").getParent())) {
            for (Path file : files.filter(path -> path.getFileName().toString().startsWith("00000004"))
                    .toList()) {
                Files.delete(file);
            }
        }
        assertTrue(
                refused().getMessage().contains("WAL 4 is missing from its byte 0"),
                refused().getMessage());
    }

    /** SQLite's own recovery would take it for the end of the WAL and lose what follows without a word. */
    @Test
    void damagedSegmentIsAnErrorAtEveryByte() throws Exception {
        Path file = segment("00000003_00005098");
        byte[] good = Files.readAllBytes(file);
        for (int at = 0; at < good.length; at += 3) {
            byte[] bad = good.clone();
            bad[at] ^= 0x04;
            Files.write(file, bad);
            try {
                restoreTo(new Target.Latest());
                // Some bits of an LZ4 frame's header mean nothing: then the rows must be right.
                assertEquals(expectations().getFirst()[1], rows(output), "damaged at byte " + at);
                Files.delete(output);
            } catch (CorruptDataException expected) {
                assertFalse(Files.exists(output));
            }
        }
        Files.write(file, java.util.Arrays.copyOf(good, good.length / 2));
        assertTrue(refused().getMessage().contains("generation"), "cut short");
    }

    @Test
    void whatGivesTheNewerStateIsUsedAndLtxOnATie() throws Exception {
        Fixture ltx = Fixture.copy("l0-only", directory.resolve("made"));
        Files.move(ltx.replica().resolve("ltx"), replica.resolve("ltx"));
        Instant old = new FileOldFormatStore(replica)
                .walSegments("2209a29b89d58edb")
                .getLast()
                .createdAt();

        ltxTimes(old.plusSeconds(60));
        assertInstanceOf(Restore.Choice.Ltx.class, restore().choose(new Target.Latest()));
        assertInstanceOf(Restore.Choice.Ltx.class, restore().choose(new Target.Before(old.plusSeconds(3600))));
        assertInstanceOf(Restore.Choice.Old.class, restore().choose(new Target.Before(old.plusSeconds(1))));

        ltxTimes(old);
        assertInstanceOf(Restore.Choice.Ltx.class, restore().choose(new Target.Latest()));

        ltxTimes(old.minusSeconds(3600));
        assertInstanceOf(Restore.Choice.Old.class, restore().choose(new Target.Latest()));
        assertInstanceOf(Restore.Choice.Ltx.class, restore().choose(new Target.Before(old.minusSeconds(1800))));
    }

    /** There is no level 9 in this fixture: Litestream would use the old format for any moment. */
    private void ltxTimes(Instant time) throws IOException {
        try (Stream<Path> files = Files.list(replica.resolve("ltx/0"))) {
            for (Path file : files.toList()) {
                Files.setLastModifiedTime(file, FileTime.from(time));
            }
        }
    }
}
