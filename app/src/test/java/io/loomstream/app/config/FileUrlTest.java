package io.loomstream.app.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class FileUrlTest {
    @ParameterizedTest
    @CsvSource({
        "file:///a/b, /a/b",
        "file://a/b, /a/b",
        "file:///a%20b, /a b",
        "file:///a%C3%A9, /aé",
        "file:///a+b, /a+b",
        "file:///a b, /a b",
        "file:///é, /é",
        "file:///a%25b, /a%b"
    })
    void namesItsPath(String url, String path) {
        assertEquals(path, FileUrl.path(url));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "file://",
                "file:///",
                "file:///a?x=1",
                "file:///a#b",
                "file:///a%2",
                "file:///a%zz",
                "file:///a%ff"
            })
    void whatNamesNoDirectoryIsRefused(String url) {
        assertThrows(IllegalArgumentException.class, () -> FileUrl.path(url));
    }

    @Test
    void schemeTellsUrlsFromPaths() {
        assertEquals(Optional.of("s3"), FileUrl.scheme("S3://b/p"));
        assertEquals(Optional.empty(), FileUrl.scheme("/a://b"));
        assertEquals(Optional.empty(), FileUrl.scheme("://b"));
    }
}
