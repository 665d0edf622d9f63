package io.loomstream.engine.fleet;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class PathPatternTest {
    private static boolean matches(String pattern, String path) {
        return PathPattern.compile(pattern).stream().anyMatch(one -> one.matches(path));
    }

    private static boolean nameMatches(String pattern, String name, NamePattern.Dialect dialect) {
        byte[] bytes = name.getBytes(UTF_8);
        return NamePattern.compile(pattern, dialect).matches(bytes, 0, bytes.length);
    }

    private static String refusal(String pattern) {
        return assertThrows(IllegalArgumentException.class, () -> PathPattern.compile(pattern), pattern)
                .getMessage();
    }

    @Test
    void starsStayInTheirSegment() {
        String tenants = "/data/*/databases/*/branches/*/tenants/*.db";
        assertTrue(matches(tenants, "/data/p/databases/d/branches/main/tenants/t1.db"));
        assertFalse(matches(tenants, "/data/p/x/databases/d/branches/main/tenants/t1.db"));
        assertFalse(matches(tenants, "/data/p/databases/d/branches/main/tenants/t1.db-wal"));
        assertFalse(matches(tenants, "/data/p/databases/d/branches/main/tenants/deep/t1.db"));
        assertTrue(matches(tenants, "/data/p/databases/d/branches/main/tenants/.db"));
    }

    @Test
    void doubleStarTakesAnyDepthNoneIncluded() {
        assertTrue(matches("/srv/apps/**/*.sqlite", "/srv/apps/a.sqlite"));
        assertTrue(matches("/srv/apps/**/*.sqlite", "/srv/apps/x/y/z/a.sqlite"));
        assertFalse(matches("/srv/apps/**/*.sqlite", "/srv/appsx/a.sqlite"));
        assertTrue(matches("/a/**/b/**/c", "/a/b/c"));
        assertTrue(matches("/a/**/b/**/c", "/a/x/b/b/y/c"));
        assertFalse(matches("/a/**/b/**/c", "/a/x/c"));
        assertTrue(matches("/srv/**", "/srv/x/y"));
        assertFalse(matches("/srv/**", "/srv"));
    }

    @Test
    void setsRangesEscapesAndBracesMeanWhatShellsMean() {
        assertTrue(matches("/d/[a-c]?.db", "/d/bz.db"));
        assertFalse(matches("/d/[!a-c]?.db", "/d/bz.db"));
        assertFalse(matches("/d/[^a-c]?.db", "/d/bz.db"));
        assertTrue(matches("/d/[\\]x].db", "/d/].db"));
        assertTrue(matches("/d/\\*.db", "/d/*.db"));
        assertFalse(matches("/d/\\*.db", "/d/a.db"));
        assertTrue(matches("/d/*.{db,sqlite{,3}}", "/d/a.sqlite"));
        assertTrue(matches("/d/*.{db,sqlite{,3}}", "/d/a.sqlite3"));
        assertTrue(matches("/{a,b/c}/x.db", "/b/c/x.db"));
        assertFalse(matches("/d/*.{db,sqlite}", "/d/a.{db,sqlite}"));
        assertTrue(matches("/d/\\{a,b\\}.db", "/d/{a,b}.db"));
    }

    @Test
    void questionMarkTakesOneCharacterOfAnyLength() {
        assertTrue(matches("/d/?.db", "/d/é.db"));
        assertTrue(matches("/d/?.db", "/d/😀.db"));
        assertFalse(matches("/d/?.db", "/d/éé.db"));
        assertTrue(matches("/d/[à-ü].db", "/d/é.db"));
    }

    @Test
    void byteThatIsNoTextIsOneCharacterEqualToNone() {
        byte[] latin = "/d/\u00e9.db".getBytes(ISO_8859_1);
        assertTrue(PathPattern.compile("/d/?.db").getFirst().matches(latin, latin.length));
        assertTrue(PathPattern.compile("/d/*.db").getFirst().matches(latin, latin.length));
        assertFalse(PathPattern.compile("/d/é.db").getFirst().matches(latin, latin.length));
        assertFalse(PathPattern.compile("/d/\ufffd.db").getFirst().matches(latin, latin.length));
        assertFalse(PathPattern.compile("/d/[a-\uffff].db").getFirst().matches(latin, latin.length));
    }

    @Test
    void newlinesAndSpacesAreOrdinaryCharacters() {
        assertTrue(matches("/d/* *.db", "/d/a \n b.db"));
        assertTrue(matches("/d/*.db", "/d/a\nb.db"));
    }

    @Test
    void malformedPatternsAreRefusedWithTheReason() {
        assertTrue(refusal("data/*.db").contains("must begin with \"/\""));
        assertTrue(refusal("/data//x.db").contains("empty segment"));
        assertTrue(refusal("/data/").contains("empty segment"));
        assertTrue(refusal("/data/../x.db").contains("\"..\""));
        assertTrue(refusal("/data/a**/x.db").contains("whole segment"));
        assertTrue(refusal("/data/[a.db").contains("'[' is not closed"));
        assertTrue(refusal("/data/[c-a].db").contains("wrong way round"));
        assertTrue(refusal("/data/{a,b.db").contains("'{' is not closed"));
        assertTrue(refusal("/data/x\\").contains("backslash"));
        assertTrue(refusal("").contains("must begin with"));
        assertTrue(refusal("/" + "a/".repeat(70) + "x").contains("segments"));
        assertTrue(refusal("/{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}").contains("more than 256"));
        assertThrows(IllegalArgumentException.class, () -> PathPattern.compileExclude("tmp/*"));
    }

    @Test
    void rootIsTheLongestPartWithoutSpecialCharacters() {
        assertEquals("/data", PathPattern.compile("/data/*/x/*.db").getFirst().root());
        assertEquals(
                "/srv/apps", PathPattern.compile("/srv/apps/**/*.db").getFirst().root());
        assertEquals("/a/b", PathPattern.compile("/a/b/c.db").getFirst().root());
        assertEquals("/a*", PathPattern.compile("/a\\*/*.db").getFirst().root());
        assertEquals("/", PathPattern.compile("/*.db").getFirst().root());
    }

    /** All patterns of up to three segments against all paths of up to four, against a regular expression. */
    @Test
    void matchesAndPrunesAsTheDefinitionSaysForAllSmallPatterns() {
        List<String> patterns = sequences(List.of("**", "*", "a", "b", "a?"), 3);
        List<String> paths = sequences(List.of("a", "b", "ab"), 4);
        int pruned = 0;
        for (String pattern : patterns) {
            Pattern expected = Pattern.compile(regex(pattern));
            PathPattern compiled = PathPattern.compile(pattern).getFirst();
            for (String path : paths) {
                assertEquals(expected.matcher(path).matches(), compiled.matches(path), pattern + " against " + path);
                if (paths.stream()
                        .anyMatch(below -> below.startsWith(path + "/")
                                && expected.matcher(below).matches())) {
                    assertTrue(compiled.couldMatchBelow(path), pattern + " pruned " + path);
                } else if (!compiled.couldMatchBelow(path)) {
                    pruned++;
                }
            }
        }
        assertTrue(pruned > patterns.size(), "hardly anything is pruned: " + pruned);
    }

    private static List<String> sequences(List<String> segments, int most) {
        List<String> all = new ArrayList<>();
        List<String> last = List.of("");
        for (int length = 1; length <= most; length++) {
            List<String> next = new ArrayList<>();
            for (String prefix : last) {
                segments.forEach(segment -> next.add(prefix + "/" + segment));
            }
            all.addAll(next);
            last = next;
        }
        return all;
    }

    private static String regex(String pattern) {
        String[] segments = pattern.substring(1).split("/", -1);
        StringBuilder regex = new StringBuilder();
        for (int i = 0; i < segments.length; i++) {
            boolean last = i == segments.length - 1;
            regex.append(
                    switch (segments[i]) {
                        case "**" -> last ? "(/[^/]+)+" : "(/[^/]+)*";
                        case "*" -> "/[^/]*";
                        default -> "/" + segments[i].replace("?", "[^/]");
                    });
        }
        return regex.toString();
    }

    @Test
    void manyStarsTakeNoExponentialTime() {
        String pattern = "*a".repeat(100) + "?b";
        assertFalse(nameMatches(pattern, "a".repeat(255), NamePattern.Dialect.SHELL));
    }

    @Test
    void litestreamPatternsKnowOnlyGoGlobs() {
        PathPattern flat = PathPattern.ofDirectory("/srv/da*ta/", "*.db", false);
        assertEquals("/srv/da*ta", flat.root());
        assertTrue(flat.matches("/srv/da*ta/x.db"));
        assertFalse(flat.matches("/srv/daxta/x.db"));
        assertFalse(flat.matches("/srv/da*ta/deep/x.db"));
        PathPattern deep = PathPattern.ofDirectory("/srv", "[^x]?.db", true);
        assertTrue(deep.matches("/srv/a/b/yz.db"));
        assertFalse(deep.matches("/srv/a/b/xz.db"));
        assertTrue(PathPattern.ofDirectory("/srv", "{a,b}", false).matches("/srv/{a,b}"));
        assertTrue(nameMatches("[!a]", "!", NamePattern.Dialect.LITESTREAM));
        assertTrue(nameMatches("**", "x", NamePattern.Dialect.LITESTREAM));
        assertThrows(IllegalArgumentException.class, () -> PathPattern.ofDirectory("/srv", "[]a]", false));
        assertThrows(IllegalArgumentException.class, () -> PathPattern.ofDirectory("/srv", "a/b", false));
        assertThrows(IllegalArgumentException.class, () -> PathPattern.ofDirectory("srv", "*.db", false));
    }

    private static boolean entered(Selection selection, String directory) {
        byte[] bytes = directory.getBytes(UTF_8);
        return selection.mayHoldMatches(bytes, bytes.length);
    }

    private static int patternOf(Selection selection, String path) {
        byte[] bytes = path.getBytes(UTF_8);
        return selection.patternOf(bytes, bytes.length);
    }

    @Test
    void excludesWinAndPruneWhatTheyCover() {
        Selection selection = Selection.ofPatterns(
                List.of("/srv/**/*.db", "/srv/**/*.sqlite"), List.of("**/tmp/**", "/srv/old", "**/x*.db"));
        assertEquals(0, patternOf(selection, "/srv/a/b.db"));
        assertEquals(1, patternOf(selection, "/srv/a/b.sqlite"));
        assertEquals(Selection.NONE, patternOf(selection, "/srv/tmp/b.db"));
        assertEquals(Selection.NONE, patternOf(selection, "/srv/a/xb.db"));
        assertTrue(entered(selection, "/srv"));
        assertTrue(entered(selection, "/srv/a"));
        assertFalse(entered(selection, "/srv/a/tmp"));
        assertFalse(entered(selection, "/srv/a/tmp/b"));
        assertFalse(entered(selection, "/srv/old"));
        assertFalse(entered(selection, "/other"));
    }

    @Test
    void rootsBelowOtherRootsAreNotWalkedTwice() {
        Selection selection =
                Selection.ofPatterns(List.of("/data/*/a.db", "/data/x/y/*.db", "/database/*.db"), List.of());
        assertEquals(List.of("/data", "/database"), selection.roots());
    }

    @Test
    void metaDirectoriesAndSideFilesAreKnownByName() {
        byte[] meta = ".a.db-litestream".getBytes(UTF_8);
        byte[] plain = "a.db-litestream".getBytes(UTF_8);
        byte[] wal = "-wal".getBytes(UTF_8);
        assertTrue(Selection.isMetaDirectory(meta, meta.length));
        assertFalse(Selection.isMetaDirectory(plain, plain.length));
        assertFalse(Selection.isSideFile(wal, wal.length));
    }
}
