package io.loomstream.engine.fleet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.text.Normalizer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ReplicaTemplateTest {
    private static final String FULL = "{{project}}/{{database}}/{{branch}}/{{tenant}}";

    private static String expand(String template, String path) {
        return ReplicaTemplate.compile(template).expand(TenantNames.of(path, "/"));
    }

    private static String refusal(String template) {
        return assertThrows(IllegalArgumentException.class, () -> ReplicaTemplate.compile(template))
                .getMessage();
    }

    @Test
    void namesComeFromThePathOfTheFullForm() {
        TenantNames names = TenantNames.of("/data/p 1/databases/main/branches/dev/tenants/acme.eu.db", "/data");
        assertEquals(
                new TenantNames(
                        "p 1",
                        "main",
                        "dev",
                        "acme.eu",
                        "acme.eu.db",
                        "p 1/databases/main/branches/dev/tenants/acme.eu.db",
                        "data/p 1/databases/main/branches/dev/tenants"),
                names);
    }

    @Test
    void otherPathsHaveTheirFolderAsProjectAndDefaults() {
        assertEquals(
                new TenantNames("shop", "default", "main", "orders", "orders.sqlite", "shop/orders.sqlite", "srv/shop"),
                TenantNames.of("/srv/shop/orders.sqlite", "/srv"));
        for (String almost : List.of(
                "/databases/d/branches/b/tenants/t.db",
                "/p/databases/d/branches/b/tenants/deep/t.db",
                "/p/databases/d/branch/b/tenants/t.db")) {
            assertEquals("default", TenantNames.of(almost, "/").database(), almost);
        }
    }

    @Test
    void leadingDotBeginsNoExtension() {
        assertEquals(".db", TenantNames.of("/a/.db", "/a").tenant());
        assertEquals("noextension", TenantNames.of("/a/noextension", "/a").tenant());
        assertEquals(".hidden", TenantNames.of("/a/.hidden.db", "/a").tenant());
    }

    @Test
    void pathOutsideItsRootIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> TenantNames.of("/srvx/a.db", "/srv"));
        assertThrows(IllegalArgumentException.class, () -> TenantNames.of("a.db", "/"));
    }

    @Test
    void variablesAreFilledIn() {
        String path = "/data/p/databases/d/branches/b/tenants/t.db";
        assertEquals("p/d/b/t", expand(FULL, path));
        assertEquals("/backup/v1/t.db", expand("/backup/v1/{{ filename }}", path));
        assertEquals("x/data/p/databases/d/branches/b/tenants/t.db", expand("x/{{relpath}}", path));
        assertEquals("data/p/databases/d/branches/b/tenants/t.db", expand("{{dir}}/{{filename}}", path));
        assertEquals("p-t", expand("{{project}}-{{tenant}}", path));
    }

    @Test
    void unknownVariableIsRefusedWithTheKnownOnes() {
        assertEquals(
                "replica path template \"a/{{tennant}}\": {{tennant}} is unknown; there are project, database, branch,"
                        + " tenant, filename, relpath, dir",
                refusal("a/{{tennant}}"));
        assertTrue(refusal("a/{{tenant").contains("not closed"));
        assertTrue(refusal("a/b").contains("no variable"));
        assertTrue(refusal("a//{{tenant}}").contains("segment \"\""));
        assertTrue(refusal("../{{tenant}}").contains("segment \"..\""));
        assertTrue(refusal("{{tenant}}/").contains("segment \"\""));
    }

    @Test
    void namesCannotLeaveTheirPlace() {
        assertEquals("p/%25/t%5Cu", expand("{{project}}/%25/{{tenant}}", "/p/t\\u.db"));
        assertEquals("a%20b%0Ac%3F%23%25", expand("{{tenant}}", "/p/a b\nc?#%.db"));
        assertThrows(IllegalArgumentException.class, () -> expand("{{tenant}}", "/p/...db"), "tenant \"..\"");
        assertThrows(IllegalArgumentException.class, () -> expand("{{tenant}}", "/p/..db"), "tenant \".\"");
        assertThrows(IllegalArgumentException.class, () -> expand("{{project}}/{{tenant}}", "/a.db"), "no folder");
        // "." from the text and "." from a name together.
        assertThrows(IllegalArgumentException.class, () -> expand(".{{tenant}}", "/p/..db"));
    }

    @Test
    void letterOfAnyScriptStaysReadableAndNormalFormsStayApart() {
        assertEquals("müller-东京", expand("{{tenant}}", "/p/müller-东京.db"));
        String composed = expand("{{tenant}}", "/p/" + Normalizer.normalize("é", Normalizer.Form.NFC) + ".db");
        String decomposed = expand("{{tenant}}", "/p/" + Normalizer.normalize("é", Normalizer.Form.NFD) + ".db");
        assertEquals("é", composed);
        assertEquals("e%CC%81", decomposed);
        assertFalse(
                Normalizer.normalize(decomposed, Normalizer.Form.NFC).equals(composed),
                "a normalizing store mixes them");
    }

    @Test
    void tooLongPathsAreRefusedNotCut() {
        String tenant = "東".repeat(85);
        assertThrows(
                IllegalArgumentException.class,
                () -> expand(FULL + "/{{relpath}}/{{relpath}}/{{relpath}}", "/p/" + tenant + ".db"));
        assertEquals(tenant, expand("{{tenant}}", "/p/" + tenant + ".db"));
    }

    @Test
    void halfASurrogatePairIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> KeySegment.encode("a\ud800"));
    }

    @Test
    void differentNamesNeverGiveTheSameSegment() {
        Random random = Seeds.random("differentNamesNeverGiveTheSameSegment");
        String alphabet = "aA%2F.5/é\u0301 \n~東";
        Map<String, String> seen = new HashMap<>();
        for (int i = 0; i < 50_000; i++) {
            StringBuilder name = new StringBuilder();
            for (int length = 1 + random.nextInt(4); length > 0; length--) {
                name.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            if (name.toString().equals(".") || name.toString().equals("..")) {
                continue;
            }
            String encoded = KeySegment.encode(name.toString());
            String other = seen.putIfAbsent(encoded, name.toString());
            if (other != null) {
                assertEquals(name.toString(), other, encoded);
            }
            assertFalse(encoded.contains("/"), encoded);
        }
        assertNull(seen.get(".."));
    }
}
