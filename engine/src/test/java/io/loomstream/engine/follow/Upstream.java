package io.loomstream.engine.follow;

import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.LtxEncoder;
import io.loomstream.engine.ltx.LtxHeader;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.replica.FileAccess;
import io.loomstream.engine.replica.FileReplicaClient;
import io.loomstream.engine.testing.AppProcess;
import io.loomstream.engine.wal.WalSalts;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A database that a real application writes, and its replica: one L0 file for each commit, holding the pages that differ.
 * Every state is kept to compare with.
 */
final class Upstream implements AutoCloseable {
    private static final int PAGE_SIZE = 4096;
    private static final int LOCK_PAGE = 0x4000_0000 / PAGE_SIZE + 1;

    private final Path database;
    private final Path replica;
    private final AppProcess app = AppProcess.start();
    /** By TXID; the empty one before the first. */
    private final List<byte[]> images = new ArrayList<>(List.of(new byte[0]));

    Upstream(Path directory) {
        this.database = directory.resolve("source.db");
        this.replica = directory.resolve("replica");
        app.open("w", database);
        app.exec("w", "create table seq(n integer)").exec("w", "insert into seq values (0)");
        app.exec("w", "create table t(id integer primary key, n integer, text)");
    }

    FileReplicaClient client() {
        return new FileReplicaClient(replica, FileAccess.PRIVATE);
    }

    /** The next state: {@code seq.n} is its TXID, and so is {@code n} in every row of {@code t}. */
    Txid commit() throws IOException, InterruptedException {
        return commit("insert into t(n, text) select 0, hex(randomblob(700)) from"
                + " (select 1 union select 2 union select 3 union select 4 union select 5)");
    }

    Txid commit(String... statements) throws IOException, InterruptedException {
        for (String statement : statements) {
            app.exec("w", statement);
        }
        app.exec("w", "begin")
                .exec("w", "update seq set n = " + images.size())
                .exec("w", "update t set n = " + images.size())
                .exec("w", "commit");
        images.add(Files.readAllBytes(database));
        int txid = images.size() - 1;
        store(Level.L0, txid, txid);
        return new Txid(txid);
    }

    /** The state at a TXID. */
    byte[] image(long txid) {
        return images.get((int) txid).clone();
    }

    Txid newest() {
        return new Txid(images.size() - 1);
    }

    /** Stores what changed over a range as a file of a level. */
    void store(Level level, int from, int to) throws IOException, InterruptedException {
        write(level, from, to, images.get(from - 1), images.get(to));
    }

    /** Stores the difference of any two states under the name of a range; page 1 says WAL mode, as replicas have it. */
    void write(Level level, int from, int to, byte[] before, byte[] state) throws IOException, InterruptedException {
        byte[] after = state.clone();
        after[18] = 2;
        after[19] = 2;
        TxidRange range = new TxidRange(new Txid(from), new Txid(to));
        Path file = Files.createTempFile(database.getParent(), "made", ".ltx");
        int pages = after.length / PAGE_SIZE;
        LtxHeader header = LtxHeader.of(PAGE_SIZE, pages, range, 1_700_000_000_000L + to, 0, 0, WalSalts.NONE);
        try (OutputStream out = Files.newOutputStream(file);
                LtxEncoder encoder = new LtxEncoder(out, header, CodecResources.shared())) {
            for (int page = 1; page <= pages; page++) {
                int at = (page - 1) * PAGE_SIZE;
                boolean same = from > 1
                        && before.length >= at + PAGE_SIZE
                        && Arrays.equals(before, at, at + PAGE_SIZE, after, at, at + PAGE_SIZE);
                if (!same && page != LOCK_PAGE) {
                    encoder.page(page, after, at);
                }
            }
            encoder.finish();
        }
        client().delete(level, List.of(range));
        client().write(level, range, file);
        Files.delete(file);
    }

    void delete(Level level, int from, int to) {
        client().delete(level, List.of(new TxidRange(new Txid(from), new Txid(to))));
    }

    Path file(Level level, int from, int to) {
        return replica.resolve("ltx")
                .resolve(level.toString())
                .resolve(new TxidRange(new Txid(from), new Txid(to)).fileName());
    }

    @Override
    public void close() throws IOException {
        app.close();
    }
}
