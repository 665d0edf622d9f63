package io.loomstream.engine.testing;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/** Programs that some tests run and that not every developer has. */
public final class Tools {
    /** Set by {@code .ci/run}, which installs the programs: where they are missing all the same, that is a failure. */
    private static final String CI = "LOOMSTREAM_CI";

    private Tools() {}

    /** Where a program is. Without it the test is skipped, or fails where no test may be. */
    public static Path find(String program) {
        Optional<Path> found = Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                .map(directory -> Path.of(directory, program))
                .filter(Files::isExecutable)
                .findFirst();
        String missing = program + " is not on PATH";
        if (System.getenv(CI) != null) {
            Assertions.assertTrue(found.isPresent(), missing + ", and " + CI + " is set");
        }
        Assumptions.assumeTrue(found.isPresent(), "skipped: " + missing);
        return found.orElseThrow();
    }
}
