package io.loomstream.engine.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.sync.DatabaseSync.Look;
import io.loomstream.engine.testing.AppProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A complete copy is read while other processes commit and checkpoint. What comes out must be one committed state: each
 * transaction adds a row that sums up all rows before it, and rewrites pages all over the file.
 */
class FullCopyUnderLoadTest {
    private static final int COPIES = 12;

    @TempDir
    Path directory;

    private static final String TRANSACTION = "insert into t(id, sum, pad)"
            + " select max(id) + 1, (max(id) * 31 + (select sum from t order by id desc limit 1)) % 1000003,"
            + " hex(randomblob(400)) from t";

    private void fill(AppProcess app, Path database) {
        app.open("a", database, 30).exec("a", "pragma journal_mode=wal");
        app.exec("a", "create table t(id integer primary key, sum integer, pad)");
        app.exec("a", "create table big(id integer primary key, version integer, pad)");
        app.exec("a", "insert into t values (1, 7, '')");
        app.exec(
                "a",
                "with recursive n(i) as (select 1 union all select i + 1 from n where i < 1500)"
                        + " insert into big select i, 1, randomblob(2500) from n");
        // One statement per transaction: the sum, and pages at both ends of the file.
        app.exec(
                "a",
                "create trigger spread after insert on t begin"
                        + " update big set version = new.id, pad = randomblob(2500)"
                        + " where id in (1, 1500, 1 + new.id * 7919 % 1500, 1 + new.id * 104729 % 1500); end");
        app.exec("a", "pragma wal_autocheckpoint=40");
    }

    @ParameterizedTest
    @EnumSource(names = {"OFD", "CONNECTION"})
    void isAlwaysOneCommittedState(HoldMode hold) throws Exception {
        try (Captured captured = new Captured(directory);
                AppProcess app = AppProcess.start();
                AppProcess checkpointer = AppProcess.start()) {
            fill(app, captured.database);
            checkpointer.open("c", captured.database);
            List<CompletableFuture<Void>> writers = new ArrayList<>();
            writers.add(app.repeatAsync("a", 100_000, 0, TRANSACTION));
            writers.add(checkpointer.repeatAsync("c", 100_000, 0.003, "pragma wal_checkpoint(PASSIVE)"));
            try {
                for (int i = 0; i < COPIES; i++) {
                    captured.start(hold);
                    copyEverything(captured);
                    assertOneState(captured, i);
                }
            } finally {
                app.kill();
                checkpointer.kill();
                writers.forEach(writer -> writer.exceptionally(killed -> null).join());
            }
            if (hold == HoldMode.OFD) {
                long exact = captured.services().copier().madeExact();
                assertTrue(exact > 0, "no copy of " + COPIES + " was overtaken by a checkpoint");
            }
        }
    }

    /** Until a look has made one; the meta directory is emptied so that nothing can be continued. */
    private void copyEverything(Captured captured) throws Exception {
        captured.sync().replicaStandsAt(Txid.ZERO, true, null);
        captured.sync().replicaWentAnotherWay();
        captured.replicated().upload();
        Look look = Look.MOVED;
        for (int i = 0; i < 1000 && look != Look.COPIED; i++) {
            look = captured.look();
        }
        assertTrue(captured.copiedEverything());
    }

    private void assertOneState(Captured captured, int copy) throws IOException, InterruptedException {
        captured.replicated().upload();
        Path restored = Restored.latest(captured.replica, directory.resolve("restored.db"));
        assertEquals("ok", Captured.sqlite(restored, "pragma integrity_check").strip(), "copy " + copy);
        String problems = Captured.sqlite(
                restored,
                "select count(*) from t b join t a on a.id = b.id - 1 where b.sum <> (a.id * 31 + a.sum) % 1000003;"
                        + "select count(*) - max(id) from t;"
                        + "select (select max(id) from t) - (select version from big where id = 1)"
                        + "   where (select max(id) from t) > 1;"
                        + "select (select max(id) from t) - (select version from big where id = 1500)"
                        + "   where (select max(id) from t) > 1");
        for (String line : problems.strip().split("\n", -1)) {
            assertEquals("0", line, "copy " + copy + ": " + problems);
        }
        for (String suffix : List.of("", "-wal", "-shm")) {
            Files.deleteIfExists(directory.resolve("restored.db" + suffix));
        }
    }

    /** The other branch: nothing was written meanwhile, and the first try is exact as it is. */
    @Test
    void aQuietDatabaseIsReadOnce() throws Exception {
        try (Captured captured = new Captured(directory);
                AppProcess app = AppProcess.start()) {
            fill(app, captured.database);
            captured.catchUp();
            assertEquals(0, captured.services().copier().madeExact());
            assertOneState(captured, 0);
        }
    }
}
