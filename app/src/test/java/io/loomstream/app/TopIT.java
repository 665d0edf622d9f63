package io.loomstream.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code loomstream top} as its users start it, on a real terminal and without one, against a real server. */
class TopIT {
    private static final Path LAUNCHER =
            Path.of("../bin/loomstream").toAbsolutePath().normalize();
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final String EVIL = "a\u001b[31mb.db";
    /** Runs a command on a terminal of 24 lines and 90 columns; types Ctrl-C when a third screen has come. */
    private static final String ON_A_TERMINAL = """
            import os, pty, sys, fcntl, termios, struct, select, time
            pid, fd = pty.fork()
            if pid == 0:
                os.execv(sys.argv[1], sys.argv[1:])
            fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 90, 0, 0))
            seen = b''
            typed = False
            end = time.time() + 60
            while time.time() < end:
                if select.select([fd], [], [], 1)[0]:
                    try:
                        part = os.read(fd, 65536)
                    except OSError:
                        break
                    if not part:
                        break
                    seen += part
                if not typed and seen.count(b'\\x1b[H') >= 3:
                    typed = True
                    os.write(fd, b'\\x03')
            else:
                os.kill(pid, 9)
            status = os.waitpid(pid, 0)[1]
            sys.stdout.buffer.write(seen)
            sys.exit(os.waitstatus_to_exitcode(status) & 255)
            """;

    @TempDir
    Path directory;

    private Path config;
    private Process server;

    private record Result(int status, String output, String errors) {}

    @BeforeEach
    void startServer() throws Exception {
        int port;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        }
        Path data = Files.createDirectories(directory.resolve("data"));
        for (String name : List.of("plain.db", EVIL)) {
            Process sqlite = new ProcessBuilder("sqlite3", data.resolve(name).toString(), "create table t(x)").start();
            assertEquals(0, sqlite.waitFor());
        }
        Files.writeString(directory.resolve("token"), "s3cret\n");
        Files.writeString(directory.resolve("wrong"), "other\n");
        config = Files.writeString(directory.resolve("loomstream.yml"), """
                multi-db:
                  enabled: true
                  patterns: ["%1$s/data/*.db"]
                  replica-template: {type: file, path: "%1$s/replica/{{filename}}"}
                state-dir: %1$s/state
                admin: {addr: "127.0.0.1:%2$d", token-file: "%1$s/token"}
                """.formatted(directory, port));
        server = new ProcessBuilder(LAUNCHER.toString(), "replicate", "-config", config.toString())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("server.log").toFile())
                .start();
        Awaitility.await()
                .atMost(LONG)
                .until(() -> run("top", "-once", "-config", config.toString())
                        .output()
                        .contains("plain.db"));
    }

    @AfterEach
    void stopServer() throws Exception {
        server.destroy();
        assertTrue(server.waitFor(60, TimeUnit.SECONDS));
    }

    private Result run(String... words) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(LAUNCHER.toString()));
        command.addAll(List.of(words));
        Path errors = directory.resolve("errors");
        Process process =
                new ProcessBuilder(command).redirectError(errors.toFile()).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Result(process.waitFor(), output, Files.readString(errors));
    }

    @Test
    void withoutATerminalOnePlainScreenIsPrinted() throws Exception {
        Result result = run("top", "-config", config.toString());
        assertEquals(0, result.status(), result.errors());
        assertEquals("", result.errors());
        for (String wanted :
                List.of("Databases  ", "hot 2", "Copies  ", "S3         not used", "Gates  ", "HOT", "RECENT")) {
            assertTrue(result.output().contains(wanted), wanted + " in:\n" + result.output());
        }
        assertFalse(result.output().contains("\u001b"), "an escape character in:\n" + result.output());
        assertTrue(result.output().contains("/a\\x1b[31mb.db"), result.output());
    }

    @Test
    void onATerminalItGoesOnUntilCtrlCAndPutsTheTerminalBack() throws Exception {
        Process process = new ProcessBuilder(
                        "python3",
                        "-c",
                        ON_A_TERMINAL,
                        LAUNCHER.toString(),
                        "top",
                        "-interval",
                        "200ms",
                        "-config",
                        config.toString())
                .redirectErrorStream(true)
                .start();
        String seen = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), seen);
        assertTrue(seen.contains("\u001b[?1049h\u001b[?25l"), "takes a screen of its own:\n" + seen);
        assertTrue(seen.endsWith("\u001b[?25h\u001b[?1049l"), "and gives it back:\n" + seen);
        assertTrue(seen.contains("plain.db") && !seen.contains("a\u001b[31mb.db"), seen);
        String screen =
                seen.substring(seen.indexOf("\u001b[H") + 3, seen.indexOf("\u001b[H", seen.indexOf("\u001b[H") + 1));
        List<String> lines =
                screen.replaceAll("\u001b\\[[0-9]*[mKJ]", "").lines().toList();
        assertTrue(lines.size() <= 24, screen);
        assertTrue(lines.stream().allMatch(line -> line.length() <= 90), screen);
    }

    @Test
    void aWrongTokenAWrongAddressAndNobodyThereAreSaidPlainly() throws Exception {
        String address = Files.readString(config).replaceAll("(?s).*addr: \"([^\"]*)\".*", "$1");
        Result none = run("top", "-once", "-addr", address);
        assertEquals(1, none.status());
        assertTrue(none.errors().contains("asks for a token"), none.errors());
        Result wrong = run(
                "top",
                "-once",
                "-addr",
                address,
                "-token-file",
                directory.resolve("wrong").toString());
        assertEquals(1, wrong.status());
        assertTrue(wrong.errors().contains("does not take this token"), wrong.errors());
        Result right = run(
                "top",
                "-once",
                "-addr",
                address,
                "-token-file",
                directory.resolve("token").toString());
        assertEquals(0, right.status(), right.errors());
        Result nobody = run("top", "-once", "-addr", "127.0.0.1:1");
        assertEquals(1, nobody.status());
        assertTrue(nobody.errors().contains("no server answers at http://127.0.0.1:1"), nobody.errors());
        Result odd = run("top", "-once", "-addr", "file:///etc/passwd");
        assertEquals(1, odd.status());
        assertTrue(odd.errors().contains("-addr: must be host:port"), odd.errors());
        assertEquals(1, run("top", "-interval", "1ms").status());
    }
}
