package io.loomstream.engine.compaction;

import io.loomstream.engine.replica.ReplicaFile;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** Files of one replica that were found damaged since this process began. Not thread-safe. */
final class Unusable {
    private final Map<String, ReplicaFile> byName = new HashMap<>();

    /** What a file is called in errors. */
    static String name(ReplicaFile file) {
        return "level " + file.level() + " " + file.range().fileName();
    }

    void add(ReplicaFile file) {
        byName.put(name(file), file);
    }

    boolean contains(Stored stored) {
        return byName.containsKey(name(stored.file()));
    }

    Set<ReplicaFile> files() {
        return Set.copyOf(byName.values());
    }
}
