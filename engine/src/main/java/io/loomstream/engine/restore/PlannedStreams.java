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

/**
 * The streams of a plan, one after the other. A plan may hold ten thousand small files, each a round trip away, so the
 * next few small ones are fetched at once into memory; a large one is read as it is applied. So at most
 * {@value #AHEAD} + 1 files are open and {@value #AHEAD} times {@value #SMALL_BYTES} bytes held. One thread uses it.
 */
final class PlannedStreams implements AutoCloseable {
    private static final int AHEAD = 16;
    private static final int SMALL_BYTES = 256 * 1024;

    private final ReplicaClient replica;
    private final Iterator<ReplicaFile> remaining;
    private final Deque<Fetch> ahead = new ArrayDeque<>();
    private final ExecutorService fetchers = Executors.newVirtualThreadPerTaskExecutor();

    PlannedStreams(ReplicaClient replica, RestorePlan plan) {
        this.replica = replica;
        this.remaining = plan.files().iterator();
    }

    private sealed interface Fetch {
        record Small(Future<byte[]> bytes) implements Fetch {}

        record Large(ReplicaFile file) implements Fetch {}
    }

    /** The stream of the plan's next file; the caller closes it. */
    InputStream next() throws IOException {
        while (ahead.size() < AHEAD && remaining.hasNext()) {
            ahead.add(start(remaining.next()));
        }
        return switch (ahead.remove()) {
            case Fetch.Large large -> new ResumableInputStream(replica, large.file());
            case Fetch.Small small -> new ByteArrayInputStream(await(small.bytes()));
        };
    }

    private Fetch start(ReplicaFile file) {
        if (file.sizeBytes() > SMALL_BYTES) {
            return new Fetch.Large(file);
        }
        return new Fetch.Small(fetchers.submit(() -> {
            try (InputStream in = new ResumableInputStream(replica, file)) {
                return in.readAllBytes();
            }
        }));
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
}
