package io.loomstream.engine.follow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.error.EngineException;
import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A kill at any operation leaves the state before the step or the one after it, for readers and for the next start. */
class FollowKilledTest {
    @TempDir
    Path directory;

    private Upstream upstream;
    private Path home;
    private Path output;

    @BeforeEach
    void start() throws IOException {
        upstream = new Upstream(directory);
        home = Files.createDirectory(directory.resolve("home"));
        output = home.resolve("copy.db");
    }

    @AfterEach
    void stop() throws IOException {
        upstream.close();
    }

    @Test
    void atEveryOperationOfAStepThatGrows() throws Exception {
        upstream.commit();
        killEverywhere(() -> {
            upstream.commit();
            upstream.commit();
        });
    }

    @Test
    void atEveryOperationOfAStepThatShrinks() throws Exception {
        upstream.commit("insert into t(n, text) select 0, hex(randomblob(2000)) from"
                + " (with recursive c(i) as (select 1 union all select i + 1 from c where i < 60) select i from c)");
        killEverywhere(() -> upstream.commit("delete from t where id > 5", "vacuum"));
    }

    /** The next file after the kill is not the one of before: the levels hold it otherwise by then. */
    @Test
    void positionIsRightEvenWhenTheNextFileIsAnother() throws Exception {
        upstream.commit();
        killEverywhere(() -> {
            upstream.commit();
            upstream.commit();
            upstream.store(new Level(1), 2, 3);
            upstream.delete(Level.L0, 2, 2);
        });
    }

    @Test
    void atEveryOperationOfTheFirstRestore() throws Exception {
        upstream.commit();
        StoppingDisk whole = StoppingDisk.never();
        FollowSetup.ready(FollowSetup.follower(upstream.client(), output, whole));
        upstream.commit();
        assertTrue(whole.taken().size() > 8, whole.taken().toString());
        for (int stopAt = 0; stopAt < whole.taken().size(); stopAt++) {
            clear();
            Follower killed = FollowSetup.follower(upstream.client(), output, new StoppingDisk(stopAt));
            assertThrows(EngineException.class, killed::prepare);
            assertFalse(Files.exists(output), "a database without its sidecar");

            FollowSetup.ready(FollowSetup.follower(upstream.client(), output, StoppingDisk.never()));
            assertEquals(new Txid(2), follow(StoppingDisk.never()));
            FollowSetup.assertHolds(output, upstream.image(2));
        }
    }

    @FunctionalInterface
    private interface Change {
        void make() throws IOException, InterruptedException;
    }

    private void killEverywhere(Change change) throws Exception {
        FollowSetup.ready(FollowSetup.follower(upstream.client(), output, StoppingDisk.never()));
        List<Path> files;
        try (Stream<Path> list = Files.list(home)) {
            files = list.toList();
        }
        Path saved = Files.createDirectory(directory.resolve("saved"));
        copy(files, saved);
        change.make();
        Txid before = new Txid(1);
        Txid after = upstream.newest();

        StoppingDisk whole = StoppingDisk.never();
        follow(whole);
        int operations = whole.taken().size();
        assertTrue(operations > 20, whole.taken().toString());

        boolean sawBefore = false;
        boolean sawAfter = false;
        for (int stopAt = 0; stopAt < operations; stopAt++) {
            clear();
            try (Stream<Path> list = Files.list(saved)) {
                copy(list.toList(), home);
            }
            StoppingDisk stopping = new StoppingDisk(stopAt);
            try {
                follow(stopping);
            } catch (IOException | EngineException killed) {
                assertTrue(killed.getMessage().contains("stop"), killed.toString());
            }
            String where = "stopped at " + stopping.taken().getLast();

            if (stopAt % 2 == 0) {
                // A reader that comes first undoes what is half done; every other time nobody comes.
                long seen = Long.parseLong(FollowSetup.sqlite(output, "select n from seq"));
                assertTrue(seen == before.value() || seen == after.value(), where);
                assertTrue(FollowSetup.holds(output, upstream.image(seen)), where);
                sawBefore |= seen == before.value();
                sawAfter |= seen == after.value();
                Follower next = FollowSetup.follower(upstream.client(), output, StoppingDisk.never());
                assertEquals(new Txid(seen), FollowSetup.ready(next), where);
            }
            assertEquals(after, follow(StoppingDisk.never()), where);
            assertTrue(FollowSetup.holds(output, upstream.image(after.value())), where);
            assertEquals(after + "\n", Files.readString(output.resolveSibling("copy.db-txid")), where);
            try (Stream<Path> left = Files.list(home)) {
                assertEquals(
                        List.of("copy.db", "copy.db-follow", "copy.db-txid"),
                        left.map(path -> path.getFileName().toString())
                                .filter(name -> !name.endsWith(".tmp"))
                                .sorted()
                                .toList(),
                        where);
            }
        }
        assertTrue(sawBefore && sawAfter);
    }

    private Txid follow(StoppingDisk disk) throws IOException, InterruptedException {
        try (Session session = Session.resume(FollowSetup.follower(upstream.client(), output, disk))) {
            return FollowSetup.catchUp(session);
        }
    }

    private static void copy(List<Path> files, Path into) throws IOException {
        for (Path file : files) {
            Files.copy(file, into.resolve(file.getFileName().toString()));
        }
    }

    private void clear() throws IOException {
        try (Stream<Path> files = Files.list(home)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
    }
}
