package io.loomstream.engine.fleet;

import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.replica.RootStore;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/** A root that counts what it is asked, and can be away. */
final class CountingRoot implements RootStore {
    final AtomicInteger requests = new AtomicInteger();
    final AtomicInteger writes = new AtomicInteger();
    final AtomicBoolean away = new AtomicBoolean();
    private final RootStore root;

    CountingRoot(RootStore root) {
        this.root = root;
    }

    private void request() {
        requests.incrementAndGet();
        if (away.get()) {
            throw new TransientStorageException("the store is away", null);
        }
    }

    @Override
    public String describe() {
        return root.describe();
    }

    @Override
    public Optional<Stored> read(String name) {
        request();
        return root.read(name);
    }

    @Override
    public List<String> directories() {
        request();
        return root.directories();
    }

    @Override
    public String write(String name, byte[] bytes, Optional<String> expected) {
        request();
        writes.incrementAndGet();
        return root.write(name, bytes, expected);
    }
}
