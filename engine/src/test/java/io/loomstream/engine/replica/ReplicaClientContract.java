package io.loomstream.engine.replica;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What every replica client must do; each backend's test extends this. */
public abstract class ReplicaClientContract {
    private static final Instant MADE_AT = Instant.parse("2026-03-04T05:06:07.089Z");
    private static final int SIZE_BYTES = 3_000;

    @TempDir
    protected Path local;

    /** A client of an empty replica. */
    protected abstract ReplicaClient client() throws Exception;

    @Test
    void storedFileIsListedWithItsSizeAndHeaderTime() throws Exception {
        ReplicaClient client = client();

        ReplicaFile stored = client.write(Level.L0, range(1, 1), sample(range(1, 1), SIZE_BYTES, 1));

        ReplicaFile expected = new ReplicaFile(Level.L0, range(1, 1), SIZE_BYTES, MADE_AT);
        assertEquals(expected, stored);
        assertEquals(List.of(expected), client.listWithHeaderTimes(Level.L0, Txid.ZERO));
    }

    @Test
    void storedBytesComeBackFromEveryOffset() throws Exception {
        ReplicaClient client = client();
        Path source = sample(range(2, 9), SIZE_BYTES, 2);
        client.write(new Level(3), range(2, 9), source);

        for (int offset : new int[] {0, 1, 99, 100, SIZE_BYTES - 1, SIZE_BYTES}) {
            byte[] tail = new byte[SIZE_BYTES - offset];
            System.arraycopy(Files.readAllBytes(source), offset, tail, 0, tail.length);
            assertArrayEquals(tail, read(client, new Level(3), range(2, 9), offset), "from " + offset);
        }
    }

    @Test
    void unwrittenLevelsAreEmpty() throws Exception {
        ReplicaClient client = client();
        client.write(Level.L0, range(1, 1), sample(range(1, 1), SIZE_BYTES, 3));

        for (int number = 1; number <= 9; number++) {
            assertEquals(List.of(), client.list(new Level(number), Txid.ZERO));
        }
    }

    @Test
    void filesAreListedInTheOrderOfTheirRangesFromTheSeekOn() throws Exception {
        ReplicaClient client = client();
        List<TxidRange> shuffled = List.of(range(7, 9), range(0x10, 0x10), range(1, 3), range(1, 2), range(4, 6));
        for (TxidRange range : shuffled) {
            client.write(new Level(1), range, sample(range, 200, 4));
        }

        assertEquals(
                List.of(range(1, 2), range(1, 3), range(4, 6), range(7, 9), range(0x10, 0x10)),
                ranges(client, new Level(1), Txid.ZERO));
        assertEquals(List.of(range(7, 9), range(0x10, 0x10)), ranges(client, new Level(1), new Txid(5)));
        assertEquals(List.of(range(4, 6), range(7, 9), range(0x10, 0x10)), ranges(client, new Level(1), new Txid(4)));
        assertEquals(List.of(), ranges(client, new Level(1), new Txid(0x11)));
    }

    @Test
    void txidsAreUnsigned() throws Exception {
        ReplicaClient client = client();
        TxidRange huge = new TxidRange(new Txid(-2), new Txid(-1));
        client.write(Level.L0, huge, sample(huge, 200, 5));
        client.write(Level.L0, range(1, 1), sample(range(1, 1), 200, 5));

        assertEquals(List.of(range(1, 1), huge), ranges(client, Level.L0, Txid.ZERO));
        assertEquals(List.of(huge), ranges(client, Level.L0, new Txid(2)));
    }

    @Test
    void sameBytesAgainChangeNothing() throws Exception {
        ReplicaClient client = client();
        Path source = sample(range(1, 1), SIZE_BYTES, 6);
        ReplicaFile first = client.write(Level.L0, range(1, 1), source);

        ReplicaFile second = client.write(Level.L0, range(1, 1), source);

        assertEquals(first, second);
        assertEquals(List.of(first), client.listWithHeaderTimes(Level.L0, Txid.ZERO));
    }

