package io.loomstream.app.config;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class UrlMaskTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            s3://b/p                              | s3://b/p
            /path/of@something                    | /path/of@something
            s3://b/p@q                            | s3://b/p@q
            s3://user:canary@b/p                  | s3://********@b/p
            s3://user:can@ry@b/p                  | s3://********@b/p
            s3://b/p?endpoint=http://u:canary@h/x | s3://b/p?endpoint=http://********@h/x
            s3://b/p?sseCustomerKey=canary&a=1    | s3://b/p?sseCustomerKey=********&a=1
            s3://b/p?a=1&sse-customer-key=canary  | s3://b/p?a=1&sse-customer-key=********
            s3://b/p?secret-access-key=canary#x   | s3://b/p?secret-access-key=********#x
            s3://b/p?region=eu                    | s3://b/p?region=eu
            """)
    void secretsInUrlsAreMasked(String url, String shown) {
        assertEquals(shown, UrlMask.mask(url));
    }
}
