package io.loomstream.engine.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * A directory as it was: every name with its inode, length, mtime and ctime. The ctime gives any change away, so this
 * also tells for a test that runs as root, whom a read-only directory does not stop.
 */
public final class UntouchedReplica {
    private final Path root;
    private final Map<String, String> before;

    private UntouchedReplica(Path root, Map<String, String> before) {
        this.root = root;
        this.before = before;
    }

    /** Looks now. */
    public static UntouchedReplica of(Path root) throws IOException {
        return new UntouchedReplica(root, look(root));
    }

    /** Looks again. */
    public void assertUntouched() throws IOException {
        assertEquals(before, look(root));
    }

    private static Map<String, String> look(Path root) throws IOException {
        Map<String, String> found = new TreeMap<>();
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.toList()) {
                found.put(
                        file.toString(),
                        Files.readAttributes(file, "unix:ino,size,lastModifiedTime,ctime,mode")
                                .toString());
            }
        }
        return found;
    }
}
