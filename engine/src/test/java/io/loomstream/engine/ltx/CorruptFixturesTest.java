package io.loomstream.engine.ltx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.testing.LtxSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The files of fixtures/corrupt: each breaks one rule of the format, most with a checksum that is right. */
class CorruptFixturesTest {
    private static final Pattern ENTRY = Pattern.compile("\"([a-z0-9-]+\\.ltx)\": \\{\\s*\"valid\": (true|false)");

    private static Path directory() throws Exception {
        return Path.of(
                CorruptFixturesTest.class.getResource("/fixtures/corrupt").toURI());
    }

    private static Map<String, Boolean> expectations() throws Exception {
        Map<String, Boolean> found = new TreeMap<>();
        Matcher matcher = ENTRY.matcher(Files.readString(directory().resolve("expect.json")));
        while (matcher.find()) {
            found.put(matcher.group(1), Boolean.valueOf(matcher.group(2)));
        }
        return found;
    }

    @Test
    void everyFileOfTheDirectoryIsListed() throws Exception {
        try (Stream<Path> files = Files.list(directory())) {
            Set<String> names = files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".ltx"))
                    .collect(Collectors.toSet());
            assertEquals(names, expectations().keySet());
        }
    }

    @TestFactory
    Stream<DynamicTest> damagedFilesAreRefusedAndGoodOnesRead() throws Exception {
        Path directory = directory();
        return expectations().entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(
                        entry.getKey(), () -> check(directory.resolve(entry.getKey()), entry.getValue())));
    }

    private static void check(Path file, boolean valid) throws Exception {
        byte[] bytes = Files.readAllBytes(file);
        String name = file.getFileName().toString();
        if (valid) {
            LtxSpec decoded = LtxSpec.decode(bytes, name);
            assertEquals(decoded.header().commit(), decoded.pages().size());
        } else {
            CorruptDataException e = assertThrows(CorruptDataException.class, () -> LtxSpec.decode(bytes, name));
            assertEquals(name, e.source());
            assertTrue(e.offset() >= 0 && e.offset() <= bytes.length, e.getMessage());
        }
    }
}
