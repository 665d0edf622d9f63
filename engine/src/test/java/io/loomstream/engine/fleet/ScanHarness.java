package io.loomstream.engine.fleet;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.posix.FileStat;
import io.loomstream.engine.posix.Posix;
import io.loomstream.engine.sync.FileFingerprint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.awaitility.Awaitility;

/** A scanner over real files, and what the rest of the server would do with its findings. */
final class ScanHarness {
    private static final Posix POSIX = Posix.load().orElseThrow();

    /** No sweep comes to the rescue. */
    static final Duration NEVER = Duration.ofDays(36_500);

    final PathTable table = new PathTable();
    final ScanRecorder events = new ScanRecorder(table);
    final Map<String, Integer> faults = FaultyView.faults();
    final Scanner scanner;

    ScanHarness(Selection selection, Duration sweep) {
        this.scanner = new Scanner(
                table,
                selection,
                () -> new FaultyView(FileView.of(Optional.of(POSIX)), faults),
                Time.system(),
                events,
                sweep);
    }

    static ScanHarness over(Path directory) {
        return new ScanHarness(Selection.ofPatterns(List.of(directory + "/**/*.db"), List.of()), NEVER);
    }

    /** One pass; what it told. */
    List<String> pass() throws InterruptedException {
        scanner.pass();
        return events.take();
    }

    int row(Path path) {
        return table.find(path.toString().getBytes(UTF_8));
    }

    Tier tier(Path path) {
        return table.tier(row(path)).orElseThrow();
    }

    private static FileFingerprint fingerprint(Path path, Instant now) throws IOException {
        Optional<FileStat> stat = POSIX.stat(path);
        return FileFingerprint.of(stat, now);
    }

    static DatabaseStamp stamp(Path path) throws IOException {
        Instant now = Instant.now();
        return DatabaseStamp.of(
                fingerprint(path, now),
                fingerprint(Path.of(path + "-wal"), now),
                fingerprint(Path.of(path + "-journal"), now));
    }

    /** Makes every database clean, and waits until the scanner finds nothing to do but its minimum. */
    ScanHarness settled() throws InterruptedException {
        scanner.pass();
        for (Tier tier : List.of(Tier.DISCOVERED, Tier.COLD_DIRTY)) {
            for (int row : table.rows(tier)) {
                Path path = table.path(row).orElseThrow();
                Awaitility.await()
                        .pollInterval(Duration.ofMillis(10))
                        .until(() -> !stamp(path).racy());
                try {
                    if (!table.settle(row, tier, Tier.COLD_CLEAN, stamp(path))) {
                        throw new AssertionError(path + " is not " + tier);
                    }
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            }
        }
        Awaitility.await()
                .pollInterval(Duration.ofMillis(20))
                .until(() -> scanner.pass().work().directoriesListed() == 0);
        List<String> told = events.take();
        if (told.stream().anyMatch(line -> line.startsWith("written"))) {
            throw new AssertionError("not at rest: " + told);
        }
        return this;
    }

    /** As {@link #settled} with a sweep that comes round in every pass, so that all is looked at all the time. */
    void settledBySweep(Path... paths) throws InterruptedException, IOException {
        for (Path path : paths) {
            Awaitility.await()
                    .pollInterval(Duration.ofMillis(10))
                    .until(() -> !stamp(path).racy());
            table.settle(row(path), Tier.DISCOVERED, Tier.COLD_CLEAN, stamp(path));
        }
        scanner.pass();
        events.take();
    }

    static Path file(Path path, String content) throws IOException {
        Files.createDirectories(path.getParent());
        return Files.writeString(path, content);
    }
}
