package io.loomstream.engine.sync;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.sync.DatabaseSync.Look;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A replica that another server went on with while a database of this one was cold, or while it was not running. */
class SecondWriterTest {
    @TempDir
    Path directory;

    private Path mine;
    private Path other;

    @BeforeEach
    void makeDirectories() throws Exception {
        mine = Files.createDirectory(directory.resolve("mine"));
        other = Files.createDirectory(directory.resolve("other"));
    }

    private static void commit(Setting setting, int times) {
        for (int i = 0; i < times; i++) {
            setting.app.exec("a", "insert into t values (randomblob(100))");
            setting.catchUp();
        }
    }

    private static void prepare(Setting setting, int commits) {
        setting.app
                .open("a", setting.database)
                .exec("a", "pragma journal_mode=wal")
                .exec("a", "create table t(x)");
        setting.catchUp();
        commit(setting, commits);
    }

    /** The replica becomes what the other server's is. */
    private static void takeOver(Setting mine, Setting other) throws Exception {
        for (Path file : mine.files()) {
            Files.delete(file);
        }
        for (Path file : other.files()) {
            Files.copy(file, mine.replica.resolve("ltx/0").resolve(file.getFileName()));
        }
    }

    private static void captureOnly(Setting setting, int bytes, int commits) throws Exception {
        for (int i = 0; i < commits; i++) {
            setting.app.exec("a", "insert into t values (randomblob(" + bytes + "))");
            Look look;
            do {
                look = setting.replicator().sync().look(true);
            } while (look != Look.QUIET);
        }
    }

    @Test
    void databaseThatComesBackFromColdDoesNotTakeOverWhatAnotherServerWrote() throws Exception {
        try (Setting setting = new Setting(mine);
                Setting successor = new Setting(other)) {
            prepare(setting, 1);
            prepare(successor, 6);
            setting.crash(); // the process goes on: the services are the same
            takeOver(setting, successor);
            setting.replicator().upload();
            ConflictException met = setting.services
                    .lostReplicas()
                    .find(setting.database, setting.replica.toString())
                    .orElseThrow();
            assertTrue(met.getMessage().contains("another writer uses this replica"), met.getMessage());
            setting.app.exec("a", "insert into t values (1)");
            setting.replicator().sync().look(true);
            setting.replicator().upload();
            assertEquals(successor.files().size(), setting.files().size(), "nothing was written there");
        }
    }

    /** The next start takes over: but what it has is not the history that goes on there. */
    @Test
    void whatWasCapturedBesideAnotherServersHistoryIsNotAppendedToIt() throws Exception {
        try (Setting setting = new Setting(mine);
                Setting successor = new Setting(other)) {
            prepare(setting, 1);
            prepare(successor, 3);
            captureOnly(setting, 50_000, 1); // under a TXID that the other one uses as well
            captureOnly(setting, 10, 6);
            takeOver(setting, successor);
            setting.startAnew();
            setting.catchUp();
            commit(setting, 2);
            setting.assertRestoresToSource("after the take-over");
        }
    }
}
