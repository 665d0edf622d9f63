package io.loomstream.engine.fleet;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.posix.Posix;
import io.loomstream.engine.testing.AppProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScannerTest {
    private static final int EACCES = 13;
    private static final int EIO = 5;

    @TempDir
    Path directory;

    private Path a;
    private Path b;

    @BeforeEach
    void twoFiles() throws IOException {
        a = ScanHarness.file(directory.resolve("p/a.db"), "content of a");
        b = ScanHarness.file(directory.resolve("q/b.db"), "content of b");
    }

    @Test
    void databasesAppearOnceAndRestCostsOneStatADirectory() throws Exception {
        ScanHarness harness = ScanHarness.over(directory);
        assertEquals(List.of("appeared a.db", "appeared b.db"), harness.pass());
        harness.settled();
        PassReport idle = harness.scanner.pass();
        assertEquals(new PassReport.Work(3, 0, 0), idle.work());
        assertEquals(2, idle.databases());
        assertTrue(idle.cpuNanos() > 0 && idle.cpuNanos() <= idle.wallNanos(), idle.toString());
        assertEquals(List.of(), harness.events.take());
    }

    @Test
    void newFoldersAndFilesInThemAreFoundInOnePass() throws Exception {
        ScanHarness harness = ScanHarness.over(directory).settled();
        ScanHarness.file(directory.resolve("x/y/z/new.db"), "");
        ScanHarness.file(directory.resolve("x/y/z/new.txt"), "");
        assertEquals(List.of("appeared new.db"), harness.pass());
    }

    @Test
    void openWriteCloseLeavesNoSideFileAndIsNoticed() throws Exception {
        Path database = directory.resolve("p/real.db");
        try (AppProcess app = AppProcess.start()) {
            app.open("c", database).exec("c", "pragma journal_mode=wal").exec("c", "create table t (v)");
            app.close("c");
            ScanHarness harness = ScanHarness.over(directory).settled();
            app.open("c", database).exec("c", "insert into t values (1)").close("c");
            assertFalse(Files.exists(Path.of(database + "-wal")));
            assertEquals(List.of("written real.db"), harness.pass());
            assertEquals(Tier.COLD_DIRTY, harness.tier(database));
            harness.settled();
            app.open("c", database).exec("c", "pragma journal_mode=delete").close("c");
            assertEquals(List.of("written real.db"), harness.pass());
            harness.settled();
            app.open("c", database).exec("c", "insert into t values (2)").close("c");
            assertEquals(List.of("written real.db"), harness.pass(), "a rollback journal came and went");
        }
    }

    @Test
    void writesIntoAWalThatKeepsSizeAndHeaderAreNoticed() throws Exception {
        Path database = directory.resolve("p/real.db");
        Path wal = Path.of(database + "-wal");
        try (AppProcess app = AppProcess.start()) {
            app.open("c", database).exec("c", "pragma journal_mode=wal").exec("c", "create table t (v)");
            app.exec("c", "insert into t select randomblob(2000) from (select 1 union select 2 union select 3)");
            app.exec("c", "pragma wal_checkpoint(passive)").exec("c", "insert into t values (0)");
            ScanHarness harness = ScanHarness.over(directory).settled();
            assertEquals(1, harness.scanner.pass().work().filesStated(), "the one WAL");
            long size = Files.size(wal);
            for (int i = 0; i < 5; i++) {
                app.exec("c", "pragma wal_checkpoint(passive)").exec("c", "update t set v = " + i + " where rowid = 1");
                assertEquals(size, Files.size(wal));
                assertEquals(List.of("written real.db"), harness.pass());
                harness.settled();
            }
        }
    }

    @Test
    void changeWithoutDirectoryOrSideFileIsFoundByTheSweep() throws Exception {
        ScanHarness harness =
                new ScanHarness(Selection.ofPatterns(List.of(directory + "/**/*.db"), List.of()), Duration.ofNanos(1));
        harness.pass();
        harness.settledBySweep(a, b);
        Files.writeString(a, "content of A");
        assertEquals(List.of("written a.db"), harness.pass());
        ScanHarness rare = ScanHarness.over(directory).settled();
        Files.writeString(b, "content of B");
        assertEquals(List.of(), rare.pass());
        rare.scanner.fullPass();
        assertEquals(List.of("written b.db"), rare.events.take());
    }

    @Test
    void timeSetBackAndCopiesThatKeepTimeAndSizeAreNoticed() throws Exception {
        Instant old = Instant.parse("2020-01-01T00:00:00Z");
        Files.setLastModifiedTime(a, FileTime.from(old));
        ScanHarness harness = ScanHarness.over(directory).settled();
        Files.setLastModifiedTime(a, FileTime.from(old.minusSeconds(60)));
        harness.scanner.fullPass();
        assertEquals(List.of("written a.db"), harness.events.take());
        harness.settled();
        Path copy = ScanHarness.file(directory.resolve("other"), "CONTENT OF A");
        Files.setLastModifiedTime(copy, FileTime.from(old.minusSeconds(60)));
        Files.copy(copy, a, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.COPY_ATTRIBUTES);
        assertEquals(1, harness.pass().size(), "cp -p of the same size and time");
    }

    @Test
    void fileRenamedOverAnotherIsReplacedAndIsNoIncident() throws Exception {
        ScanHarness harness = ScanHarness.over(directory).settled();
        Files.move(ScanHarness.file(directory.resolve("p/next"), "new"), a, StandardCopyOption.ATOMIC_MOVE);
        assertEquals(List.of("replaced a.db"), harness.pass());
        harness.settled();
        Files.move(b, a, StandardCopyOption.ATOMIC_MOVE);
        assertEquals(List.of("gone b.db", "replaced a.db"), harness.pass());
    }

    @Test
    void recreatedFilesAreNeverTakenForTheOldOnes() throws Exception {
        ScanHarness harness = ScanHarness.over(directory).settled();
        for (int i = 0; i < 5; i++) {
            Files.delete(a);
            Files.writeString(a, "content of a");
            assertEquals(1, harness.pass().size());
            assertEquals(Tier.COLD_DIRTY, harness.tier(a));
            harness.settled();
        }
    }

    @Test
    void deletedDatabaseIsGoneAndComesBackAsNew() throws Exception {
        ScanHarness harness = ScanHarness.over(directory).settled();
        Files.delete(a);
        assertEquals(List.of("gone a.db"), harness.pass());
        assertEquals(List.of(), harness.pass(), "told once");
        assertEquals(Tier.GONE, harness.tier(a));
        Files.writeString(a, "again");
        assertEquals(List.of("appeared a.db"), harness.pass());
        Files.delete(a);
        harness.pass();
        assertTrue(harness.table.remove(harness.row(a)));
        Files.writeString(a, "and again");
        assertEquals(List.of("appeared a.db"), harness.pass());
    }

    @Test
    void databaseMovedToAnotherFolderIsGoneHereAndFoundThere() throws Exception {
        ScanHarness harness = ScanHarness.over(directory).settled();
        Files.move(a, directory.resolve("q/a2.db"));
        assertEquals(List.of("appeared a2.db", "gone a.db"), harness.pass());
        harness.settled();
        // A whole folder, to a name that is listed before it and to one that is listed after.
        Files.move(directory.resolve("q"), directory.resolve("r"));
        assertEquals(List.of("appeared a2.db", "appeared b.db", "gone a2.db", "gone b.db"), harness.pass());
        assertTrue(harness.table.remove(harness.row(directory.resolve("q/b.db"))));
        assertTrue(harness.table.remove(harness.row(directory.resolve("q/a2.db"))));
        harness.pass();
        try (PathTable.Locked locked = harness.table.lock()) {
            assertEquals(3, locked.directories().size(), "the old folder is forgotten");
        }
    }

    @Test
    void manyVanishingAtOnceIsAnIncidentUntilTheyReturnOrSomebodySaysSo() throws Exception {
        for (int i = 0; i < 40; i++) {
            ScanHarness.file(directory.resolve("many/" + i + ".db"), "");
        }
        ScanHarness harness = ScanHarness.over(directory).settled();
        Files.move(directory.resolve("many"), directory.resolve("../unmounted"));
        assertEquals(List.of("incident 40 of 42"), harness.pass());
        assertEquals(List.of("incident 40 of 42"), harness.pass());
        assertEquals(Tier.COLD_CLEAN, harness.tier(directory.resolve("many/7.db")));
        Files.move(directory.resolve("../unmounted"), directory.resolve("many"));
        assertEquals(List.of(), harness.pass(), "they are back as they were");
        Files.move(directory.resolve("many"), directory.resolve("../unmounted"));
        harness.pass();
        harness.scanner.acceptVanished();
        assertEquals(40, harness.pass().size());
        assertEquals(40, harness.table.count(Tier.GONE));
        Files.move(directory.resolve("../unmounted"), directory.resolve("many"));
    }

    @Test
    void fewOfManyAreADeletion() throws Exception {
        for (int i = 0; i < 200; i++) {
            ScanHarness.file(directory.resolve("many/" + i + ".db"), "");
        }
        ScanHarness harness = ScanHarness.over(directory).settled();
        for (int i = 0; i < 20; i++) {
            Files.delete(directory.resolve("many/" + i + ".db"));
        }
        assertEquals(20, harness.pass().size());
        assertEquals(20, harness.table.count(Tier.GONE));
    }

    @Test
    void onlyMissingMeansGone() throws Exception {
        ScanHarness harness = ScanHarness.over(directory).settled();
        ScanHarness.file(directory.resolve("p/other"), "");
        harness.faults.put("stat:a.db", EIO);
        assertEquals(List.of("unknown a.db: errno 5"), harness.pass());
        assertEquals(List.of("unknown a.db: errno 5"), harness.pass(), "looked at again each time");
        harness.faults.clear();
        assertEquals(List.of(), harness.pass());
        for (String fault : List.of("stat:p", "open:p", "next:p")) {
            ScanHarness.file(directory.resolve("p/" + fault), "");
            harness.faults.put(fault, EACCES);
            assertEquals(List.of("unreadable p: permission denied"), harness.pass(), fault);
            assertEquals(List.of("unreadable p: permission denied"), harness.pass(), fault);
            harness.faults.clear();
            assertEquals(List.of(), harness.pass(), fault);
        }
        harness.faults.put("stat:a.db-wal", EIO);
        ScanHarness.file(directory.resolve("p/a.db-wal"), "");
        assertEquals(List.of("unknown a.db: errno 5"), harness.pass());
        harness.faults.clear();
        assertEquals(List.of("written a.db"), harness.pass());
        assertEquals(2, harness.table.size());
        assertEquals(0, harness.table.count(Tier.GONE));
    }

    @Test
    void newFileThatCannotBeLookedAtIsTriedAgain() throws Exception {
        ScanHarness harness = ScanHarness.over(directory).settled();
        ScanHarness.file(directory.resolve("p/new.db"), "");
        harness.faults.put("stat:new.db", EIO);
        for (int i = 0; i < 3; i++) {
            assertEquals(List.of("unreadable new.db: errno 5"), harness.pass());
            Instant changed = Files.getLastModifiedTime(directory.resolve("p")).toInstant();
            Awaitility.await().until(() -> changed.isBefore(Instant.now().minusMillis(100)));
        }
        harness.faults.clear();
        assertEquals(List.of("appeared new.db"), harness.pass());
    }

    @Test
    void folderThatBecameAFileSaysNothingAboutItsDatabases() throws Exception {
        ScanHarness harness = ScanHarness.over(directory).settled();
        Files.move(directory.resolve("p"), directory.resolve("../aside"));
        Files.writeString(directory.resolve("p"), "");
        assertEquals(List.of("unreadable p: it is no directory"), harness.pass());
        assertEquals(Tier.COLD_CLEAN, harness.tier(a));
        Files.delete(directory.resolve("p"));
        Files.move(directory.resolve("../aside"), directory.resolve("p"));
        assertEquals(List.of(), harness.pass());
    }

    @Test
    void linksAndSecondNamesHaveOneOwnerAndLoopsEnd() throws Exception {
        Files.createSymbolicLink(directory.resolve("p/loop"), directory);
        Files.createSymbolicLink(directory.resolve("p/self"), directory.resolve("p/self"));
        Files.createSymbolicLink(directory.resolve("p/link.db"), b);
        ScanHarness harness = ScanHarness.over(directory);
        assertEquals(
                List.of(
                        "appeared a.db",
                        "appeared b.db",
                        "refused link.db: SYMBOLIC_LINK",
                        "refused loop: SAME_DIRECTORY"),
                harness.pass());
        harness.settled();
        Files.createLink(directory.resolve("p/hard.db"), a);
        assertTrue(harness.pass().contains("refused hard.db: SAME_FILE"));
        Files.delete(a);
        List<String> handedOver = harness.pass();
        assertTrue(handedOver.containsAll(List.of("appeared hard.db", "gone a.db")), handedOver.toString());
    }

    @Test
    void linkedFolderIsEnteredByPatternsAndNotByDirectoryEntries() throws Exception {
        Path elsewhere =
                ScanHarness.file(directory.resolve("../elsewhere/c.db"), "").getParent();
        Files.createSymbolicLink(directory.resolve("link"), elsewhere);
        ScanHarness patterns = ScanHarness.over(directory);
        assertEquals(List.of("appeared a.db", "appeared b.db", "appeared c.db"), patterns.pass());
        ScanHarness entry =
                new ScanHarness(Selection.ofDirectory(directory.toString(), "*.db", true), ScanHarness.NEVER);
        assertEquals(List.of("appeared a.db", "appeared b.db"), entry.pass());
        ScanHarness flat =
                new ScanHarness(Selection.ofDirectory(directory.toString(), "*.db", false), ScanHarness.NEVER);
        assertEquals(List.of(), flat.pass());
        assertEquals(1, flat.scanner.pass().work().directoriesStated());
        Files.delete(elsewhere.resolve("c.db"));
        Files.delete(elsewhere);
    }

    @Test
    void oddNamesAreServedAndPipesAreNot() throws Exception {
        String longest = "x".repeat(252) + ".db";
        for (String name : List.of("sp ace.db", "new\nline.db", "é.db", "e\u0301.db", "?#%.db", longest)) {
            ScanHarness.file(directory.resolve("odd").resolve(name), "");
        }
        assertEquals(
                0,
                new ProcessBuilder("mkfifo", directory.resolve("odd/pipe.db").toString())
                        .start()
                        .waitFor());
        Files.createDirectory(directory.resolve("odd/folder.db"));
        ScanHarness.file(directory.resolve("odd/.a.db-litestream/ltx/trap.db"), "");
        ScanHarness.file(directory.resolve("odd/x.db-wal/inside.db"), "a folder may be called like a WAL");
        ScanHarness harness = ScanHarness.over(directory);
        List<String> expected = new ArrayList<>(List.of(
                "appeared ?#%.db",
                "appeared a.db",
                "appeared b.db",
                "appeared e\u0301.db",
                "appeared inside.db",
                "appeared new\\0aline.db",
                "appeared sp ace.db",
                "appeared " + longest,
                "appeared é.db",
                "refused pipe.db: NOT_A_FILE"));
        expected.sort(null);
        assertEquals(expected, harness.pass());
    }

    @Test
    void excludedFoldersAreNotEntered() throws Exception {
        ScanHarness.file(directory.resolve("p/skip/deep/t.db"), "");
        ScanHarness harness = new ScanHarness(
                Selection.ofPatterns(List.of(directory + "/**/*.db"), List.of("**/skip/**")), ScanHarness.NEVER);
        assertEquals(List.of("appeared a.db", "appeared b.db"), harness.pass());
        assertEquals(3, harness.scanner.pass().work().directoriesStated());
    }

    @Test
    void rootThatDoesNotExistYetIsWaitedFor() throws Exception {
        Path later = directory.resolve("later");
        ScanHarness harness = ScanHarness.over(later);
        assertEquals(List.of(), harness.pass());
        ScanHarness.file(later.resolve("x.db"), "");
        assertEquals(List.of("appeared x.db"), harness.pass());
    }

    @Test
    void walThatAppearsWhileADemotionIsUnderWayIsNotForgotten() throws Exception {
        ScanHarness harness = ScanHarness.over(directory);
        harness.pass();
        int row = harness.row(a);
        assertTrue(harness.table.transition(row, Tier.DISCOVERED, Tier.HOT));
        Awaitility.await().until(() -> !ScanHarness.stamp(a).racy());
        DatabaseStamp before = ScanHarness.stamp(a);
        ScanHarness.file(Path.of(a + "-wal"), "a commit");
        // The scanner takes the folder's new time for known while the row is still hot.
        Awaitility.await()
                .pollInterval(Duration.ofMillis(20))
                .until(() -> harness.scanner.pass().work().directoriesListed() == 0);
        assertTrue(harness.table.settle(row, Tier.HOT, Tier.COLD_CLEAN, before));
        harness.events.take();
        assertEquals(List.of("written a.db"), harness.pass());
    }

    @Test
    void ignoredFileIsDiscoveredAgainWhenItChanges() throws Exception {
        ScanHarness harness = ScanHarness.over(directory).settled();
        int row = harness.row(a);
        assertTrue(harness.table.transition(row, Tier.COLD_CLEAN, Tier.COLD_DIRTY));
        assertTrue(harness.table.settle(row, Tier.COLD_DIRTY, Tier.IGNORED, ScanHarness.stamp(a)));
        assertEquals(List.of(), harness.pass());
        Files.move(ScanHarness.file(directory.resolve("p/next"), "new"), a, StandardCopyOption.ATOMIC_MOVE);
        assertEquals(List.of("replaced a.db"), harness.pass());
        assertEquals(Tier.DISCOVERED, harness.tier(a));
    }

    @Test
    void failingListenerLosesNothing() throws Exception {
        PathTable table = new PathTable();
        ScanRecorder recorder = new ScanRecorder(table) {
            @Override
            public void appeared(int row) {
                throw new IllegalStateException("no");
            }
        };
        Scanner scanner = new Scanner(
                table,
                Selection.ofPatterns(List.of(directory + "/**/*.db"), List.of()),
                () -> FileView.of(Optional.empty()),
                Time.system(),
                recorder,
                ScanHarness.NEVER);
        PassReport report = scanner.pass();
        assertEquals(2, report.events().listenerFailures());
        assertEquals(2, table.count(Tier.DISCOVERED));
    }

    @Test
    void passesNeverOverlap() throws Exception {
        ScanHarness harness = ScanHarness.over(directory);
        List<CompletableFuture<Long>> all = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            all.add(CompletableFuture.supplyAsync(() -> {
                try {
                    return harness.scanner.pass().pass();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            }));
        }
        assertEquals(20, all.stream().map(CompletableFuture::join).distinct().count());
        assertEquals(List.of("appeared a.db", "appeared b.db"), harness.events.take());
    }

    @Test
    void slowPassIsSplitOverTwoTasksThatFindEverythingOnce() throws Exception {
        int folders = 60;
        for (int i = 0; i < folders; i++) {
            ScanHarness.file(directory.resolve("many/" + i + "/deep/x" + i + ".db"), "");
            Files.createSymbolicLink(directory.resolve("many/" + i + "/up"), directory.resolve("many"));
        }
        PathTable table = new PathTable();
        ScanRecorder recorder = new ScanRecorder(table);
        AtomicLong pace = new AtomicLong(1);
        Scanner scanner = new Scanner(
                table,
                Selection.ofPatterns(List.of(directory + "/**/*.db"), List.of("**/p")),
                () -> FileView.of(Posix.load()),
                new FastClock(pace),
                recorder,
                ScanHarness.NEVER);
        assertEquals(1, scanner.pass().tasks());
        assertEquals(1, scanner.pass().tasks());
        pace.set(Duration.ofSeconds(2).toNanos());
        assertEquals(1, scanner.pass().tasks());
        recorder.take();
        Files.move(directory.resolve("many"), directory.resolve("again"));
        PassReport split = scanner.pass();
        assertEquals(2, split.tasks());
        assertEquals(folders, split.events().appeared());
        assertEquals(folders, split.events().gone());
        assertEquals(folders + 1, table.size() - table.count(Tier.GONE));
        pace.set(1);
        scanner.pass();
        assertEquals(1, scanner.pass().tasks(), "quick again");
    }

    /** A monotonic clock that goes forward by a fixed pace with every reading. */
    private record FastClock(AtomicLong paceNanos, AtomicLong passed) implements Time {
        FastClock(AtomicLong paceNanos) {
            this(paceNanos, new AtomicLong());
        }

        @Override
        public Instant now() {
            return Instant.now();
        }

        @Override
        public long nanoTime() {
            return passed.addAndGet(paceNanos.get());
        }

        @Override
        public void sleep(Duration duration) {
            throw new AssertionError("a pass does not sleep");
        }
    }

    @Test
    void nameThatIsNoTextIsFoundAndNoticedLikeOthers() throws Exception {
        String make = "import os,sys; f=sys.argv[1].encode()+b'/p/l\\xe9.db'; open(f,'ab').close()";
        python(make);
        ScanHarness harness = ScanHarness.over(directory);
        assertEquals(List.of("appeared a.db", "appeared b.db", "appeared l\\e9.db"), harness.pass());
        python("import os,sys; os.remove(sys.argv[1].encode()+b'/p/l\\xe9.db')");
        assertEquals(List.of("gone l\\e9.db"), harness.pass());
    }

    private void python(String script) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("python3", "-c", script, directory.toString())
                .inheritIO()
                .start();
        assertEquals(0, process.waitFor());
    }

    @Test
    void interruptedPassEndsAndTheNextOneGoesOn() throws Exception {
        ScanHarness harness = ScanHarness.over(directory);
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, harness.scanner::pass);
        assertFalse(Thread.interrupted(), "the interruption was used up");
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, () -> harness.scanner.run(Duration.ofSeconds(15)));
        assertEquals(List.of("appeared a.db", "appeared b.db"), harness.pass());
    }

    @Test
    void slowScanBacksOff() {
        PassReport.Work none = new PassReport.Work(0, 0, 0);
        PassReport.Events nothing = new PassReport.Events(0, 0, 0, 0, 0, 0, 0);
        Duration interval = Duration.ofSeconds(15);
        PassReport quick = new PassReport(
                1, false, 1, 0, none, nothing, Duration.ofSeconds(1).toNanos(), 0);
        PassReport slow = new PassReport(
                1, false, 1, 0, none, nothing, Duration.ofSeconds(20).toNanos(), 0);
        assertEquals(Duration.ofSeconds(14), Scanner.pauseAfter(quick, interval));
        assertEquals(Duration.ofSeconds(60), Scanner.pauseAfter(slow, interval));
    }

    @Test
    void keptDigestsProveAfterARestart() throws Exception {
        ScanHarness first = ScanHarness.over(directory).settled();
        long keptA = first.table.digest(first.row(a));
        long keptB = first.table.digest(first.row(b));
        Files.writeString(b, "written while nobody looked");
        ScanHarness second = ScanHarness.over(directory);
        second.pass();
        assertTrue(second.table.settleAsKept(second.row(a), keptA));
        assertFalse(second.table.settleAsKept(second.row(b), keptB));
        assertEquals(List.of(), second.pass());
    }

    @Test
    void nothingIsEverWrittenBesideADatabase() throws Exception {
        ScanHarness harness = ScanHarness.over(directory).settled();
        harness.scanner.fullPass();
        try (var files = Files.list(directory.resolve("p"))) {
            assertEquals(List.of(a), files.toList());
        }
        assertEquals("content of a", new String(Files.readAllBytes(a), UTF_8));
    }
}
