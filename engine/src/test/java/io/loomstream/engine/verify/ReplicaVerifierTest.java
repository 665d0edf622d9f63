package io.loomstream.engine.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.LtxEncoder;
import io.loomstream.engine.ltx.LtxHeader;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileReplicaClient;
import io.loomstream.engine.replica.ReplicaFile;
import io.loomstream.engine.restore.Restore;
import io.loomstream.engine.restore.RestoreOutcome;
import io.loomstream.engine.restore.RestoreProgress;
import io.loomstream.engine.restore.RestoreRequest;
import io.loomstream.engine.testing.AppProcess;
import io.loomstream.engine.testing.CountingReplica;
import io.loomstream.engine.testing.UntouchedReplica;
import io.loomstream.engine.verify.Finding.Kind;
import io.loomstream.engine.wal.WalSalts;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** A verification fails where a real restore does, and where a level above 0 has a gap or an overlap. */
class ReplicaVerifierTest {
    private static final int PAGE_SIZE = 4096;

    @TempDir
    Path directory;

    private byte[] database;
    private Path replica;

    @BeforeEach
    void makeDatabase() throws Exception {
        Path file = directory.resolve("source.db");
        try (AppProcess app = AppProcess.start()) {
            app.open("w", file).exec("w", "create table t(x)").exec("w", "insert into t values (1)");
        }
        database = Files.readAllBytes(file);
        replica = directory.resolve("replica");
    }

    private FileReplicaClient client() {
        return new FileReplicaClient(replica, FileAccess.PRIVATE);
    }

    /** Every file holds the whole database, so only the chain decides. Each spec is {@code level:min-max}. */
    private void store(String... specs) throws Exception {
        for (String spec : specs) {
            String[] part = spec.split("[:-]", 3);
            Level level = new Level(Integer.parseInt(part[0]));
            TxidRange range = new TxidRange(new Txid(Long.parseLong(part[1])), new Txid(Long.parseLong(part[2])));
            Path file = Files.createTempFile(directory, "made", ".ltx");
            int pages = database.length / PAGE_SIZE;
            LtxHeader header = LtxHeader.of(PAGE_SIZE, pages, range, 1_700_000_000_000L, 0, 0, WalSalts.NONE);
            try (OutputStream out = Files.newOutputStream(file);
                    LtxEncoder encoder = new LtxEncoder(out, header, CodecResources.shared())) {
                for (int page = 1; page <= pages; page++) {
                    encoder.page(page, database, (page - 1) * PAGE_SIZE);
                }
                encoder.finish();
            }
            client().write(level, range, file);
            Files.delete(file);
        }
    }

    private record Chain(String files, boolean ok, List<Kind> kinds) {}

    private static Chain chain(String files, boolean ok, Kind... kinds) {
        return new Chain(files, ok, List.of(kinds));
    }

    @TestFactory
    Stream<DynamicTest> levelThatARestoreGetsAroundIsAProblemAllTheSame() {
        return Stream.of(
                        chain("1:1-4 1:3-6", false, Kind.OVERLAP),
                        chain("1:1-4 1:5-8 9:1-4 9:1-8 1:7-8", false, Kind.OVERLAP),
                        chain("0:7-7 1:1-2 1:5-7 2:1-6", false, Kind.GAP),
                        chain("1:1-4 1:9-9 9:1-12", false, Kind.GAP))
                .map(chain -> DynamicTest.dynamicTest("chain " + chain.files(), () -> check(chain, true)));
    }

    @TestFactory
    Stream<DynamicTest> chainFailsExactlyWhereARestoreDoes() {
        return Stream.of(
                        chain("", false, Kind.EMPTY),
                        chain("0:1-1", true),
                        chain("0:1-1 0:2-2 0:3-3", true),
                        chain("0:1-1 0:3-3", false, Kind.HOLE),
                        chain("0:2-2 0:3-3", false, Kind.HOLE),
                        chain("0:1-1 0:3-3 1:1-2", true, Kind.COVERED_HOLE),
                        chain("0:1-1 0:3-3 9:1-2", true, Kind.COVERED_HOLE),
                        chain("0:1-1 0:3-3 0:5-5 9:1-2", false, Kind.HOLE, Kind.COVERED_HOLE),
                        chain("0:5-5 0:6-6 1:1-3 1:4-5", true),
                        chain("0:6-6 1:1-3 1:5-5", false, Kind.HOLE, Kind.GAP),
                        chain("9:1-9 0:10-10", true),
                        chain("9:1-9 0:11-11", false, Kind.HOLE),
                        chain("0:8-8 0:9-9 1:5-9 2:1-8 9:1-4 9:1-9", true),
                        chain("1:1-2 1:6-7 9:1-5", true, Kind.COVERED_HOLE),
                        chain("1:1-2 1:6-7 9:1-6", true, Kind.COVERED_HOLE),
                        chain("9:2-7", false, Kind.HOLE))
                .map(chain -> DynamicTest.dynamicTest("chain " + chain.files(), () -> check(chain, chain.ok())));
    }

    private void check(Chain chain, boolean restorable) throws Exception {
        client().deleteAll();
        if (!chain.files().isEmpty()) {
            store(chain.files().split(" "));
        }

        for (VerifyReport report : List.of(
                new ReplicaVerifier(client()).quick(),
                new ReplicaVerifier(client()).deep(Files.createTempDirectory(directory, "scratch")))) {
            TreeSet<Kind> kinds = new TreeSet<>();
            report.findings().forEach(finding -> kinds.add(finding.kind()));
            kinds.remove(Kind.NOT_RESTORABLE);
            assertEquals(new TreeSet<>(chain.kinds()), kinds, report.toString());
            assertEquals(chain.ok(), report.ok(), report.toString());
        }
        Path output = directory.resolve("restored.db");
        RestoreOutcome outcome = Restore.from(client(), RestoreProgress.NONE).run(RestoreRequest.latest(output));
        assertEquals(restorable, outcome instanceof RestoreOutcome.Restored, outcome.toString());
        Files.deleteIfExists(output);
    }

