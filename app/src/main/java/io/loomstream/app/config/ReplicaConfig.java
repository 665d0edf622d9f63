package io.loomstream.app.config;

import java.nio.file.Path;

/** Where a database's LTX files go; this version serves directories. */
public record ReplicaConfig(Path directory) {
    /** The replica type as tables and JSON name it. */
    public String type() {
        return "file";
    }
}
