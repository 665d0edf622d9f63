package io.loomstream.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code bin/loomstream} as its users start it: from a checkout, through links, in a tree elsewhere, in odd locales. */
class LauncherIT {
    private static final Path CHECKOUT = Path.of("..").toAbsolutePath().normalize();
    private static final Path LAUNCHER = CHECKOUT.resolve("bin/loomstream");
    private static final Path DIST = CHECKOUT.resolve("app/target/dist/lib");

    @TempDir
    Path directory;

    @Test
    void checkoutRunsAndSaysNothingButTheVersion() throws Exception {
        Result result = run(directory, LAUNCHER, Map.of(), "version");

        assertEquals("", result.errors());
        assertEquals("0.1.0" + System.lineSeparator(), result.output());
        assertEquals(0, result.status());
    }

    @Test
    void linksToTheLauncherAreFollowed() throws Exception {
        Path far = Files.createDirectories(directory.resolve("a/b"));
        Files.createSymbolicLink(directory.resolve("first"), LAUNCHER);
        Path link = Files.createSymbolicLink(far.resolve("loomstream"), Path.of("../../first"));

        assertEquals(0, run(directory, link, Map.of(), "version").status());
    }

    @Test
    void relativePathToTheLauncherWorks() throws Exception {
        assertEquals(
                0,
                run(CHECKOUT.resolve("bin"), Path.of("./loomstream"), Map.of(), "version")
                        .status());
        assertEquals(
                0, run(CHECKOUT, Path.of("bin/loomstream"), Map.of(), "version").status());
    }

    @Test
    void packagedTreeRunsAnywhereEvenWithBlanksInItsName() throws Exception {
        Path tree = Files.createDirectories(directory.resolve("packed tree"));
        Path bin = Files.createDirectories(tree.resolve("bin"));
        Files.copy(LAUNCHER, bin.resolve("loomstream"), StandardCopyOption.COPY_ATTRIBUTES);
        Path lib = Files.createDirectories(tree.resolve("lib"));
        try (var files = Files.newDirectoryStream(DIST, "*.jar")) {
            for (Path jar : files) {
                Files.copy(jar, lib.resolve(jar.getFileName()));
            }
        }
        Files.copy(CHECKOUT.resolve("scripts/jdk-search.sh"), lib.resolve("jdk-search.sh"));

        Result result = run(directory, bin.resolve("loomstream"), Map.of(), "version");

        assertEquals("", result.errors());
        assertEquals(0, result.status());
    }

    @Test
    void unbuiltCheckoutSaysHowToBuild() throws Exception {
        Path bin = Files.createDirectories(directory.resolve("bin"));
        Path copy = Files.copy(LAUNCHER, bin.resolve("loomstream"), StandardCopyOption.COPY_ATTRIBUTES);

        Result result = run(directory, copy, Map.of(), "version");

        assertEquals(1, result.status());
        assertTrue(result.errors().contains("make build"), result.errors());
    }

    /** Java strings must map one to one to file names, whatever locale a login or a unit file brought along. */
    @Test
    void fileNamesAreUtf8InEveryLocale() throws Exception {
        for (String locale : List.of("C", "POSIX", "xx_XX.UTF-8", "")) {
            Result result = run(
                    directory,
                    LAUNCHER,
                    Map.of("LC_ALL", locale, "LOOMSTREAM_JAVA_OPTS", "-XshowSettings:properties"),
                    "version");

            assertTrue(result.errors().contains("sun.jnu.encoding = UTF-8"), locale + ": " + result.errors());
        }
    }

    @Test
    void userOptionsWin() throws Exception {
        Result result = run(
                directory,
                LAUNCHER,
                Map.of("LOOMSTREAM_JAVA_OPTS", "-XX:+UseParallelGC -Xmx77m -XX:+PrintFlagsFinal"),
                "version");

        assertEquals(0, result.status(), result.errors());
        // 77 MB, rounded up to the parallel collector's alignment.
        assertTrue(result.output().matches("(?s).*\\bMaxHeapSize += 8[01]\\d{6}\\b.*"), result.output());
        assertTrue(result.output().matches("(?s).*\\bUseParallelGC += true\\b.*"), result.output());
    }

    @Test
    void nativeLibrariesComeFromTheTree() throws Exception {
        try (var libraries = Files.list(DIST.resolve("native/Linux-x86_64-gnu"))) {
            assertEquals(
                    List.of("liblz4-java.so", "libsqlitejdbc.so"),
                    libraries
                            .map(file -> file.getFileName().toString())
                            .sorted()
                            .toList());
        }
    }

    /** SIGTERM and kill -9 go to the process that was started; a shell in between would swallow or outlive them. */
    @Test
    void javaReplacesTheShellSoThatSignalsReachIt() throws Exception {
        Path pids = directory.resolve("pids");
        Result result = run(
                directory, LAUNCHER, Map.of("LOOMSTREAM_JAVA_OPTS", "-Xlog:os=info:file=" + pids + "-%p"), "version");

        assertEquals(0, result.status());
        assertTrue(Files.exists(Path.of(pids + "-" + result.pid())), "the JVM is not process " + result.pid());
    }

    private record Result(long pid, int status, String output, String errors) {}

    private Result run(Path from, Path launcher, Map<String, String> environment, String... words)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(launcher.toString()));
        command.addAll(Arrays.asList(words));
        Path errors = directory.resolve("errors");
        var builder = new ProcessBuilder(command).directory(from.toFile()).redirectError(errors.toFile());
        builder.environment().putAll(environment);
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int status = process.waitFor();
        return new Result(process.pid(), status, output, Files.readString(errors));
    }
}
