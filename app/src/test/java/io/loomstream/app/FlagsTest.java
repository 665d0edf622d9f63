package io.loomstream.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FlagsTest {
    private final Flags flags = Flags.of("restore DB", "Restores.")
            .value("o", "PATH", "Output path.")
            .onOff("json", "As JSON.");

    @ParameterizedTest
    @ValueSource(strings = {"-o out -json db", "--o out --json db", "-o=out -json=true db", "db -json -o out"})
    void oneAndTwoDashesEqualsAndBlankMeanTheSame(String line) throws UsageException {
        var parsed = parse(line);

        assertEquals(Optional.of("out"), parsed.value("o"));
        assertTrue(parsed.on("json"));
        assertEquals(List.of("db"), parsed.arguments());
    }

    @Test
    void switchTakesNoValueAfterABlank() throws UsageException {
        var parsed = parse("-json false");

        assertTrue(parsed.on("json"));
        assertEquals(List.of("false"), parsed.arguments());
    }

    @Test
    void switchCanBeTurnedOff() throws UsageException {
        assertFalse(parse("-json=F").on("json"));
    }

    @Test
    void lastOfSeveralWins() throws UsageException {
        assertEquals(Optional.of("b"), parse("-o a -o b").value("o"));
    }

    @Test
    void flagThatWasNotGivenHasNoValue() throws UsageException {
        assertEquals(Optional.empty(), parse("db").value("o"));
    }

    @Test
    void valueMayBeEmptyAndMayHoldEqualsSigns() throws UsageException {
        assertEquals(Optional.of(""), parse("-o=").value("o"));
        assertEquals(Optional.of("a=b"), parse("-o=a=b").value("o"));
    }

    @Test
    void valueMayBeginWithADash() throws UsageException {
        assertEquals(Optional.of("-json"), parse("-o -json").value("o"));
    }

    @Test
    void twoDashesEndTheFlags() throws UsageException {
        assertEquals(List.of("-json", "-o"), parse("-- -json -o").arguments());
    }

    @Test
    void singleDashIsAnArgument() throws UsageException {
        assertEquals(List.of("-"), parse("-").arguments());
    }

    @Test
    void unknownFlagIsNamed() {
        assertMessage("flag provided but not defined: -x", "-x 1");
    }

    @Test
    void missingValueIsNamed() {
        assertMessage("flag needs an argument: -o", "db -o");
    }

    @Test
    void valueThatIsNoBooleanIsNamed() {
        assertMessage("invalid boolean value \"maybe\" for -json", "-json=maybe");
    }

    @ParameterizedTest
    @ValueSource(strings = {"---o x", "-=x", "--=x"})
    void malformedFlagIsRefused(String line) {
        assertMessage("bad flag syntax: " + line.replace(" x", ""), line);
    }

    @ParameterizedTest
    @ValueSource(strings = {"-h", "--help", "-o x -help"})
    void helpIsWantedBeforeAnythingElse(String line) throws UsageException {
        assertTrue(parse(line).helpWanted());
    }

    private Flags.Parsed parse(String line) throws UsageException {
        return flags.parse(Arrays.asList(line.split(" ", -1)));
    }

    private void assertMessage(String message, String line) {
        assertEquals(
                message, assertThrows(UsageException.class, () -> parse(line)).getMessage());
    }
}
