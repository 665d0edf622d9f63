package io.loomstream.app.logging;

import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.util.List;
import java.util.Locale;
import org.slf4j.event.Level;

/**
 * What one line says.
 *
 * @param source file and line of the code that logged it; empty when that was not asked for
 */
record Line(Instant time, Body body, String source) {
    private static final DateTimeFormatter MILLISECONDS =
            new DateTimeFormatterBuilder().appendInstant(3).toFormatter(Locale.ROOT);

    /** What the code that logs gives. */
    record Body(Level level, String message, List<Attribute> attributes) {}

    /** One key and its value, which is a String, Number or Boolean. */
    record Attribute(String key, Object value) {}

    /** The time in UTC, with milliseconds always. */
    String timeText() {
        return MILLISECONDS.format(time);
    }
}
