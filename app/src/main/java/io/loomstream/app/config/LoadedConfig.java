package io.loomstream.app.config;

import java.nio.file.Path;
import java.util.List;

/** A configuration with the file it came from and what in it deserves a warning. */
public record LoadedConfig(Path file, ServerConfig config, List<String> warnings) {
    public LoadedConfig {
        warnings = List.copyOf(warnings);
    }
}
