package io.loomstream.app.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Configurations as values: a text, read in surroundings that do not depend on the machine. */
final class ConfigHarness {
    static final Environment ENVIRONMENT = new Environment(
            Map.of("FX_DIR", "/data", "HOME", "/home/user"), Path.of("/home/user"), Path.of("/work-dir"), 4711);

    private final Path directory;

    ConfigHarness(Path directory) {
        this.directory = directory;
    }

    LoadedConfig load(String yaml) throws IOException {
        return load(yaml, false);
    }

    LoadedConfig load(String yaml, boolean strict) throws IOException {
        Path file = Files.writeString(directory.resolve("f.yml"), yaml);
        return ConfigFile.load(file, new ConfigFile.Rules(true, strict), ENVIRONMENT);
    }

    /** What the error says, the folder of the file left out. */
    String errorOf(String yaml) {
        return errorOf(yaml, false);
    }

    String errorOf(String yaml, boolean strict) {
        try {
            return "accepted: " + load(yaml, strict);
        } catch (IOException e) {
            return shortened(String.valueOf(e.getMessage()));
        }
    }

    String shortened(String message) {
        return message.replace(directory + "/", "");
    }
}
