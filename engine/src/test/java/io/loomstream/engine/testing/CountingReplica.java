package io.loomstream.engine.testing;

import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.ReplicaFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;

/** A real replica whose requests are counted; any change to it is an error. */
public class CountingReplica implements ReplicaClient {
    private final ReplicaClient real;
    private final List<String> lists = Collections.synchronizedList(new ArrayList<>());
    private final List<String> opens = Collections.synchronizedList(new ArrayList<>());

    public CountingReplica(ReplicaClient real) {
        this.real = real;
    }

    /** Levels listed, in order. */
    public List<String> lists() {
        return List.copyOf(lists);
    }

    /** {@code level/name} of the files opened, in order. */
    public List<String> opens() {
        return List.copyOf(opens);
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
        lists.add(level.toString());
        return real.list(level, seek);
    }

    @Override
    public InputStream open(Level level, TxidRange range, long offset) throws IOException {
        opens.add(level + "/" + range.fileName());
        return real.open(level, range, offset);
    }

    @Override
    public ReplicaFile write(Level level, TxidRange range, Path source) {
        throw new AssertionError("a write to the replica");
    }

    @Override
    public void delete(Level level, Collection<TxidRange> ranges) {
        throw new AssertionError("a delete in the replica");
    }

    @Override
    public void deleteAll() {
        throw new AssertionError("a delete in the replica");
    }
}
