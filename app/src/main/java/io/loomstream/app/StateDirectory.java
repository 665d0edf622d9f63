package io.loomstream.app;

import io.loomstream.app.config.LoadedConfig;
import io.loomstream.app.config.MultiDbConfig;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;

/** Where {@code multi-db} keeps its catalog. */
final class StateDirectory {
    private static final Path OF_THE_SYSTEM = Path.of("/var/lib/loomstream");

    private StateDirectory() {}

    /** What the configuration says, else a folder for this configuration file, in a place that this user may write to. */
    static Path of(LoadedConfig loaded) {
        Optional<Path> wanted = loaded.config().multiDb().flatMap(MultiDbConfig::stateDirectory);
        return wanted.orElseGet(() -> of(loaded.file(), OF_THE_SYSTEM, System.getenv()));
    }

    static Path of(Path configFile, Path ofTheSystem, Map<String, String> variables) {
        Path parent = mayWrite(ofTheSystem) ? ofTheSystem : ofTheUser(variables);
        Path file = configFile.toAbsolutePath().normalize();
        return parent.resolve(file.getFileName() + "-" + digest(file.toString()));
    }

    private static boolean mayWrite(Path directory) {
        Path parent = directory.getParent();
        return Files.exists(directory)
                ? Files.isDirectory(directory) && Files.isWritable(directory)
                : parent != null && Files.isDirectory(parent) && Files.isWritable(parent);
    }

    /** As the XDG base directory specification has it. */
    private static Path ofTheUser(Map<String, String> variables) {
        String state = variables.getOrDefault("XDG_STATE_HOME", "");
        if (state.startsWith("/")) {
            return Path.of(state, "loomstream");
        }
        String home = variables.getOrDefault("HOME", "");
        return Path.of(home.isEmpty() ? System.getProperty("user.home") : home, ".local", "state", "loomstream");
    }

    private static String digest(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, 6);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
