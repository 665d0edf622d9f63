package io.loomstream.engine.replica;

import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * Where one database's LTX files are kept. Implementations are thread-safe; every call blocks and may be interrupted.
 *
 * <p>Errors: {@link io.loomstream.engine.error.TransientStorageException} when trying again can help,
 * {@link io.loomstream.engine.error.ConflictException} when other bytes already stand under the name.
 */
public interface ReplicaClient {
    /** The replica type as configuration and command line name it, for example {@code file}. */
    String type();

    /** Where this replica is, for people; never contains a credential. */
    String describe();

    /**
     * The files of one level whose minimum TXID is at least {@code seek}, in order of their ranges. Names that are not
     * LTX names are passed over; a level that was never written is empty.
     */
    List<ReplicaFile> list(Level level, Txid seek);

    /** One file, if it is there; cheaper than a listing where that is a request. */
    default Optional<ReplicaFile> find(Level level, TxidRange range) {
        return list(level, range.min()).stream()
                .filter(file -> file.range().equals(range))
                .findFirst();
    }

    /** Who stored a file, for a message; empty when the replica does not know. */
    default Optional<String> writer(Level level, TxidRange range) {
        return Optional.empty();
    }

    /** Whether {@link #find} costs so little that it may be asked before every upload: no request to a store. */
    default boolean findIsCheap() {
        return false;
    }

    /**
     * As {@link #list}, and every {@link ReplicaFile#createdAt()} is the LTX header's timestamp. Where a listing does not
     * carry it this costs a request a file, so it is for restores to a point in time.
     */
    default List<ReplicaFile> listWithHeaderTimes(Level level, Txid seek) {
        return list(level, seek);
    }

    /**
     * A stream of the file's bytes from {@code offset} to its end.
     *
     * @throws MissingFileException when there is no such file
     */
    InputStream open(Level level, TxidRange range, long offset) throws IOException;

    /**
     * A stream of {@code length} of the file's bytes from {@code offset}; it may go on behind them, where the store has no
     * way to say where to end.
     *
     * @throws MissingFileException when there is no such file
     */
    default InputStream open(Level level, TxidRange range, long offset, long length) throws IOException {
        return open(level, range, offset);
    }

    /** Whether several streams of one file are together faster than one: so with a network in between. */
    default boolean parallelReadsHelp() {
        return false;
    }

    /**
     * Stores a complete LTX file; durable when this returns. Writing the same bytes under the same name again is
     * allowed and changes nothing.
     *
     * @param source a local file that does not change during the call
     * @throws io.loomstream.engine.error.ConflictException when the name exists with other bytes; nothing is changed
     */
    ReplicaFile write(Level level, TxidRange range, Path source);

    /** Removes files; those that do not exist are no error. */
    void delete(Level level, Collection<TxidRange> ranges);

    /** Removes everything this client could list. */
    void deleteAll();
}
