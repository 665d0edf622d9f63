package io.loomstream.app.config;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ReplicaPlacesTest {
    @TempDir
    private Path directory;

    private ConfigHarness harness;

    @BeforeEach
    void makeHarness() {
        harness = new ConfigHarness(directory);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            {url: "s3://b/t"}                  | {url: "s3://b/t/"}                    | url: is the place of the replica of dbs[/a] in line 2 (got s3://b/t)
            {url: "s3://b/t"}                  | {type: s3, bucket: b, path: /t/u}     | path: is inside the replica of dbs[/a] in line 2 (got s3://b/t/u)
            {url: "s3://b/t/0000/x"}           | {url: "s3://b/t"}                     | url: contains the replica of dbs[/a] in line 2 (got s3://b/t)
            {url: "s3://b"}                    | {url: "s3://b/t"}                     | url: is inside the replica of dbs[/a] in line 2 (got s3://b/t)
            {url: "s3://b/t"}                  | {type: s3, bucket: b}                 | bucket: contains the replica of dbs[/a] in line 2 (got s3://b)
            {url: "s3://b.X.org:9000/t"}       | {url: "s3://b/t?endpoint=http://x.org:9000"} | url: is the place of the replica of dbs[/a] in line 2 (got s3://b/t)
            {url: "s3://b/t?endpoint=https://x.org:443"} | {type: s3, bucket: b, path: t, endpoint: x.org} | path: is the place of the replica of dbs[/a] in line 2 (got s3://b/t)
            {path: /r}                         | {url: "file:///r/x"}                  | url: is inside the replica of dbs[/a] in line 2 (got /r/x)
            {path: /r/x/y}                     | {path: /r/x}                          | path: contains the replica of dbs[/a] in line 2 (got /r/x)
            """)
    void replicasInOnePlaceOrInsideOneAnotherAreRefused(String one, String other, String error) {
        assertEquals("dbs[/b].replica." + error + " at f.yml:3", harness.errorOf(two(one, other)));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            {url: "s3://b/t1"}                   | {url: "s3://b/t10"}
            {url: "s3://b/t/a"}                  | {url: "s3://b/t/b"}
            {url: "s3://b/t"}                    | {url: "s3://c/t"}
            {url: "s3://b/t"}                    | {url: "s3://b/t?endpoint=x.org"}
            {path: /r1}                          | {path: /r10}
            {path: /b/t}                         | {url: "s3://b/t"}
            """)
    void replicasSideBySideAreFine(String one, String other) throws IOException {
        assertEquals(2, harness.load(two(one, other)).config().databases().size());
    }

    private static String two(String one, String other) {
        return "dbs:\n  - {path: /a, replica: " + one + "}\n  - {path: /b, replica: " + other + "}\n";
    }
}
