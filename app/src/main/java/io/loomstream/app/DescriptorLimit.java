package io.loomstream.app;

import io.loomstream.app.config.FleetConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;

/** How many databases the limit on open files lets be hot. */
final class DescriptorLimit {
    /** The hold's: database and shared memory. The WAL is open only while it is read. */
    private static final int OF_A_HOT_DATABASE = 2;

    /**
     * Everything else: jars, sockets, logs, SQLite's connections, WALs and replicas' files while they are open. With 1,000 hot
     * databases and a file replica 2,054 descriptors were open (perf's fleet harness); the rest is margin.
     */
    private static final int RESERVE = 300;

    private static final Path LIMITS = Path.of("/proc/self/limits");

    /** A limit that is "unlimited" does not match, and is none. */
    private static final Pattern LINE = Pattern.compile("(?m)^Max open files\\s+([0-9]{1,18})\\s");

    private DescriptorLimit() {}

    /** The limit as it is now; the JVM has raised it to the hard one by then. Empty where nobody says. */
    static Optional<Long> current() {
        try {
            return parse(Files.readString(LIMITS));
        } catch (IOException notLinux) {
            return Optional.empty();
        }
    }

    /** The soft limit, the first number of its line. */
    static Optional<Long> parse(String limits) {
        Matcher line = LINE.matcher(limits);
        return line.find() ? Optional.of(Long.parseLong(line.group(1))) : Optional.empty();
    }

    /**
     * How many databases of each fleet may be hot: what the configuration says, or less, in proportion, where the limit does
     * not allow all of them. One at least: capture goes on, if slowly.
     */
    static List<Integer> hotMaxima(List<FleetConfig> fleets, int named, Optional<Long> limit, Logger log) {
        long wanted = fleets.stream().mapToLong(fleet -> fleet.pace().hotMax()).sum();
        long allowed = limit.map(files -> (files - RESERVE) / OF_A_HOT_DATABASE - named)
                .orElse(Long.MAX_VALUE);
        if (wanted <= allowed || fleets.isEmpty()) {
            return fleets.stream().map(fleet -> fleet.pace().hotMax()).toList();
        }
        List<Integer> lowered = fleets.stream()
                .map(fleet -> (int) Math.max(1, fleet.pace().hotMax() * Math.max(0, allowed) / wanted))
                .toList();
        log.atWarn()
                .addKeyValue("max-hot-databases", wanted)
                .addKeyValue(
                        "lowered_to",
                        lowered.stream().mapToInt(Integer::intValue).sum())
                .addKeyValue("open_files_limit", limit.orElse(0L))
                .log(
                        "the limit on open files (ulimit -n, LimitNOFILE) is too low: {} a hot database and {} beside",
                        OF_A_HOT_DATABASE,
                        RESERVE);
        return lowered;
    }
}
