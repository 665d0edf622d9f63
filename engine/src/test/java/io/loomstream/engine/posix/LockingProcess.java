package io.loomstream.engine.posix;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** Another process that takes locks on a file, with python3's fcntl. */
final class LockingProcess {
    private static final String PROGRAM = """
            import fcntl, struct, sys
            # struct flock: type, whence, start, length, pid. Commands as in linux/fcntl.h.
            SETLK, OFD_SETLK = 6, 37
            TYPES = {"read": 0, "write": 1, "none": 2}
            file = open(sys.argv[1], "r+b")
            for line in sys.stdin:
                kind, type, start, length = line.split()
                try:
                    command = OFD_SETLK if kind == "ofd" else SETLK
                    fcntl.fcntl(file, command, struct.pack("hhqqi4x", TYPES[type], 0, int(start), int(length), 0))
                    print("ok", flush=True)
                except OSError:
                    print("refused", flush=True)
            """;

    private final Process process;
    private final Writer commands;
    private final BufferedReader answers;

    LockingProcess(Path file) throws IOException {
        process = new ProcessBuilder("python3", "-c", PROGRAM, file.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        commands = process.outputWriter(StandardCharsets.UTF_8);
        answers = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    /**
     * Sets a lock without waiting.
     *
     * @param kind {@code posix} or {@code ofd}
     * @param type {@code read}, {@code write} or {@code none}
     * @return whether it was given
     */
    boolean lock(String kind, String type, long start, long length) throws IOException {
        commands.write(kind + " " + type + " " + start + " " + length + "\n");
        commands.flush();
        return answers.readLine().equals("ok");
    }

    void kill() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor();
    }

    /** Ends the process in order. */
    void stop() throws IOException, InterruptedException {
        if (process.isAlive()) {
            commands.close();
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                kill();
            }
        }
    }
}
