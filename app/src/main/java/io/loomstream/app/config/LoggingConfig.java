package io.loomstream.app.config;

import org.slf4j.event.Level;

/**
 * The {@code logging} section.
 *
 * @param stderr whether lines go to stderr; else to stdout
 * @param source whether lines name the class they come from
 */
public record LoggingConfig(Level level, Type type, boolean stderr, boolean source) {
    /** How a line looks. */
    public enum Type {
        TEXT,
        JSON,
        PRETTY
    }

    public static LoggingConfig defaults() {
        return new LoggingConfig(Level.INFO, Type.TEXT, false, false);
    }

    public LoggingConfig withLevel(Level level) {
        return new LoggingConfig(level, type, stderr, source);
    }
}
