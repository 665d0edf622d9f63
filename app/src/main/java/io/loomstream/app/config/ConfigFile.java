package io.loomstream.app.config;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.util.List;
import java.util.Optional;

/** Finds the configuration file and reads it. Blocks on the disk. */
public final class ConfigFile {
    static final int SIZE_BYTES_MAX = 1 << 20;

    private ConfigFile() {}

    /**
     * How a file is read.
     *
     * @param expandVariables whether {@code $NAME} in the text is replaced before it is YAML
     * @param strict whether a warning is an error
     */
    public record Rules(boolean expandVariables, boolean strict) {}

    /**
     * Reads the file that {@code wanted} names, else the one named by {@code LOOMSTREAM_CONFIG} or {@code
     * LITESTREAM_CONFIG}, else {@code /etc/loomstream.yml}, else {@code /etc/litestream.yml}.
     *
     * @throws ConfigException when there is no such file or it cannot be used
     */
    public static LoadedConfig load(Optional<String> wanted, Rules rules, Environment environment)
            throws ConfigException {
        return load(find(wanted, environment), rules, environment);
    }

    private static Path find(Optional<String> wanted, Environment environment) throws ConfigException {
        String named = wanted.filter(text -> !text.isEmpty())
                .or(() -> set(environment, "LOOMSTREAM_CONFIG"))
                .or(() -> set(environment, "LITESTREAM_CONFIG"))
                .orElse("");
        if (!named.isEmpty()) {
            try {
                return environment.path(named);
            } catch (IllegalArgumentException e) {
                throw new ConfigException("config file: " + e.getMessage() + " (got " + named + ")");
            }
        }
        Path ours = Path.of("/etc/loomstream.yml");
        Path litestreams = Path.of("/etc/litestream.yml");
        for (Path candidate : List.of(ours, litestreams)) {
            if (Files.exists(candidate)) {
                return candidate;
            }
        }
        throw new ConfigException("config file not found: " + ours + " or " + litestreams);
    }

    private static Optional<String> set(Environment environment, String name) {
        return Optional.of(environment.variable(name)).filter(value -> !value.isEmpty());
    }

    static LoadedConfig load(Path file, Rules rules, Environment environment) throws ConfigException {
        var problems = new Problems(file.toString());
        String text = text(file, problems);
        if (rules.expandVariables()) {
            text = EnvExpansion.expand(text, environment::variable);
            if (text.length() > SIZE_BYTES_MAX) {
                throw problems.error(0, "more than " + SIZE_BYTES_MAX + " characters after environment expansion");
            }
        }
        ServerConfig config = ConfigReader.read(text, environment, problems);
        warnWhenAnybodyMayWrite(file, problems);
        List<String> warnings = problems.warnings();
        if (rules.strict() && !warnings.isEmpty()) {
            throw new ConfigException(String.join("\n", warnings) + "\n(-strict makes this an error)");
        }
        return new LoadedConfig(file, config, warnings);
    }

    private static String text(Path file, Problems problems) throws ConfigException {
        byte[] bytes;
        try (InputStream in = Files.newInputStream(file)) {
            bytes = in.readNBytes(SIZE_BYTES_MAX + 1);
        } catch (NoSuchFileException e) {
            throw new ConfigException("config file not found: " + file);
        } catch (IOException e) {
            throw new ConfigException("cannot read config file " + file + ": " + e);
        }
        if (bytes.length > SIZE_BYTES_MAX) {
            throw problems.error(0, "the file is larger than " + SIZE_BYTES_MAX + " bytes");
        }
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
            return text.startsWith("\uFEFF") ? text.substring(1) : text;
        } catch (CharacterCodingException e) {
            throw problems.error(0, "the file is not UTF-8");
        }
    }

    /** Whoever may write the file decides what this process reads and where copies go. */
    private static void warnWhenAnybodyMayWrite(Path file, Problems problems) {
        try {
            var view = Files.getFileAttributeView(file, PosixFileAttributeView.class);
            if (view != null && view.readAttributes().permissions().contains(PosixFilePermission.OTHERS_WRITE)) {
                problems.warn(0, "every user of this machine may write the config file (chmod o-w)");
            }
        } catch (IOException e) {
            problems.warn(0, "cannot tell who may write the config file: " + e);
        }
    }
}
