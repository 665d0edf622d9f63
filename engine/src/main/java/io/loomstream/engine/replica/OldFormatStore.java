package io.loomstream.engine.replica;

import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.List;

/**
 * What Litestream v0.3 left in a replica: {@code generations/<generation>/snapshots/<index>.snapshot.lz4} and
 * {@code generations/<generation>/wal/<index>_<offset>.wal.lz4}, LZ4 frame streams of a database file and of pieces of
 * its WALs. Read only. Thread-safe; every call blocks and may be interrupted.
 *
 * <p>Errors: {@link io.loomstream.engine.error.TransientStorageException}, as in {@link ReplicaClient}.
 */
public interface OldFormatStore {
    /** One copy of the database file. */
    record Snapshot(String generation, long index, long sizeBytes, Instant createdAt) {}

    /**
     * A piece of the WAL with this index.
     *
     * @param offset where it begins in the WAL, decompressed bytes
     * @param sizeBytes the stored length
     */
    record WalSegment(String generation, long index, long offset, long sizeBytes, Instant createdAt) {}

    /** Where this is, for people; never contains a credential. */
    String describe();

    /** Names of the generations, 16 hexadecimal digits each; empty where v0.3 never wrote. */
    List<String> generations();

    /** The snapshots of a generation, in order of their indexes. */
    List<Snapshot> snapshots(String generation);

    /** The WAL segments of a generation, in order of index and offset. */
    List<WalSegment> walSegments(String generation);

    /**
     * The compressed bytes.
     *
     * @throws MissingFileException when there is no such snapshot
     */
    InputStream open(Snapshot snapshot) throws IOException;

    /**
     * The compressed bytes.
     *
     * @throws MissingFileException when there is no such segment
     */
    InputStream open(WalSegment segment) throws IOException;
}
