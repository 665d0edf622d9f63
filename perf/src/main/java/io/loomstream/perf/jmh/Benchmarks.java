package io.loomstream.perf.jmh;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * Runs benchmarks in processes of their own, first under the flags of {@code bin/loomstream}, then with C2, and prints one
 * table, per second of processor time, which other work on the machine disturbs least. Arguments are JMH's.
 */
public final class Benchmarks {
    private static final String ALL = Benchmarks.class.getPackageName() + "\\.";
    private static final int COMPACT_HEADERS_SINCE = 25;
    /** JMH and aircompressor use what this Java and later ones warn of. */
    private static final int UNSAFE_WARNS_SINCE = 24;

    private Benchmarks() {}

    public static void main(String[] args) throws CommandLineOptionException, RunnerException {
        CommandLineOptions words = new CommandLineOptions(args);
        Map<String, List<Double>> table = new TreeMap<>();
        run(words, flags(true), table);
        run(words, flags(false), table);
        System.out.printf(
                Locale.ROOT,
                "%n%-90s %12s %12s%n",
                "operations (mebibytes) a second of processor time",
                "as shipped",
                "with C2");
        table.forEach((name, scores) ->
                System.out.printf(Locale.ROOT, "%-90s %12.0f %12.0f%n", name, scores.getFirst(), scores.getLast()));
    }

    private static List<String> flags(boolean shipped) {
        int feature = Runtime.version().feature();
        List<String> flags =
                new ArrayList<>(List.of("-XX:+UseSerialGC", "-XX:-UsePerfData", "--enable-native-access=ALL-UNNAMED"));
        if (shipped) {
            flags.add("-XX:TieredStopAtLevel=1");
        }
        if (feature >= COMPACT_HEADERS_SINCE) {
            flags.add("-XX:+UseCompactObjectHeaders");
        }
        if (feature >= UNSAFE_WARNS_SINCE) {
            flags.add("--sun-misc-unsafe-memory-access=allow");
        }
        return flags;
    }

    private static void run(CommandLineOptions words, List<String> flags, Map<String, List<Double>> table)
            throws RunnerException {
        OptionsBuilder options = new OptionsBuilder();
        options.parent(words).jvmArgs(flags.toArray(String[]::new)).addProfiler(CpuProfiler.class);
        if (words.getIncludes().isEmpty()) {
            options.include(ALL);
        }
        Collection<RunResult> results = new Runner(options.build()).run();
        for (RunResult result : results) {
            table.computeIfAbsent(name(result.getParams()), any -> new ArrayList<>())
                    .add(Objects.requireNonNull(result.getSecondaryResults().get(CpuProfiler.RESULT))
                            .getScore());
        }
    }

    private static String name(BenchmarkParams params) {
        StringBuilder name = new StringBuilder(params.getBenchmark().replaceFirst(ALL, ""));
        for (String key : params.getParamsKeys()) {
            name.append(' ').append(key).append('=').append(params.getParam(key));
        }
        return name.toString();
    }
}