    private Path file(String level, long min, long max) {
        return replica.resolve("ltx").resolve(level).resolve(new TxidRange(new Txid(min), new Txid(max)).fileName());
    }

    private List<Kind> deep() throws Exception {
        return new ReplicaVerifier(client())
                .deep(Files.createTempDirectory(directory, "scratch")).findings().stream()
                        .map(Finding::kind)
                        .toList();
    }

    /** Also a file that today's restore does not need: tomorrow's may. */
    @Test
    void everyDamagedByteIsFound() throws Exception {
        store("0:1-1", "0:2-2", "1:1-2");
        Path file = file("0", 2, 2);
        byte[] good = Files.readAllBytes(file);
        for (int at = 0; at < good.length; at += 11) {
            byte[] bad = good.clone();
            bad[at] ^= 0x20;
            Files.write(file, bad);
            Files.setLastModifiedTime(file, FileTime.fromMillis(1_700_000_000_000L));
            List<Kind> kinds = deep();
            assertTrue(kinds.contains(Kind.CORRUPT), "byte " + at + ": " + kinds);
        }
    }

    @Test
    void fileUnderAnotherNameIsFound() throws Exception {
        store("0:1-1", "0:2-2", "0:3-3");
        Files.copy(
                file("0", 2, 2),
                file("0", 3, 3),
                StandardCopyOption.REPLACE_EXISTING,
                StandardCopyOption.COPY_ATTRIBUTES);
        assertEquals(List.of(Kind.MISNAMED, Kind.NOT_RESTORABLE), deep());
    }

    @Test
    void lostFileTimeIsNoticed() throws Exception {
        store("0:1-1");
        Files.setLastModifiedTime(file("0", 1, 1), FileTime.fromMillis(1_700_000_099_000L));
        assertEquals(List.of(Kind.TIME), deep());
    }

    @Test
    void fileShorterThanAHeaderIsFoundFromTheListing() throws Exception {
        store("0:1-1");
        Files.write(file("0", 1, 1), new byte[99]);
        VerifyReport report = new ReplicaVerifier(client()).quick();
        assertEquals(Kind.TRUNCATED, report.problems().getFirst().kind());
    }

    /** All checksums are right and the database is not: only SQLite can say so. */
    @Test
    void pagesThatAreNoDatabaseAreFoundByTheTrialRestore() throws Exception {
        java.util.Arrays.fill(database, PAGE_SIZE, database.length, (byte) 0x5a);
        store("0:1-1");
        assertTrue(new ReplicaVerifier(client()).quick().ok());
        assertEquals(List.of(Kind.NOT_RESTORABLE), deep());
    }

    @Test
    void failedListingIsNoResult() throws Exception {
        store("0:1-1");
        Files.delete(file("0", 1, 1));
        Files.delete(replica.resolve("ltx/0"));
        Files.writeString(replica.resolve("ltx/0"), "a file where a directory should be");
        assertThrows(TransientStorageException.class, () -> new ReplicaVerifier(client()).quick());
    }

    @Test
    void verificationChangesNothingAndLeavesNothing() throws Exception {
        store("0:1-1", "0:2-2");
        Path scratch = Files.createTempDirectory(directory, "scratch");
        UntouchedReplica before = UntouchedReplica.of(replica);
        assertTrue(new ReplicaVerifier(client()).deep(scratch).ok());
        before.assertUntouched();
        try (Stream<Path> left = Files.list(scratch)) {
            assertEquals(0, left.count());
        }
    }

    /** Retention deletes it between the listing and its reading. */
    @Test
    void fileThatAgesOutMeanwhileIsNoProblem() throws Exception {
        store("0:1-1", "0:2-2", "9:1-2");
        CountingReplica aging = new CountingReplica(client()) {
            @Override
            public List<ReplicaFile> list(Level level, Txid seek) {
                List<ReplicaFile> files = super.list(level, seek);
                client().delete(Level.L0, List.of(TxidRange.of(Txid.ONE)));
                return files;
            }
        };
        VerifyReport report = new ReplicaVerifier(aging).deep(Files.createTempDirectory(directory, "scratch"));
        assertTrue(report.ok(), report.toString());
    }

    @Test
    void reportNamesTheNewestAndTheRestorable() throws Exception {
        store("0:1-1", "0:2-2", "0:5-5");
        VerifyReport report = new ReplicaVerifier(client()).quick();
        assertEquals(new Txid(5), report.newest().orElseThrow());
        assertEquals(new Txid(2), report.restorable().orElseThrow());
        assertEquals(3, report.files());
        List<ReplicaFile> files = client().list(Level.L0, Txid.ZERO);
        assertEquals(files.stream().mapToLong(ReplicaFile::sizeBytes).sum(), report.sizeBytes());
    }

    @Test
    void somebodysFileInTheScratchDirectoryStays() throws Exception {
        Path scratch = Files.createTempDirectory(directory, "scratch");
        Files.writeString(scratch.resolve("trial.db"), "somebody's");
        store("0:1-1");
        assertTrue(new ReplicaVerifier(client()).deep(scratch).ok());
        assertEquals("somebody's", Files.readString(scratch.resolve("trial.db")));
    }
}
