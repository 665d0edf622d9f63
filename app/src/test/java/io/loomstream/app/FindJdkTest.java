package io.loomstream.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code scripts/find-jdk.sh} among made-up installations: a release file and executable files are all it looks at. */
class FindJdkTest {
    private static final Path SCRIPT =
            Path.of("../scripts/find-jdk.sh").toAbsolutePath().normalize();

    @TempDir
    Path machine;

    private Path jvms;

    @BeforeEach
    void emptyMachine() throws IOException {
        jvms = Files.createDirectories(machine.resolve("jvm"));
        Files.createDirectories(machine.resolve("path"));
    }

    @Test
    void javaHomeComesFirst() throws Exception {
        Path chosen = jdk(machine.resolve("chosen"), "21.0.9");
        jdk(jvms.resolve("newer"), "25.0.1");

        assertEquals(chosen.toString(), find(chosen).output());
    }

    @Test
    void javaHomeTooOldIsPassedOver() throws Exception {
        Path old = jdk(machine.resolve("old"), "17.0.15");
        Path suitable = jdk(jvms.resolve("suitable"), "21.0.9");

        assertEquals(suitable.toString(), find(old).output());
    }

    @Test
    void javaOnPathIsFollowedThroughItsLinksAndPreferred() throws Exception {
        Path home = jdk(machine.resolve("real"), "21.0.9");
        jdk(jvms.resolve("newer"), "25.0.1");
        Path alternatives = Files.createDirectories(machine.resolve("alternatives"));
        Files.createSymbolicLink(alternatives.resolve("java"), home.resolve("bin/java"));
        Files.createSymbolicLink(machine.resolve("path/java"), Path.of("../alternatives/java"));

        assertEquals(home.toString(), find(null).output());
    }

    @Test
    void release25IsPreferredToOlderAndNewerOnes() throws Exception {
        jdk(jvms.resolve("a-21"), "21.0.9");
        Path preferred = jdk(jvms.resolve("b-25"), "25.0.1");
        jdk(jvms.resolve("c-27"), "27-ea");

        assertEquals(preferred.toString(), find(null).output());
    }

    @Test
    void without25TheNewestIsTaken() throws Exception {
        Path newest = jdk(jvms.resolve("a-24"), "24.0.2");
        jdk(jvms.resolve("b-21"), "21.0.9");
        jdk(jvms.resolve("c-8"), "1.8.0_452");

        assertEquals(newest.toString(), find(null).output());
    }

    @Test
    void buildNeedsACompilerAndTheLauncherDoesNot() throws Exception {
        Path runtime = jdk(jvms.resolve("runtime"), "25.0.1");
        Files.delete(runtime.resolve("bin/javac"));

        assertNotEquals(0, find(null, "--no-install").status());
        assertEquals(runtime.toString(), find(null, "--jre").output());
    }

    @Test
    void folderWithBlanksInItsNameIsFound() throws Exception {
        Path home = jdk(jvms.resolve("my jdk"), "25.0.1");

        assertEquals(home.toString(), find(null).output());
    }

    @Test
    void installationWithoutReleaseFileIsAskedForItsVersion() throws Exception {
        Path home = jdk(jvms.resolve("bare"), "25.0.1");
        Files.delete(home.resolve("release"));
        executable(home.resolve("bin/java"), "#!/bin/sh\necho 'openjdk version \"25.0.1\" 2025-10-21' >&2\n");

        assertEquals(home.toString(), find(null).output());
    }

    @Test
    void nothingSuitableSaysWhatToDo() throws Exception {
        jdk(jvms.resolve("old"), "17.0.15");

        Result result = find(null, "--no-install");

        assertEquals(1, result.status());
        assertEquals("", result.output());
        assertTrue(result.errors().contains("JDK 21 or later"), result.errors());
        assertTrue(result.errors().contains("JAVA_HOME"), result.errors());
    }

    private static Path jdk(Path home, String version) throws IOException {
        Files.createDirectories(home.resolve("bin"));
        Files.writeString(home.resolve("release"), "IMPLEMENTOR=\"Test\"\nJAVA_VERSION=\"%s\"\n".formatted(version));
        executable(home.resolve("bin/java"), "#!/bin/sh\nexit 1\n");
        executable(home.resolve("bin/javac"), "#!/bin/sh\nexit 1\n");
        return home;
    }

    private static void executable(Path file, String text) throws IOException {
        Files.writeString(file, text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private record Result(int status, String output, String errors) {}

    private Result find(Path javaHome, String... options) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>(List.of("/bin/sh", SCRIPT.toString()));
        words.addAll(Arrays.asList(options));
        Path errors = machine.resolve("errors");
        ProcessBuilder builder = new ProcessBuilder(words).redirectError(errors.toFile());
        var environment = builder.environment();
        environment.clear();
        // The programs that the script runs, and no java but the test's: /usr/bin may hold one.
        for (String tool : List.of("dirname", "readlink", "sed")) {
            executable(machine.resolve("path").resolve(tool), "#!/bin/sh\nexec /usr/bin/%s \"$@\"\n".formatted(tool));
        }
        environment.put("PATH", machine.resolve("path").toString());
        environment.put("LOOMSTREAM_JVM_DIRS", jvms + "/*");
        if (javaHome != null) {
            environment.put("JAVA_HOME", javaHome.toString());
        }
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int status = process.waitFor();
        return new Result(status, output.strip(), Files.readString(errors));
    }
}
