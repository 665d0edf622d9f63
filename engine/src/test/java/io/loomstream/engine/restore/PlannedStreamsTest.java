package io.loomstream.engine.restore;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.ReplicaFile;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Downloads go on side by side, as many as asked for and no more, and the bytes come out in order. */
class PlannedStreamsTest {
    /** Holds every download back until so many are under way. */
    private static final class Store implements ReplicaClient {
        private final Map<TxidRange, byte[]> files = new TreeMap<>();
        private final CountDownLatch together;
        private final boolean remote;
        private final AtomicInteger open = new AtomicInteger();
        private final AtomicInteger most = new AtomicInteger();

        Store(int together, boolean remote) {
            this.together = new CountDownLatch(together);
            this.remote = remote;
        }

        @Override
        public boolean parallelReadsHelp() {
            return remote;
        }

        @Override
        public InputStream open(Level level, TxidRange range, long offset) throws IOException {
            most.accumulateAndGet(open.incrementAndGet(), Math::max);
            together.countDown();
            try {
                if (!together.await(30, TimeUnit.SECONDS)) {
                    throw new IOException("the others never came");
                }
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            byte[] bytes = files.get(range);
            return new ByteArrayInputStream(bytes, (int) offset, bytes.length - (int) offset) {
                @Override
                public void close() {
                    open.decrementAndGet();
                }
            };
        }

        @Override
        public String type() {
            return "test";
        }

        @Override
        public String describe() {
            return "test";
        }

        @Override
        public List<ReplicaFile> list(Level level, Txid seek) {
            throw new UnsupportedOperationException();
        }

        @Override
        public ReplicaFile write(Level level, TxidRange range, Path source) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void delete(Level level, Collection<TxidRange> ranges) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void deleteAll() {
            throw new UnsupportedOperationException();
        }
    }

    private static void check(Store store, int parallelism, int... sizes) throws IOException {
        Random random = new Random(7);
        List<ReplicaFile> files = new ArrayList<>();
        for (int size : sizes) {
            byte[] bytes = new byte[size];
            random.nextBytes(bytes);
            TxidRange range = TxidRange.of(new Txid(files.size() + 1L));
            store.files.put(range, bytes);
            files.add(new ReplicaFile(Level.L0, range, size, Instant.EPOCH));
        }
        RestorePlan plan = new RestorePlan(new Target.Latest(), files, java.util.Optional.empty());
        long total = 0;
        try (PlannedStreams streams = new PlannedStreams(store, plan, parallelism)) {
            for (ReplicaFile file : files) {
                try (InputStream in = streams.next()) {
                    assertArrayEquals(store.files.get(file.range()), in.readAllBytes(), file.toString());
                }
                total += file.sizeBytes();
                assertEquals(total, streams.readBytes());
            }
        }
        assertEquals(0, store.open.get(), "a stream stays open");
    }

    @Test
    void smallFilesAreFetchedTogether() throws IOException {
        Store store = new Store(6, false);
        int[] sizes = new int[40];
        java.util.Arrays.fill(sizes, 1_000);
        check(store, 6, sizes);
        assertEquals(6, store.most.get());
    }

    @Test
    void oneLargeFileIsFetchedInPartsTogether() throws IOException {
        Store store = new Store(3, true);
        check(store, 3, 7 * PlannedStreams.PART_BYTES + 11);
        assertEquals(3, store.most.get());
    }

    @Test
    void partsOfOneFileAndWholeOthersCanBeUnderWayTogether() throws IOException {
        Store store = new Store(1, true);
        check(store, 4, 100, 2 * PlannedStreams.PART_BYTES, 5, PlannedStreams.PART_BYTES + 1, 0, 77);
        assertTrue(store.most.get() <= 4);
    }

    @Test
    void largeFileOnADiskIsReadByOneStream() throws IOException {
        Store store = new Store(1, false);
        check(store, 4, 3 * PlannedStreams.PART_BYTES);
        assertEquals(1, store.most.get());
    }
}
