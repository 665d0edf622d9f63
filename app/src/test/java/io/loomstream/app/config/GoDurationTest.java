package io.loomstream.app.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class GoDurationTest {
    @ParameterizedTest
    @CsvSource({
        "300ms, 300000000, 300ms",
        "1.5h, 5400000000000, 1h30m0s",
        "1h30m5.5s, 5405500000000, 1h30m5.5s",
        "-2s, -2000000000, -2s",
        "+10us, 10000, 10µs",
        "1µs, 1000, 1µs",
        "7ns, 7, 7ns",
        ".5s, 500000000, 500ms",
        "0, 0, 0s",
        "90s, 90000000000, 1m30s",
    })
    void durationsAreReadAndPrintedAsGoDoes(String text, long nanos, String printed) {
        assertEquals(Duration.ofNanos(nanos), GoDuration.parse(text));
        assertEquals(printed, GoDuration.format(GoDuration.parse(text)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-", "5", "1.9", "1d", "1 s", "s", "1s x", "--1s", "9999999h", "."})
    void anythingElseIsRefused(String text) {
        assertThrows(IllegalArgumentException.class, () -> GoDuration.parse(text));
    }
}
