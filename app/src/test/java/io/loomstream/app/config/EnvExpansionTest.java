package io.loomstream.app.config;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class EnvExpansionTest {
    private static final Map<String, String> VARIABLES = Map.of("A", "1", "A_b2", "2", "A:-b", "odd");

    @ParameterizedTest
    @CsvSource({
        "plain, plain",
        "$A, 1",
        "x$A/y, x1/y",
        "$A_b2, 2",
        "${A}b, 1b",
        "$NONE., .",
        "$$x, x",
        "$1x, x",
        "${A:-b}, odd",
        "${C:-b}, ''",
        "a${}b, ab",
        "a${b, ab",
        "a$ b, a$ b",
        "end$, end$",
        "é$A, é1",
    })
    void expandsAsGoDoes(String text, String expanded) {
        assertEquals(expanded, EnvExpansion.expand(text, name -> VARIABLES.getOrDefault(name, "")));
    }
}