    @Test
    void otherBytesUnderAnExistingNameAreRefusedAndLeaveItAlone() throws Exception {
        ReplicaClient client = client();
        Path source = sample(range(1, 1), SIZE_BYTES, 7);
        client.write(Level.L0, range(1, 1), source);
        Path sameSize = sample(range(1, 1), SIZE_BYTES, 8);
        Path longer = sample(range(1, 1), SIZE_BYTES + 1, 7);

        for (Path other : List.of(sameSize, longer)) {
            ConflictException refusal =
                    assertThrows(ConflictException.class, () -> client.write(Level.L0, range(1, 1), other));
            assertTrue(refusal.getMessage().contains(range(1, 1).fileName()), refusal.getMessage());
            assertFalse(refusal.retryable());
        }
        assertArrayEquals(Files.readAllBytes(source), read(client, Level.L0, range(1, 1), 0));
    }

    @Test
    void sourceThatIsNotWhatItsNameSaysIsRefused() throws Exception {
        ReplicaClient client = client();
        Path other = sample(range(1, 2), SIZE_BYTES, 9);
        Path noise = Files.write(local.resolve("noise"), new byte[SIZE_BYTES]);
        Path cut = Files.write(local.resolve("cut"), new byte[99]);

        for (Path source : List.of(other, noise, cut)) {
            assertThrows(CorruptDataException.class, () -> client.write(Level.L0, range(1, 1), source));
        }
        assertEquals(List.of(), client.list(Level.L0, Txid.ZERO));
    }

    @Test
    void openingWhatIsNotThereSaysSo() throws Exception {
        ReplicaClient client = client();
        client.write(Level.L0, range(1, 1), sample(range(1, 1), SIZE_BYTES, 10));

        assertThrows(MissingFileException.class, () -> client.open(Level.L0, range(2, 2), 0));
        assertThrows(MissingFileException.class, () -> client.open(new Level(1), range(1, 1), 0));
    }

    @Test
    void deletingRemovesExactlyTheNamedFilesAndMayBeRepeated() throws Exception {
        ReplicaClient client = client();
        for (int txid = 1; txid <= 3; txid++) {
            client.write(Level.L0, range(txid, txid), sample(range(txid, txid), 200, txid));
        }
        client.write(new Level(1), range(1, 1), sample(range(1, 1), 200, 1));

        client.delete(Level.L0, List.of(range(1, 1), range(3, 3), range(8, 8)));
        client.delete(Level.L0, List.of(range(1, 1)));

        assertEquals(List.of(range(2, 2)), ranges(client, Level.L0, Txid.ZERO));
        assertEquals(List.of(range(1, 1)), ranges(client, new Level(1), Txid.ZERO));
    }

    @Test
    void deletingAllLeavesAReplicaThatCanBeWrittenAgain() throws Exception {
        ReplicaClient client = client();
        client.deleteAll();
        client.write(Level.L0, range(1, 1), sample(range(1, 1), 200, 1));
        client.write(Level.SNAPSHOT, range(1, 5), sample(range(1, 5), 200, 1));

        client.deleteAll();

        assertEquals(List.of(), client.list(Level.L0, Txid.ZERO));
        assertEquals(List.of(), client.list(Level.SNAPSHOT, Txid.ZERO));
        client.write(Level.L0, range(1, 1), sample(range(1, 1), 300, 2));
        assertEquals(List.of(range(1, 1)), ranges(client, Level.L0, Txid.ZERO));
    }

    @Test
    void manyThreadsMayWriteAtOnce() throws Exception {
        ReplicaClient client = client();
        int files = 64;
        List<Callable<ReplicaFile>> writes = new ArrayList<>();
        for (int txid = 1; txid <= files; txid++) {
            TxidRange range = range(txid, txid);
            Path source = sample(range, 500, txid);
            writes.add(() -> client.write(Level.L0, range, source));
        }

        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (Future<ReplicaFile> done : threads.invokeAll(writes)) {
                assertEquals(500, done.get().sizeBytes());
            }
        }

        assertEquals(files, client.list(Level.L0, Txid.ZERO).size());
    }

    protected static TxidRange range(long min, long max) {
        return new TxidRange(new Txid(min), new Txid(max));
    }

    protected Path sample(TxidRange range, int sizeBytes, long seed) throws IOException {
        Path file = local.resolve(range + "-" + sizeBytes + "-" + seed);
        return Files.write(file, SampleFile.bytes(range, MADE_AT, sizeBytes, seed));
    }

    private static List<TxidRange> ranges(ReplicaClient client, Level level, Txid seek) {
        return client.list(level, seek).stream().map(ReplicaFile::range).toList();
    }

    protected static byte[] read(ReplicaClient client, Level level, TxidRange range, long offset) throws IOException {
        try (InputStream in = client.open(level, range, offset)) {
            return in.readAllBytes();
        }
    }
}
