package io.loomstream.app.config;

import java.util.Locale;
import java.util.Optional;
import org.slf4j.event.Level;

/** The words for log levels, in any case. */
public final class LogLevels {
    private LogLevels() {}

    public static Optional<Level> parse(String word) {
        return switch (word.toLowerCase(Locale.ROOT)) {
            case "trace" -> Optional.of(Level.TRACE);
            case "debug" -> Optional.of(Level.DEBUG);
            case "info" -> Optional.of(Level.INFO);
            case "warn", "warning" -> Optional.of(Level.WARN);
            case "error" -> Optional.of(Level.ERROR);
            default -> Optional.empty();
        };
    }
}
