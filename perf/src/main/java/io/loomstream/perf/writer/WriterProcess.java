package io.loomstream.perf.writer;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;

/** A running application that writes to some databases. */
public final class WriterProcess implements AutoCloseable {
    private final Process process;
    private final List<Assignment> assignments;
    private final AtomicLongArray commits;
    private final Map<Path, Tally> tallies = new HashMap<>();
    private final Path messages;
    private final Thread reader;

    private WriterProcess(List<String> command, List<Assignment> assignments, long seed) throws IOException {
        List<String> words = new ArrayList<>(command);
        words.add(Long.toString(seed));
        assignments.forEach(assignment -> words.add(assignment.argument()));
        this.assignments = List.copyOf(assignments);
        this.commits = new AtomicLongArray(assignments.size());
        this.messages = Files.createTempFile("writer", ".log");
        this.process =
                new ProcessBuilder(words).redirectError(messages.toFile()).start();
        this.reader = Thread.ofPlatform().daemon().start(this::follow);
    }

    /** Writers in a JVM, with the SQLite that sqlite-jdbc carries. */
    public static WriterProcess java(List<Assignment> assignments, long seed) throws IOException {
        return new WriterProcess(
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-Xmx96m",
                        "-XX:-UsePerfData",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        WriterMain.class.getName()),
                assignments,
                seed);
    }

    /** Writers in Python, with the SQLite of the system. */
    public static WriterProcess python(List<Assignment> assignments, long seed) throws IOException {
        Path script = Files.createTempFile("writer", ".py");
        try (InputStream in = WriterProcess.class.getResourceAsStream("writer.py")) {
            if (in == null) {
                throw new IllegalStateException("writer.py is missing from the class path");
            }
            Files.write(script, in.readAllBytes());
        }
        script.toFile().deleteOnExit();
        return new WriterProcess(List.of("python3", script.toString()), assignments, seed);
    }

    private void follow() {
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String[] words = line.split(" ", -1);
                int index = Integer.parseInt(words[1]);
                if (words[0].equals("commits")) {
                    commits.set(index, Long.parseLong(words[2]));
                } else {
                    synchronized (tallies) {
                        tallies.put(assignments.get(index).database(), Tally.parse(words, 2));
                    }
                }
            }
        } catch (IOException ended) {
            // The process was killed.
        }
    }

    public List<Assignment> assignments() {
        return assignments;
    }

    /** Transactions committed so far, in all databases of this process. */
    public long commits() {
        long sum = 0;
        for (int i = 0; i < commits.length(); i++) {
            sum += commits.get(i);
        }
        return sum;
    }

    /** The fewest transactions that any of this process's databases got so far. */
    public long fewestCommits() {
        long fewest = Long.MAX_VALUE;
        for (int i = 0; i < commits.length(); i++) {
            fewest = Math.min(fewest, commits.get(i));
        }
        return fewest;
    }

    public boolean alive() {
        return process.isAlive();
    }

    /** Ends in order: every connection is closed. What each writer met, by database. */
    public Map<Path, Tally> stop() throws IOException, InterruptedException {
        process.getOutputStream().close();
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            throw new IllegalStateException("a writer does not end; its messages:\n" + messages());
        }
        reader.join();
        synchronized (tallies) {
            if (tallies.size() != assignments.size()) {
                throw new IllegalStateException("a writer failed:\n" + messages());
            }
            return Map.copyOf(tallies);
        }
    }

    /** SIGKILL: connections are left as they are. */
    public void kill() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor();
    }

    /** What the writers said about errors. */
    public String messages() throws IOException {
        return Files.readString(messages);
    }

    @Override
    public void close() throws IOException {
        process.destroyForcibly();
        Files.deleteIfExists(messages);
    }
}
