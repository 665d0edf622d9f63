package io.loomstream.perf.fleet;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The writer processes of a run; each has a part of the fleet. */
final class FleetWriters implements AutoCloseable {
    /** Each has three descriptors a database, and SQLite's memory. */
    private static final int DATABASES_PER_PROCESS = 2500;

    private static final int PROCESSES_MIN = 2;
    private static final long STOP_SECONDS = 120;

    private final List<Process> processes = new ArrayList<>();

    private FleetWriters() {}

    /** What they did: rows committed, errors that SQLite answered with, the most that one fell behind its pace. */
    record Tally(long commits, long errors, long behindMillis) {}

    /**
     * Starts them.
     *
     * @param order numbers of databases: the first {@link FleetPlan#hot} are written to, the others in this order when a
     *     writer of a mix moves on
     */
    static FleetWriters start(FleetPlan plan, FleetLayout layout, List<Integer> order) throws IOException {
        int count = Math.max(PROCESSES_MIN, (plan.hot() + DATABASES_PER_PROCESS - 1) / DATABASES_PER_PROCESS);
        FleetWriters writers = new FleetWriters();
        for (int k = 0; k < count; k++) {
            List<String> mine = new ArrayList<>();
            int hot = 0;
            for (int i = k; i < order.size(); i += count) {
                mine.add(layout.path(order.get(i)).toString());
                hot += i < plan.hot() ? 1 : 0;
            }
            Path list = layout.directory().resolve("writer-" + k + ".txt");
            Files.write(list, mine);
            writers.processes.add(new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-XX:+UseSerialGC",
                            "-XX:TieredStopAtLevel=1",
                            "-Xmx256m",
                            "-XX:-UsePerfData",
                            "--enable-native-access=ALL-UNNAMED",
                            "-cp",
                            System.getProperty("java.class.path"),
                            FleetWriter.class.getName(),
                            Long.toString(plan.seed() * 1000 + k),
                            Long.toString(plan.every().toMillis()),
                            plan.habit(),
                            Integer.toString(hot),
                            list.toString())
                    .redirectError(ProcessBuilder.Redirect.appendTo(
                            layout.directory().resolve("writers.log").toFile()))
                    .start());
        }
        return writers;
    }

    /** Ends them in order: every connection is closed. */
    Tally stop() throws IOException, InterruptedException {
        long commits = 0;
        long errors = 0;
        long behind = 0;
        for (Process process : processes) {
            process.getOutputStream().close();
        }
        for (Process process : processes) {
            try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
                String line = lines.readLine();
                if (line == null || !process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                    throw new IllegalStateException("a writer failed; see writers.log in the fleet's directory");
                }
                String[] words = line.split(" ", -1);
                commits += Long.parseLong(words[1]);
                errors += Long.parseLong(words[2]);
                behind = Math.max(behind, Long.parseLong(words[3]));
            }
        }
        return new Tally(commits, errors, behind);
    }

    @Override
    public void close() {
        processes.forEach(Process::destroyForcibly);
    }
}
