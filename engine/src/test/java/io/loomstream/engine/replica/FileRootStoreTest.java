package io.loomstream.engine.replica;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.error.TransientStorageException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileRootStoreTest extends RootStoreContract {
    private static final String NAME = "node-1/hot-list.json";
    private static final byte[] BEFORE = "{\"before\": true}".getBytes(StandardCharsets.UTF_8);
    private static final byte[] AFTER = "{\"after\": \"a longer one\"}".getBytes(StandardCharsets.UTF_8);

    @TempDir
    Path directory;

    private @Nullable RootStore store;

    @Override
    protected RootStore store() {
        RootStore known = store;
        if (known == null) {
            known = new FileRootStore(directory.resolve("replicas"));
            store = known;
        }
        return known;
    }

    @Test
    void aCrashAtAnyStepLeavesTheOldFileOrTheNewOneAndNothingInTheWay() {
        FailingFileSteps all = FailingFileSteps.never();
        write(new FileRootStore(directory.resolve("all"), all), AFTER);
        int steps = all.taken().size();
        assertTrue(steps >= 5, () -> "steps of a write: " + all.taken());
        int old = 0;
        for (int step = 0; step < steps; step++) {
            Path root = directory.resolve("stopped-at-" + step);
            write(new FileRootStore(root), BEFORE);
            RootStore stopped = new FileRootStore(root, FailingFileSteps.stopAt(step));
            assertThrows(TransientStorageException.class, () -> write(stopped, AFTER));

            FileRootStore next = new FileRootStore(root);
            byte[] found = next.read(NAME).orElseThrow().bytes();
            boolean isOld = found.length == BEFORE.length;
            old += isOld ? 1 : 0;
            assertArrayEquals(isOld ? BEFORE : AFTER, found, "stopped at step " + step + " of " + all.taken());
            write(next, AFTER);
            assertArrayEquals(AFTER, next.read(NAME).orElseThrow().bytes());
        }
        assertTrue(old > 0 && old < steps, old + " of " + steps + " left the old one");
    }

    private static void write(RootStore store, byte[] bytes) {
        Optional<String> version = store.read(NAME).map(RootStore.Stored::version);
        store.write(NAME, bytes, version);
    }
}
