package io.loomstream.perf.s3;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A class of ours in a JVM of its own, with this one's class path. Its errors go to ours. */
final class JavaProcess implements AutoCloseable {
    /** What the launcher gives the server, less the class cache. */
    static final List<String> SERVER_FLAGS = List.of(
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Xms8m",
            "-XX:MinHeapFreeRatio=10",
            "-XX:MaxHeapFreeRatio=25",
            "-XX:-ShrinkHeapInSteps",
            "-XX:TrimNativeHeapInterval=5000",
            "-XX:-UsePerfData");

    private final Process process;
    private final BufferedReader output;

    private JavaProcess(Process process) {
        this.process = process;
        this.output = process.inputReader(StandardCharsets.UTF_8);
    }

    static JavaProcess start(List<String> flags, Class<?> main, String... arguments) throws IOException {
        List<String> words = new ArrayList<>();
        // Another JDK can be measured than runs us.
        String java = System.getProperty(
                "s3perf.java",
                Path.of(System.getProperty("java.home"), "bin", "java").toString());
        words.add(java);
        words.addAll(flags);
        words.add("-cp");
        words.add(System.getProperty("java.class.path"));
        words.add(main.getName());
        words.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(words).redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment().put("MALLOC_ARENA_MAX", "1");
        return new JavaProcess(builder.start());
    }

    /** The value of the next line {@code name=value}. */
    String value(String name) throws IOException {
        for (String line = line(); line != null; line = line()) {
            if (line.startsWith(name + "=")) {
                return line.substring(name.length() + 1);
            }
        }
        throw new IOException("the process ended without saying " + name);
    }

    @Nullable
    String line() throws IOException {
        return output.readLine();
    }

    @Override
    public void close() {
        try {
            process.getOutputStream().close();
            process.waitFor();
        } catch (IOException e) {
            process.destroy();
        } catch (InterruptedException e) {
            process.destroy();
            Thread.currentThread().interrupt();
        }
    }
}
