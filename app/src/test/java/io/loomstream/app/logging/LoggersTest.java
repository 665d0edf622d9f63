package io.loomstream.app.logging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.app.config.LoggingConfig;
import io.loomstream.engine.error.TransientStorageException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

final class LoggersTest {
    private static final String PREFIX = "time=2026-01-02T03:04:05.000Z level=";

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final PrintStream stream = new PrintStream(bytes, false, StandardCharsets.UTF_8);
    private final Loggers loggers =
            new Loggers(Clock.fixed(Instant.parse("2026-01-02T03:04:05Z"), ZoneOffset.UTC), stream);
    private final Logger log = loggers.getLogger("test");

    private String written() {
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private void configure(Level level, LoggingConfig.Type type, boolean source) {
        loggers.configure(new LoggingConfig(level, type, false, source), stream);
    }

    @Test
    void textLinesAreSlogs() {
        log.atInfo()
                .addKeyValue("db", Path.of("/a b/x.db"))
                .addKeyValue("pages", 12)
                .addKeyValue("empty", "")
                .log("synced {}", "well");

        assertEquals(PREFIX + "INFO msg=\"synced well\" db=\"/a b/x.db\" pages=12 empty=\"\"\n", written());
    }

    @Test
    void nothingInAValueCanBreakOrForgeALine() {
        log.atWarn().addKeyValue("db", "x\nlevel=ERROR \u001b[2J\u202e\"\\").log("a\r\tb");

        assertEquals(PREFIX + "WARN msg=\"a\\r\\tb\" db=\"x\\nlevel=ERROR \\u001b[2J\\u202e\\\"\\\\\"\n", written());
    }

    @Test
    void jsonLinesKeepNumbersAndEscapeTheRest() {
        configure(Level.INFO, LoggingConfig.Type.JSON, false);

        log.atError()
                .addKeyValue("n", 5L)
                .addKeyValue("ok", true)
                .addKeyValue("s", "\"\n\u0001")
                .log("m");

        assertEquals(
                "{\"time\":\"2026-01-02T03:04:05.000Z\",\"level\":\"ERROR\",\"msg\":\"m\",\"n\":5,\"ok\":true,"
                        + "\"s\":\"\\\"\\n\\u0001\"}\n",
                written());
    }

    @Test
    void prettyLinesStartWithTheTimeOfDay() {
        configure(Level.INFO, LoggingConfig.Type.PRETTY, false);

        log.atInfo().addKeyValue("k", "v").log("hello there");
        log.error("bad");

        assertEquals("03:04:05.000 INFO  hello there k=v\n03:04:05.000 ERROR bad\n", written());
    }

    @Test
    void linesBelowTheLevelAreNotWritten() {
        configure(Level.WARN, LoggingConfig.Type.TEXT, false);

        log.info("quiet");
        log.atDebug().log("quieter");
        log.warn("heard");

        assertEquals(PREFIX + "WARN msg=heard\n", written());
    }

    @Test
    void librariesAreHeardFromWarningsOnUnlessEverythingIsTraced() {
        Logger library = loggers.getLogger("org.eclipse.jetty.server.Server");
        for (Level level : List.of(Level.DEBUG, Level.INFO, Level.TRACE)) {
            configure(level, LoggingConfig.Type.TEXT, false);
            library.debug("{} of a library", level);
            library.warn("trouble");
        }

        assertEquals(
                PREFIX + "WARN msg=trouble\n" + PREFIX + "WARN msg=trouble\n" + PREFIX
                        + "DEBUG msg=\"TRACE of a library\"\n" + PREFIX + "WARN msg=trouble\n",
                written());
    }

    @Test
    void failureTellsItsCausesWithoutRepeatingThem() {
        IOException disk = new IOException("disk full");

        log.atWarn()
                .setCause(new TransientStorageException("cannot write x", disk))
                .log("upload failed");
        log.warn("again", new TransientStorageException("cannot write: " + disk, disk));

        assertEquals(
                PREFIX + "WARN msg=\"upload failed\" error=\"cannot write x: java.io.IOException: disk full\"\n"
                        + PREFIX + "WARN msg=again error=\"cannot write: java.io.IOException: disk full\"\n",
                written());
    }

    @Test
    void bugShowsItsPlaceInOneLine() {
        log.error("oops", new IllegalStateException("bug"));

        assertTrue(written().contains(" stack=\"java.lang.IllegalStateException: bug\\n\\tat "), written());
        assertEquals(1, written().lines().count());
    }

    @Test
    void sourceIsTheCallersLine() {
        configure(Level.INFO, LoggingConfig.Type.TEXT, true);

        log.info("plain");
        log.atInfo().log("fluent");

        assertTrue(
                written().lines().allMatch(line -> line.matches(".* level=INFO source=LoggersTest\\.java:\\d+ .*")),
                written());
    }

    @Test
    void processUsesTheseLoggers() {
        assertInstanceOf(Loggers.class, LoggerFactory.getILoggerFactory());
        assertEquals(LoggerFactory.getILoggerFactory(), Loggers.ofProcess());
    }
}
