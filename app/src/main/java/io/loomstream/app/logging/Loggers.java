package io.loomstream.app.logging;

import io.loomstream.app.config.LoggingConfig;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.ILoggerFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/** Every logger of the process and the one stream they write to. Thread-safe; a line is written in one piece. */
public final class Loggers implements ILoggerFactory {
    private record Output(LoggingConfig config, LineFormat format, PrintStream stream) {}

    private final ConcurrentMap<String, Logger> byName = new ConcurrentHashMap<>();
    private final ReentrantLock writing = new ReentrantLock();
    private final Clock clock;
    private volatile Output output;

    /** Until configured otherwise: text of level INFO, to {@code stream}. */
    Loggers(Clock clock, PrintStream stream) {
        this.clock = clock;
        this.output = new Output(LoggingConfig.defaults(), new TextLines(), stream);
    }

    /** The loggers that SLF4J uses in this process. */
    public static Loggers ofProcess() {
        if (LoggerFactory.getILoggerFactory() instanceof Loggers ours) {
            return ours;
        }
        throw new IllegalStateException("another SLF4J provider is on the class path");
    }

    /** Sends every later line to {@code stream}, in the format and from the level on that {@code config} names. */
    public void configure(LoggingConfig config, PrintStream stream) {
        LineFormat format = switch (config.type()) {
            case TEXT -> new TextLines();
            case JSON -> new JsonLines();
            case PRETTY -> new ShortLines();
        };
        output = new Output(config, format, stream);
    }

    @Override
    public Logger getLogger(String name) {
        return byName.computeIfAbsent(name, unseen -> new LineLogger(unseen, this));
    }

    /** @param quiet of a library that reports its daily life: below WARN only who asks for TRACE sees it */
    boolean writes(Level level, boolean quiet) {
        int from = output.config().level().toInt();
        boolean warningsOnly = quiet && from > Level.TRACE.toInt() && from < Level.WARN.toInt();
        return level.toInt() >= (warningsOnly ? Level.WARN.toInt() : from);
    }

    void write(Line.Body body) {
        Output now = output;
        Line line = new Line(clock.instant(), body, now.config().source() ? CallSite.find() : "");
        byte[] bytes = (now.format().format(line) + '\n').getBytes(StandardCharsets.UTF_8);
        writing.lock();
        try {
            now.stream().write(bytes, 0, bytes.length);
            now.stream().flush();
        } finally {
            writing.unlock();
        }
    }
}
