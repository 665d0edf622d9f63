package io.loomstream.perf.server;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A Loomstream, or Litestream, server as its user starts it. */
public final class ServerProcess implements AutoCloseable {
    private static final long STOP_SECONDS = 90;

    private final Process process;
    private final Path log;
    private final long logStart;

    private ServerProcess(Process process, Path log, long logStart) {
        this.process = process;
        this.log = log;
        this.logStart = logStart;
    }

    /** The top of this checkout. */
    public static Path checkout() {
        Path directory = Path.of("").toAbsolutePath();
        while (directory != null && !Files.isExecutable(directory.resolve("bin/loomstream"))) {
            directory = directory.getParent();
        }
        if (directory == null) {
            throw new IllegalStateException("bin/loomstream is not above the working directory");
        }
        return directory;
    }

    /** The launcher of this checkout, which runs after {@code make build}. */
    public static Path launcher() {
        return checkout().resolve("bin/loomstream");
    }

    /**
     * Starts {@code replicate}.
     *
     * @param log takes everything it prints, appended
     */
    public static ServerProcess replicate(Path launcher, Path config, Path log) throws IOException {
        return start(log, launcher, "replicate", "-config", config.toString());
    }

    /** Starts a command line of the launcher's. */
    public static ServerProcess start(Path log, Path launcher, String... arguments) throws IOException {
        List<String> words = new ArrayList<>();
        words.add(launcher.toString());
        words.addAll(List.of(arguments));
        long logStart = Files.exists(log) ? Files.size(log) : 0;
        Process process = new ProcessBuilder(words)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        return new ServerProcess(process, log, logStart);
    }

    public long pid() {
        return process.pid();
    }

    public boolean alive() {
        return process.isAlive();
    }

    /** Everything this process printed so far. */
    public String output() throws IOException {
        byte[] bytes = Files.readAllBytes(log);
        return new String(bytes, (int) logStart, bytes.length - (int) logStart, StandardCharsets.UTF_8);
    }

    /** Whether it replicates by now, and heeds SIGTERM. */
    public boolean ready() throws IOException {
        return output().contains("msg=replicating");
    }

    /** SIGKILL. */
    public void kill() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor();
    }

    /** SIGTERM; the exit status. */
    public int stop() throws InterruptedException {
        process.destroy();
        return waitFor();
    }

    /** Waits for the end; the exit status. */
    public int waitFor() throws InterruptedException {
        if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
            throw new IllegalStateException("the server does not end; see " + log);
        }
        return process.exitValue();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
