package io.loomstream.engine.compaction;

import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.ReplicaFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A real replica that counts what it is asked for, and fails or kills its user at a request of choice. */
final class FaultyReplica implements ReplicaClient {
    /** What a replica may be asked. */
    enum Kind {
        LIST,
        FIND,
        OPEN,
        WRITE,
        DELETE
    }

    /** Ends the user as a kill would, as far as the user can tell afterwards. */
    static final class Killed extends Error {
        private static final long serialVersionUID = 1L;
    }

    /** What happens at a request. */
    enum Fault {
        FAIL_BEFORE,
        FAIL_AFTER,
        KILL_BEFORE,
        KILL_AFTER
    }

    private final ReplicaClient real;
    private final Map<Kind, Long> requests = new EnumMap<>(Kind.class);
    private long until = Long.MAX_VALUE;
    private Fault fault = Fault.FAIL_BEFORE;
    private @Nullable Meanwhile meanwhile;
    private @Nullable Level refused;
    private boolean broken;
    private long failing;

    FaultyReplica(ReplicaClient real) {
        this.real = real;
    }

    Map<Kind, Long> requests() {
        return Map.copyOf(requests);
    }

    long count(Kind kind) {
        return requests.getOrDefault(kind, 0L);
    }

    /** So many requests pass, then one meets a fault. */
    void failAfter(long passing, Fault how) {
        until = passing;
        fault = how;
    }

    /** Something that happens while a file is being opened. */
    @FunctionalInterface
    interface Meanwhile {
        void run() throws IOException, InterruptedException;
    }

    void atNextOpen(Meanwhile what) {
        meanwhile = what;
    }

    boolean faultPending() {
        return until != Long.MAX_VALUE;
    }

    void heal() {
        until = Long.MAX_VALUE;
    }

    /** Every request ends in what nobody expects. */
    void breakDown() {
        broken = true;
    }

    /** Of so many requests one fails. */
    void failEvery(long requests) {
        failing = requests;
    }

    private boolean begin(Kind kind) {
        requests.merge(kind, 1L, Long::sum);
        if (broken) {
            throw new IllegalStateException("a mistake in the program");
        }
        if (failing > 0 && requests.values().stream().mapToLong(n -> n).sum() % failing == 0) {
            throw new TransientStorageException("out of order now and then");
        }
        if (until == Long.MAX_VALUE || until-- > 0) {
            return false;
        }
        until = Long.MAX_VALUE;
        if (fault == Fault.FAIL_BEFORE) {
            throw new TransientStorageException("out of order");
        }
        if (fault == Fault.KILL_BEFORE) {
            throw new Killed();
        }
        return true;
    }

    private void end(boolean faulty) {
        if (faulty) {
            if (fault == Fault.FAIL_AFTER) {
                throw new TransientStorageException("the answer is lost");
            }
            throw new Killed();
        }
    }

    /** Every write to a level fails. */
    void refuse(Level level) {
        refused = level;
    }

    @Override
    public String type() {
        return real.type();
    }

    @Override
    public String describe() {
        return real.describe();
    }

    @Override
    public List<ReplicaFile> list(Level level, Txid seek) {
        boolean faulty = begin(Kind.LIST);
        List<ReplicaFile> files = real.list(level, seek);
        end(faulty);
        return files;
    }

    @Override
    public Optional<ReplicaFile> find(Level level, TxidRange range) {
        boolean faulty = begin(Kind.FIND);
        Optional<ReplicaFile> found = real.find(level, range);
        end(faulty);
        return found;
    }

    @Override
    public InputStream open(Level level, TxidRange range, long offset) throws IOException {
        Meanwhile what = meanwhile;
        meanwhile = null;
        if (what != null) {
            try {
                what.run();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        }
        boolean faulty = begin(Kind.OPEN);
        end(faulty);
        return real.open(level, range, offset);
    }

    @Override
    public ReplicaFile write(Level level, TxidRange range, Path source) {
        boolean faulty = begin(Kind.WRITE);
        if (level.equals(refused)) {
            throw new TransientStorageException("503");
        }
        ReplicaFile written = real.write(level, range, source);
        end(faulty);
        return written;
    }

    @Override
    public void delete(Level level, Collection<TxidRange> ranges) {
        boolean faulty = begin(Kind.DELETE);
        real.delete(
                level, faulty ? ranges.stream().limit((ranges.size() + 1) / 2).toList() : ranges);
        end(faulty);
    }

    @Override
    public void deleteAll() {
        real.deleteAll();
    }
}
