package io.loomstream.app.config;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;

/**
 * What of the process's surroundings a configuration depends on.
 *
 * @param home the user's home directory, absolute
 * @param workingDirectory what relative paths start at, absolute
 */
public record Environment(Map<String, String> variables, Path home, Path workingDirectory, long pid) {
    public Environment {
        variables = Map.copyOf(variables);
    }

    /** The surroundings of this process. {@code HOME} wins over the user database, as in Litestream. */
    public static Environment ofProcess() {
        String home = System.getenv().getOrDefault("HOME", "");
        return new Environment(
                System.getenv(),
                Path.of(home.isEmpty() ? System.getProperty("user.home") : home).toAbsolutePath(),
                Path.of("").toAbsolutePath(),
                ProcessHandle.current().pid());
    }

    /** The value of a variable, empty when it is not set. {@code PID} is always the process id. */
    String variable(String name) {
        return name.equals("PID") ? Long.toString(pid) : variables.getOrDefault(name, "");
    }

    /** Whether a variable is set, be it to nothing. */
    boolean isSet(String name) {
        return variables.containsKey(name);
    }

    /**
     * The absolute, normalized path that a user means: without {@code sqlite://} or {@code sqlite3://} before it, a
     * leading {@code ~} being the home directory.
     *
     * @throws IllegalArgumentException when it can be no path
     */
    public Path path(String text) {
        String bare = withoutScheme(text);
        if (bare.isEmpty()) {
            throw new IllegalArgumentException("a path must not be empty");
        }
        try {
            Path path = bare.equals("~")
                    ? home
                    : bare.startsWith("~/")
                            ? home.resolve(bare.substring(bare.indexOf('/') + 1).replaceFirst("^/+", ""))
                            : workingDirectory.resolve(bare);
            return path.normalize();
        } catch (InvalidPathException e) {
            throw new IllegalArgumentException("is no path on this system: " + e.getReason(), e);
        }
    }

    private static String withoutScheme(String text) {
        for (String scheme : new String[] {"sqlite3://", "sqlite://"}) {
            if (text.startsWith(scheme)) {
                return text.substring(scheme.length());
            }
        }
        return text;
    }

    /** Without the variables: some are secrets. */
    @Override
    public String toString() {
        return "Environment[home=" + home + ", workingDirectory=" + workingDirectory + "]";
    }
}
