package io.loomstream.app.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class YamlReaderTest {
    private final Problems problems = new Problems("f");

    private @Nullable Node read(String yaml) throws ConfigException {
        return YamlReader.read(yaml, problems);
    }

    /** A node as text with the line of every scalar, so that one comparison shows both. */
    private static String shape(@Nullable Node node) {
        return switch (Objects.requireNonNull(node)) {
            case Node.Scalar scalar -> scalar.shown() + "@" + scalar.line();
            case Node.Sequence list ->
                list.items().stream().map(YamlReaderTest::shape).collect(Collectors.joining(",", "[", "]"));
            case Node.Mapping map ->
                map.entries().entrySet().stream()
                        .map(entry ->
                                entry.getKey() + "=" + shape(entry.getValue().value()))
                        .collect(Collectors.joining(",", "{", "}"));
        };
    }

    @Test
    void scalarsKeepTheirTextAndLine() throws ConfigException {
        assertEquals(
                "{a=0600@1,b=1_000@2,c=yes@3,d=null@4,e=null@5,f=null@6,g=1.50@7,h=TRUE@8}",
                shape(read("a: 0600\nb: 1_000\nc: yes\nd: ~\ne:\nf: ''\ng: 1.50\nh: TRUE\n")));
    }

    @Test
    void writtenKeysWinOverMergedOnesAndTheFirstMergedMappingOverTheNext() throws ConfigException {
        assertEquals(
                "{p={x=1@1,y=1@1},q={y=2@2,z=2@2},r={z=3@4,x=1@1,y=1@1}}",
                shape(read("p: &p {x: 1, y: 1}\nq: &q {y: 2, z: 2}\nr:\n  z: 3\n  <<: [*p, *q]\n")));
    }

    @Test
    void aliasOfAListSharesItsNodes() throws ConfigException {
        assertEquals("{a=[1@1,2@1],b=[1@1,2@1]}", shape(read("a: &l [1, 2]\nb: *l\n")));
    }

    @Test
    void onlyTheFirstDocumentIsRead() throws ConfigException {
        assertEquals("{a=1@2}", shape(read("---\na: 1\n---\nb: [\n")));
    }

    @Test
    void textWithoutADocumentIsNothing() throws ConfigException {
        assertNull(read("# nothing\n"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            a: *nobody                     | yaml: unknown anchor *nobody at f:1
            a: &a [*a]                     | yaml: anchor &a contains itself at f:1
            a: !!javax.script.Engine [x]   | yaml: tag !<tag:yaml.org,2002:javax.script.Engine> is not allowed at f:1
            <<: 5                          | yaml: "<<" takes a mapping (got 5) at f:1
            <<: [5]                        | yaml: "<<" takes mappings only at f:1
            """)
    void misuseIsRefusedWithItsLine(String yaml, String error) {
        assertEquals(
                error, assertThrows(ConfigException.class, () -> read(yaml)).getMessage());
    }

    @Test
    void syntaxErrorNamesItsLine() {
        String message = String.valueOf(assertThrows(ConfigException.class, () -> read("a: 1\nb: [1,\nc: 2\n"))
                .getMessage());

        assertEquals("yaml: ", message.substring(0, 6));
        assertEquals(" at f:4", message.substring(message.length() - 7));
    }

    @Test
    void deepNestingIsRefused() {
        assertEquals(
                "yaml: nested more than 50 deep at f:1",
                assertThrows(ConfigException.class, () -> read("[".repeat(60) + "]".repeat(60)))
                        .getMessage());
    }

    @Test
    void aliasBombCostsNothing() throws ConfigException {
        var bomb = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for (int i = 1; i < 40; i++) {
            String previous = "*a" + (i - 1);
            bomb.append(
                    "a%d: &a%d [%s]\n".formatted(i, i, String.join(", ", java.util.Collections.nCopies(9, previous))));
        }

        Node.Mapping root = (Node.Mapping) Objects.requireNonNull(read(bomb.toString()));

        assertEquals(40, root.entries().size());
    }

    @Test
    void mergesThatCopyTooMuchAreRefused() {
        var bomb = new StringBuilder("big: &big\n");
        for (int i = 0; i < 2_000; i++) {
            bomb.append("  k").append(i).append(": 1\n");
        }
        for (int i = 0; i < 60; i++) {
            bomb.append("m").append(i).append(": {<<: *big}\n");
        }

        assertEquals(
                "yaml: merge keys copy more than 100000 entries at f:2052",
                assertThrows(ConfigException.class, () -> read(bomb.toString())).getMessage());
    }
}
