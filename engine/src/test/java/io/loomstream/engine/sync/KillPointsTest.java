package io.loomstream.engine.sync;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.testing.AppProcess;
import io.loomstream.engine.testing.FileLocker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The states of the meta directory that a kill between any two steps of a copy leaves, and those of a power cut, put
 * together from the states before and after the step. The steps: stage the L0 file, store its slot, give the file its name,
 * upload it, delete the one before.
 */
class KillPointsTest {
    @TempDir
    Path directory;

    private Captured captured;
    private AppProcess app;

    @BeforeEach
    void start() {
        captured = new Captured(directory);
        app = AppProcess.start();
        app.open("a", captured.database).exec("a", "pragma journal_mode=wal").exec("a", "create table t(x)");
        insert(3);
        captured.settle();
    }

    @AfterEach
    void stop() throws IOException {
        captured.close();
        app.close();
    }

    private void insert(int rows) {
        for (int i = 0; i < rows; i++) {
            app.exec("a", "insert into t values (randomblob(3000))");
        }
    }

    private Path cursorFile() {
        return captured.sync().local().cursorFile();
    }

    private Path local(long txid) {
        return captured.sync().local().path(new Txid(txid));
    }

    private Map<String, byte[]> replicaFiles() throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        try (Stream<Path> found = Files.walk(captured.replica)) {
            for (Path file : found.filter(Files::isRegularFile).toList()) {
                files.put(file.getFileName().toString(), Files.readAllBytes(file));
            }
        }
        return files;
    }

    private void assertNothingRewritten(Map<String, byte[]> before) throws IOException {
        Map<String, byte[]> after = replicaFiles();
        before.forEach((name, bytes) -> assertArrayEquals(bytes, after.get(name), name + " has other bytes now"));
    }

    /** Captures one transaction and does not upload it. */
    private long copyOne() throws InterruptedException {
        insert(1);
        captured.look();
        return captured.txid();
    }

    enum KilledAfter {
        STAGING,
        SLOT,
        RENAME,
        UPLOAD
    }

    @ParameterizedTest
    @EnumSource
    void aKillBetweenTwoStepsCostsNothing(KilledAfter step) throws Exception {
        byte[] slotsBefore = Files.readAllBytes(cursorFile());
        Map<String, byte[]> replicaBefore = replicaFiles();
        long before = captured.txid();
        long next = copyOne();
        assertEquals(before + 1, next);
        switch (step) {
            case STAGING, SLOT -> {
                captured.kill();
                Files.move(local(next), captured.sync().local().staging(new Txid(next)));
                if (step == KilledAfter.STAGING) {
                    Files.write(cursorFile(), slotsBefore);
                }
            }
            case RENAME -> captured.kill();
            case UPLOAD -> {
                captured.replicated().upload();
                replicaBefore = replicaFiles();
                captured.kill();
            }
        }
        insert(1); // so that the file of that TXID will have other bytes
        captured.start().catchUp();
        assertFalse(captured.copiedEverything(), "the cursor was still good");
        assertFalse(Files.exists(captured.sync().local().staging(new Txid(next))));
        assertNothingRewritten(replicaBefore);
        captured.assertRestoresToSource();
    }

    @ParameterizedTest
    @ValueSource(strings = {"half", "empty", "zeroes", "bit", "bit of the trailer"})
    void aLocalFileThatAPowerCutToreIsNeverUploaded(String damage) throws Exception {
        Map<String, byte[]> replicaBefore = replicaFiles();
        copyOne();
        long torn = copyOne();
        copyOne();
        captured.kill();
        byte[] bytes = Files.readAllBytes(local(torn));
        byte[] damaged = damaged(damage, bytes);
        Files.write(local(torn), damaged);
        captured.afterAnotherBoot().catchUp();
        assertNothingRewritten(replicaBefore);
        replicaFiles().forEach((name, uploaded) -> assertFalse(Arrays.equals(damaged, uploaded), name));
        assertReplicaIsSound();
    }

    private static byte[] damaged(String damage, byte[] bytes) {
        byte[] damaged = bytes.clone();
        switch (damage) {
            case "half" -> damaged = Arrays.copyOf(bytes, bytes.length / 2);
            case "empty" -> damaged = new byte[0];
            case "zeroes" -> Arrays.fill(damaged, 200, bytes.length - 16, (byte) 0);
            case "bit" -> damaged[bytes.length / 2] ^= 4;
            default -> damaged[bytes.length - 1] ^= 4;
        }
        return damaged;
    }

    @ParameterizedTest
    @ValueSource(strings = {"half", "empty", "zeroes", "bit", "bit of the trailer"})
    void theNewestLocalFileTornIsNeverUploadedEither(String damage) throws Exception {
        long torn = copyOne();
        captured.kill();
        byte[] damaged = damaged(damage, Files.readAllBytes(local(torn)));
        Files.write(local(torn), damaged);
        captured.afterAnotherBoot().catchUp();
        replicaFiles().forEach((name, uploaded) -> assertFalse(Arrays.equals(damaged, uploaded), name));
        assertReplicaIsSound();
    }

    /** Every file decodes, and applied in order, from the newest snapshot if there is one, they give the source. */
    private void assertReplicaIsSound() throws Exception {
        Path snapshots = captured.replica.resolve("ltx/9");
        assertTrue(Files.isDirectory(snapshots), "the hole is bridged by a snapshot");
        for (Map.Entry<String, byte[]> file : replicaFiles().entrySet()) {
            Path copy = directory.resolve("check.ltx");
            Files.write(copy, file.getValue());
            captured.services()
                    .copier()
                    .verify(copy, TxidRange.parseFileName(file.getKey()).orElseThrow());
        }
        captured.assertRestoresToSource();
    }

    @Test
    void localFilesThatAreGoneAfterAPowerCutAreBridged() throws Exception {
        copyOne();
        long gone = copyOne();
        copyOne();
        captured.kill();
        Files.delete(local(gone));
        captured.afterAnotherBoot().catchUp();
        assertReplicaIsSound();
    }

    @Test
    void anotherBootProvesNothingByFingerprints() throws Exception {
        captured.kill();
        captured.afterAnotherBoot().catchUp();
        assertTrue(captured.copiedEverything());
        captured.assertRestoresToSource();
    }

    @Test
    void anotherBootAfterAStopInOrderGoesOn() throws Exception {
        assertEquals(null, captured.stop().problem());
        insert(1);
        captured.afterAnotherBoot().catchUp();
        assertFalse(captured.copiedEverything());
        captured.assertRestoresToSource();
    }

    /** Two machines from one image: the same TXID, as long, with other bytes. */
    @Test
    void aReplicaFileOfOurTxidWithOtherBytesIsNotTakenForOurs() throws Exception {
        long ours = copyOne();
        byte[] bytes = Files.readAllBytes(local(ours));
        captured.kill();
        bytes[bytes.length - 1] ^= 1;
        Path theirs = captured.replica
                .resolve("ltx/0")
                .resolve(TxidRange.of(new Txid(ours)).fileName());
        Files.write(theirs, bytes);
        captured.start();
        captured.look();
        captured.replicated().upload();
        captured.catchUp();
        assertArrayEquals(bytes, Files.readAllBytes(theirs));
        assertTrue(captured.copiedEverything());
        assertTrue(captured.txid() > ours);
    }

    /** Its last transactions were captured and not uploaded when the database was deleted. */
    @Test
    void whatWasCapturedOfADeletedDatabaseStillReachesTheReplica() throws Exception {
        long last = copyOne();
        app.kill();
        Files.delete(captured.database);
        Outcome outcome = captured.stop();
        assertEquals(null, outcome.problem());
        assertEquals(new Txid(last), outcome.remote());
    }

    /** A second process must not delete the first one's unfinished files on its way to being refused. */
    @Test
    void whoIsRefusedRemovesNothing() throws Exception {
        Path unfinished = captured.sync().local().staging(new Txid(99));
        captured.kill();
        try (FileLocker other = FileLocker.lock(cursorFile()).orElseThrow()) {
            Files.writeString(unfinished, "theirs " + other);
            captured.start();
            assertThrows(ConflictException.class, captured::look);
            assertTrue(Files.exists(unfinished));
        }
        captured.catchUp();
        assertFalse(Files.exists(unfinished));
    }
}
