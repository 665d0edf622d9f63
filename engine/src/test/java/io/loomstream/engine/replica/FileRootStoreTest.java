package io.loomstream.engine.replica;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.io.TempDir;

class FileRootStoreTest extends RootStoreContract {
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
}
