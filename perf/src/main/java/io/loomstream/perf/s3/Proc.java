package io.loomstream.perf.s3;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** What Linux says about this process. */
final class Proc {
    private static final String ESTABLISHED = "01";
    private static final String TIME_WAIT = "06";

    private Proc() {}

    /** Resident memory, bytes. */
    static long rssBytes() throws IOException {
        return statusKb("VmRSS:") * 1024;
    }

    /** The most that was ever resident, bytes. */
    static long peakRssBytes() throws IOException {
        return statusKb("VmHWM:") * 1024;
    }

    private static long statusKb(String key) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith(key)) {
                return Long.parseLong(line.replaceAll("[^0-9]", ""));
            }
        }
        throw new IOException("no " + key + " in /proc/self/status");
    }

    /** Connections to a port of this machine, those included that ended within the last minute. */
    static long connectionsTo(int port) throws IOException {
        String suffix = String.format(Locale.ROOT, ":%04X", port);
        long count = 0;
        for (String table : new String[] {"/proc/self/net/tcp", "/proc/self/net/tcp6"}) {
            for (String line : Files.readAllLines(Path.of(table))) {
                String[] columns = line.strip().split("\\s+", 5);
                if (columns.length == 5
                        && columns[2].endsWith(suffix)
                        && (columns[3].equals(ESTABLISHED) || columns[3].equals(TIME_WAIT))) {
                    count++;
                }
            }
        }
        return count;
    }
}
