package io.loomstream.engine.testing;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Another process that tries to take a POSIX lock on a whole file, and keeps it until closed. */
public final class FileLocker implements AutoCloseable {
    private static final String SCRIPT = """
            import fcntl, sys
            f = open(sys.argv[1], "r+b")
            try:
                fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
                print("locked", flush=True)
                sys.stdin.read()
            except OSError:
                print("refused", flush=True)
            """;

    private final Process process;

    private FileLocker(Process process) {
        this.process = process;
    }

    /** Empty when somebody else has a lock on the file. */
    public static Optional<FileLocker> lock(Path file) throws IOException {
        Process process = new ProcessBuilder(List.of("python3", "-c", SCRIPT, file.toString()))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        BufferedReader answers =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        String answer = answers.readLine();
        if ("locked".equals(answer)) {
            return Optional.of(new FileLocker(process));
        }
        process.destroyForcibly();
        if (!"refused".equals(answer)) {
            throw new IOException("the other process said " + answer);
        }
        return Optional.empty();
    }

    @Override
    public String toString() {
        return "process " + process.pid();
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }
}
