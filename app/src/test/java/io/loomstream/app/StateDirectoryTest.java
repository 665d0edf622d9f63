package io.loomstream.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class StateDirectoryTest {
    @TempDir
    private Path directory;

    @Test
    void everyConfigurationFileHasItsOwn() {
        Path one = StateDirectory.of(Path.of("/etc/a/ls.yml"), directory.resolve("loomstream"), Map.of());
        Path other = StateDirectory.of(Path.of("/etc/b/ls.yml"), directory.resolve("loomstream"), Map.of());

        assertEquals(directory.resolve("loomstream"), one.getParent());
        assertNotEquals(one, other);
        assertEquals(one, StateDirectory.of(Path.of("/etc/b/../a/ls.yml"), directory.resolve("loomstream"), Map.of()));
    }

    @Test
    void whereTheSystemsIsNotWritableItIsTheUsers() throws IOException {
        Path system = Files.writeString(directory.resolve("file"), "no directory");

        Path home = StateDirectory.of(Path.of("/ls.yml"), system, Map.of("HOME", "/home/u"));
        Path xdg = StateDirectory.of(Path.of("/ls.yml"), system, Map.of("HOME", "/home/u", "XDG_STATE_HOME", "/s"));
        assertEquals(Path.of("/home/u/.local/state/loomstream"), home.getParent());
        assertEquals(Path.of("/s/loomstream"), xdg.getParent());
    }
}
