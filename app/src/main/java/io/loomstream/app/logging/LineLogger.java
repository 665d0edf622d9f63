package io.loomstream.app.logging;

import io.loomstream.engine.error.EngineException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.event.LoggingEvent;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;
import org.slf4j.spi.LoggingEventAware;

/** One logger: turns calls into lines. Markers are not used. */
final class LineLogger extends LegacyAbstractLogger implements LoggingEventAware {
    private static final long serialVersionUID = 1L;

    /** Libraries that report their daily life. */
    private static final List<String> LIBRARIES =
            List.of("org.eclipse.jetty.", "io.javalin.", "software.amazon.awssdk.", "org.apache.");

    private final transient Loggers loggers;
    private final boolean quiet;

    LineLogger(String name, Loggers loggers) {
        this.name = name;
        this.loggers = loggers;
        this.quiet = LIBRARIES.stream().anyMatch(name::startsWith);
    }

    @Override
    public boolean isTraceEnabled() {
        return loggers.writes(Level.TRACE, quiet);
    }

    @Override
    public boolean isDebugEnabled() {
        return loggers.writes(Level.DEBUG, quiet);
    }

    @Override
    public boolean isInfoEnabled() {
        return loggers.writes(Level.INFO, quiet);
    }

    @Override
    public boolean isWarnEnabled() {
        return loggers.writes(Level.WARN, quiet);
    }

    @Override
    public boolean isErrorEnabled() {
        return loggers.writes(Level.ERROR, quiet);
    }

    @Override
    protected @Nullable String getFullyQualifiedCallerName() {
        return null;
    }

    @Override
    protected void handleNormalizedLoggingCall(
            Level level,
            @Nullable Marker marker,
            @Nullable String message,
            Object @Nullable [] arguments,
            @Nullable Throwable failure) {
        write(level, message, arguments, List.of(), failure);
    }

    @Override
    public void log(LoggingEvent event) {
        List<Line.Attribute> attributes = new ArrayList<>();
        if (event.getKeyValuePairs() != null) {
            event.getKeyValuePairs().forEach(pair -> attributes.add(attribute(pair.key, pair.value)));
        }
        write(event.getLevel(), event.getMessage(), event.getArgumentArray(), attributes, event.getThrowable());
    }

    private static Line.Attribute attribute(String key, @Nullable Object value) {
        return new Line.Attribute(
                key, value instanceof Number || value instanceof Boolean ? value : String.valueOf(value));
    }

    private void write(
            Level level,
            @Nullable String message,
            Object @Nullable [] arguments,
            List<Line.Attribute> attributes,
            @Nullable Throwable failure) {
        List<Line.Attribute> all = new ArrayList<>(attributes);
        if (failure != null) {
            all.add(new Line.Attribute("error", summary(failure)));
            if (isUnexpected(failure) || isDebugEnabled()) {
                all.add(new Line.Attribute("stack", stackOf(failure)));
            }
        }
        String text = MessageFormatter.basicArrayFormat(message, arguments);
        loggers.write(new Line.Body(level, text == null ? "" : text, all));
    }

    /** The messages of a failure and of its causes; a cause that its effect quotes is not repeated. */
    private static String summary(Throwable failure) {
        String text = described(failure);
        int links = 0;
        for (Throwable cause = failure.getCause(); cause != null && links < 10; cause = cause.getCause()) {
            String message = described(cause);
            if (!text.contains(message)) {
                text += ": " + message;
            }
            links++;
        }
        return text;
    }

    private static String described(Throwable failure) {
        String message = failure.getMessage();
        return failure instanceof EngineException && message != null ? message : failure.toString();
    }

    /** Failures of the world explain themselves; a bug of ours needs its place. */
    private static boolean isUnexpected(Throwable failure) {
        return failure instanceof Error
                || (failure instanceof RuntimeException
                        && !(failure instanceof EngineException)
                        && !(failure instanceof java.io.UncheckedIOException));
    }

    private static String stackOf(Throwable failure) {
        var out = new StringWriter();
        failure.printStackTrace(new PrintWriter(out));
        return out.toString().stripTrailing();
    }
}
