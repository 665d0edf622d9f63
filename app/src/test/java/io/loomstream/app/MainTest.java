package io.loomstream.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class MainTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @Test
    void noCommandPrintsTheUsageAndFails() {
        assertEquals(1, run());
        assertEquals("", text(out));
        assertTrue(text(err).contains("Usage:"), text(err));
    }

    @Test
    void helpIsNoFailure() {
        assertEquals(0, run("help"));
        assertTrue(text(out).contains("Commands:"), text(out));
        assertEquals("", text(err));
    }

    @Test
    void helpOfACommandListsItsFlagsOnTheOutput() {
        assertEquals(0, run("version", "-h"));
        assertTrue(text(out).contains("-verbose"), text(out));
        assertEquals("", text(err));
    }

    @Test
    void unknownCommandIsNamed() {
        assertEquals(1, run("wander"));
        assertEquals("loomstream wander: unknown command" + System.lineSeparator(), text(err));
    }

    @Test
    void wrongUsageExplainsItselfOnTheErrorStream() {
        assertEquals(1, run("version", "extra"));
        assertEquals("", text(out));
        assertTrue(text(err).startsWith("Error: too many arguments"), text(err));
        assertTrue(text(err).contains("loomstream version [-verbose]"), text(err));
    }

    private int run(String... words) {
        return Main.run(words, stream(out), stream(err));
    }

    private static PrintStream stream(ByteArrayOutputStream bytes) {
        return new PrintStream(bytes, true, StandardCharsets.UTF_8);
    }

    private static String text(ByteArrayOutputStream bytes) {
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
