package io.loomstream.engine.restore;

import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.ReplicaFile;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The streams of a plan, one after the other. A plan may hold ten thousand small files, each a round trip away, so the
 * next few are fetched at once into memory. A large file is fetched in parts where the replica says that several
 * connections are faster than one, which is so for object stores (one connection carries some 50 to 90 MB/s) and not for
 * disks; elsewhere it is read as it is applied.
 *
 * <p>At most {@code parallelism} pieces of at most {@value #PART_BYTES} bytes are under way or in memory. One thread uses
 * it.
 */
final class PlannedStreams implements AutoCloseable {
    static final int PART_BYTES = 4 * 1024 * 1024;
    private static final int SMALL_BYTES = 256 * 1024;

    private final ReplicaClient replica;
    private final int parallelism;
    private final Iterator<ReplicaFile> remaining;
    private final Deque<Piece> ahead = new ArrayDeque<>();
    private final ExecutorService fetchers = Executors.newVirtualThreadPerTaskExecutor();
    private final AtomicLong readBytes = new AtomicLong();
    private @Nullable ReplicaFile parted;
    private long partedFrom;

    /**
     * The streams of a plan.
     *
     * @param parallelism how many pieces to fetch at once, at least 1
     */
    PlannedStreams(ReplicaClient replica, RestorePlan plan, int parallelism) {
        this.replica = replica;
        this.parallelism = parallelism;
        this.remaining = plan.files().iterator();
    }

    private sealed interface Piece {
        /** A part of a file, or all of it. */
        record Fetched(Future<byte[]> bytes, boolean last) implements Piece {}

        record Streamed(ReplicaFile file) implements Piece {}
    }

    /** The stream of the plan's next file; the caller reads it to its end and closes it. */
    InputStream next() throws IOException {
        fill();
        return new Counting(
                switch (ahead.remove()) {
                    case Piece.Streamed streamed -> new ResumableInputStream(replica, streamed.file());
                    case Piece.Fetched whole when whole.last() -> new ByteArrayInputStream(await(whole.bytes()));
                    case Piece.Fetched first -> new Parts(first);
                });
    }

    /** How many bytes were taken out of the streams; any thread may ask. */
    long readBytes() {
        return readBytes.get();
    }

    private void fill() {
        while (ahead.size() < parallelism && (parted != null || remaining.hasNext())) {
            ReplicaFile file = parted;
            if (file == null) {
                file = remaining.next();
                boolean inParts = replica.parallelReadsHelp() && file.sizeBytes() > PART_BYTES;
                if (!inParts) {
                    ahead.add(start(file));
                    continue;
                }
                partedFrom = 0;
            }
            long from = partedFrom;
            long to = Math.min(from + PART_BYTES, file.sizeBytes());
            partedFrom = to;
            parted = to < file.sizeBytes() ? file : null;
            ahead.add(new Piece.Fetched(fetch(file, from, to), parted == null));
        }
    }

    private Piece start(ReplicaFile file) {
        int inMemory = replica.parallelReadsHelp() ? PART_BYTES : SMALL_BYTES;
        return file.sizeBytes() > inMemory
                ? new Piece.Streamed(file)
                : new Piece.Fetched(fetch(file, 0, file.sizeBytes()), true);
    }

    private Future<byte[]> fetch(ReplicaFile file, long from, long to) {
        return fetchers.submit(() -> {
            try (InputStream in = new ResumableInputStream(replica, file, from, to)) {
                return in.readNBytes((int) (to - from));
            }
        });
    }

    private static byte[] await(Future<byte[]> bytes) throws IOException {
        try {
            return bytes.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TransientStorageException("interrupted while reading ahead", e);
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case IOException failure -> throw failure;
                case RuntimeException failure -> throw failure;
                case Error failure -> throw failure;
                case null, default -> throw new IllegalStateException(e);
            }
        }
    }

    @Override
    public void close() {
        fetchers.shutdownNow();
        fetchers.close();
    }

    /** The parts of one file as one stream. Read by one thread at a time, which need not be the one that made it. */
    private final class Parts extends InputStream {
        private InputStream part;
        private boolean last;

        Parts(Piece.Fetched first) throws IOException {
            this.part = new ByteArrayInputStream(await(first.bytes()));
            this.last = first.last();
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            int count = part.read(buffer, offset, length);
            while (count < 0 && !last) {
                fill();
                if (!(ahead.remove() instanceof Piece.Fetched next)) {
                    throw new IllegalStateException("a part of another file");
                }
                part = new ByteArrayInputStream(await(next.bytes()));
                last = next.last();
                count = part.read(buffer, offset, length);
            }
            return count;
        }
    }

    /** Counts what is read. */
    private final class Counting extends InputStream {
        private final InputStream in;

        Counting(InputStream in) {
            this.in = in;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            int count = in.read(buffer, offset, length);
            if (count > 0) {
                readBytes.addAndGet(count);
            }
            return count;
        }

        @Override
        public void close() throws IOException {
            in.close();
        }
    }
}
