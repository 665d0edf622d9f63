package io.loomstream.perf.fleet;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What Linux and the JVM's own tools say about a running server. */
final class ServerFigures {
    private static final double TICKS_PER_SECOND = 100; // USER_HZ is 100 on every architecture that Linux runs Java on
    private static final Pattern USED = Pattern.compile("(?:total \\d+K, used (\\d+)K)");

    private final long pid;
    private final Path proc;

    ServerFigures(long pid) {
        this.pid = pid;
        this.proc = Path.of("/proc", Long.toString(pid));
    }

    /** A moment's figures; memory in MB of 2^20 bytes. */
    record Moment(double rssMb, double anonymousMb, int descriptors, int threads, double cpuSeconds) {}

    Moment now() throws IOException {
        String status = Files.readString(proc.resolve("status"));
        int descriptors;
        try (var fds = Files.list(proc.resolve("fd"))) {
            descriptors = (int) fds.count();
        }
        return new Moment(
                kilobytes(status, "VmRSS:") / 1024.0,
                kilobytes(status, "RssAnon:") / 1024.0,
                descriptors,
                (int) kilobytes(status, "Threads:"),
                cpuSeconds());
    }

    private static long kilobytes(String status, String field) {
        String line = status.lines()
                .filter(candidate -> candidate.startsWith(field))
                .findFirst()
                .orElseThrow();
        return Long.parseLong(line.replaceAll("[^0-9]", ""));
    }

    /** CPU time of the process so far, in hundredths. */
    double cpuSeconds() throws IOException {
        String stat = Files.readString(proc.resolve("stat"));
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
        return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / TICKS_PER_SECOND;
    }

    /** Virtual threads that live at this moment. */
    int virtualThreads(Path scratch) throws IOException, InterruptedException {
        Files.deleteIfExists(scratch);
        jcmd("Thread.dump_to_file", "-format=json", scratch.toAbsolutePath().toString());
        String dump = Files.readString(scratch);
        int count = 0;
        for (int at = dump.indexOf("\"virtual\": true"); at >= 0; at = dump.indexOf("\"virtual\": true", at + 1)) {
            count++;
        }
        return count;
    }

    /** Live bytes of the heap after a full collection, in MB. */
    double heapMb() throws IOException, InterruptedException {
        jcmd("GC.run");
        Matcher used = USED.matcher(jcmd("GC.heap_info"));
        double sum = 0;
        while (used.find()) {
            sum += Long.parseLong(used.group(1)) / 1024.0;
        }
        return sum;
    }

    /** Classes by the bytes of their instances, after a full collection. */
    String histogram() throws IOException, InterruptedException {
        return jcmd("GC.class_histogram");
    }

    private String jcmd(String... words) throws IOException, InterruptedException {
        Path java = Path.of("/proc", Long.toString(pid), "exe").toRealPath();
        List<String> command = new java.util.ArrayList<>();
        command.add(java.resolveSibling("jcmd").toString());
        command.add(Long.toString(pid));
        command.addAll(List.of(words));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(String.join(" ", command) + ": " + output);
        }
        return output;
    }
}
