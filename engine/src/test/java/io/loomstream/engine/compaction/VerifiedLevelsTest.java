package io.loomstream.engine.compaction;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileReplicaClient;
import io.loomstream.engine.testing.Seed;
import io.loomstream.engine.verify.Finding;
import io.loomstream.engine.verify.ReplicaVerifier;
import io.loomstream.engine.verify.VerifyReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What verification says of a replica that has been through compaction, snapshots and retention. */
class VerifiedLevelsTest {
    @TempDir
    Path directory;

    private final SimulatedTime time = new SimulatedTime();
    private History history;

    @BeforeEach
    void liveForFourDays() throws IOException, InterruptedException {
        history = new History(directory, Seed.random("liveForFourDays"), Levels.defaults(), time);
        for (int i = 0; i < 200; i++) {
            history.goTo(time.nanoTime() + Duration.ofMinutes(30).toNanos());
            history.commit();
        }
        history.goTo(time.nanoTime() + Duration.ofMinutes(10).toNanos());
        history.commit();
        assertTrue(history.maintenance().counters().deleted() > 100, "retention was at work");
        assertTrue(history.files(0).size() < 5, "L0 is trimmed");
        assertTrue(history.files(1).size() > 20, "level 1 is there");
        assertTrue(history.files(1).getFirst().min().value() > 1, "and trimmed, too");
    }

    private List<VerifyReport> reports() throws InterruptedException, IOException {
        FileReplicaClient replica = new FileReplicaClient(directory.resolve("replica"), FileAccess.PRIVATE);
        Path scratch = Files.createTempDirectory(directory, "scratch");
        return List.of(new ReplicaVerifier(replica).quick(), new ReplicaVerifier(replica).deep(scratch));
    }

    /** Of the pages of a {@link History} SQLite can make nothing; everything else has to be right. */
    private static List<Finding> problems(VerifyReport report) {
        return report.problems().stream()
                .filter(finding -> finding.kind() != Finding.Kind.NOT_RESTORABLE)
                .toList();
    }

    @Test
    void replicaThatWentThroughEverythingIsWhole() throws Exception {
        for (VerifyReport report : reports()) {
            assertEquals(List.of(), problems(report));
            assertEquals(List.of(), report.notices());
            assertEquals(history.txid(), report.restorable().orElseThrow().value());
        }
    }

    @Test
    void fileThatIsMissingAtALevelIsNamed() throws Exception {
        for (int level = 1; level <= 3; level++) {
            List<TxidRange> files = history.files(level);
            TxidRange lost = files.get(files.size() / 2);
            Path file = history.path(level, lost);
            byte[] content = Files.readAllBytes(file);
            Files.delete(file);
            for (VerifyReport report : reports()) {
                assertFalse(report.ok());
                String what = "level " + level + ": " + problems(report);
                assertEquals(1, problems(report).size(), what);
                Finding gap = problems(report).getFirst();
                assertEquals(Finding.Kind.GAP, gap.kind(), what);
                assertTrue(gap.message().contains(lost.fileName()), what);
                assertEquals(Optional.of(new Level(level)), gap.file().map(behind -> behind.level()), what);
            }
            Files.write(file, content);
        }
    }

    @Test
    void filesThatOverlapAtALevelAreNamed() throws Exception {
        List<TxidRange> files = history.files(1);
        TxidRange first = files.get(files.size() / 2);
        TxidRange both =
                new TxidRange(first.min(), files.get(files.size() / 2 + 1).max());
        Files.copy(history.path(1, first), history.path(1, both));
        VerifyReport report = reports().getFirst();
        assertFalse(report.ok());
        Finding overlap = report.problems().getFirst();
        assertEquals(Finding.Kind.OVERLAP, overlap.kind());
        String said = overlap.file().orElseThrow().range().fileName() + " " + overlap.message();
        assertTrue(said.contains(both.fileName()) && said.contains(first.fileName()), said);
    }
}
