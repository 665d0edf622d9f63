package io.loomstream.app.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ByteSizeTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            0          | 0
            5242880    | 5242880
            5,242,880  | 5242880
            10B        | 10
            10k        | 10000
            10KB       | 10000
            10MB       | 10000000
            8 MiB      | 8388608
            8mi        | 8388608
            1.5Gi      | 1610612736
            1.9999B    | 1
            7e         | 7000000000000000000
            """)
    void sizesAreReadAsLitestreamReadsThem(String text, long bytes) {
        assertEquals(bytes, ByteSize.parse(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "MB", "10XB", "10MBs", "-1", "1.2.3", "..", "8EiB", "10 M B", "1e9x", "0x10"})
    void whatIsNoSizeIsRefused(String text) {
        assertThrows(IllegalArgumentException.class, () -> ByteSize.parse(text));
    }
}
