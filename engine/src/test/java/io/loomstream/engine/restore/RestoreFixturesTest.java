package io.loomstream.engine.restore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Replicas that Litestream made restore to the byte as its own restore does, at every target. */
class RestoreFixturesTest {
    @TempDir
    Path directory;

    @TestFactory
    Stream<DynamicTest> restoresToTheByteWhatLitestreamRestores() throws Exception {
        List<DynamicTest> tests = new ArrayList<>();
        for (String name : Fixture.NAMES) {
            Fixture fixture = Fixture.copy(name, directory);
            for (Fixture.Expectation expectation : fixture.expectations()) {
                tests.add(DynamicTest.dynamicTest(expectation.toString(), () -> check(fixture, expectation)));
            }
        }
        return tests.stream();
    }

    private void check(Fixture fixture, Fixture.Expectation expectation) throws Exception {
        Path output = directory.resolve("out.db");

        RestoreOutcome outcome = RestoreSetup.of(fixture.client())
                .run(RestoreRequest.latest(output).to(expectation.target()).checked(IntegrityCheck.FULL));

        if (expectation.refused()) {
            assertFalse(outcome instanceof RestoreOutcome.Restored, outcome.toString());
            assertFalse(Files.exists(output));
            return;
        }
        assertInstanceOf(RestoreOutcome.Restored.class, outcome);
        byte[] database = Files.readAllBytes(output);
        assertEquals(
                expectation.sha256(),
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(database)));
        Files.delete(output);
        try (Stream<Path> left = Files.list(directory)) {
            assertTrue(
                    left.allMatch(
                            path -> Fixture.NAMES.contains(path.getFileName().toString())),
                    "side files stay");
        }
    }
}
