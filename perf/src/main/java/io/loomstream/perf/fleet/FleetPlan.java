package io.loomstream.perf.fleet;

import io.loomstream.perf.writer.Habit;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What a run of {@link FleetBench} is to do.
 *
 * @param databases in the fleet
 * @param hot how many are written to at any time
 * @param habit of the writers; {@code mix} lets them differ, and move on to other databases
 * @param every between two commits to one database
 * @param s3 whether the replicas are on an S3 server; else in a directory
 * @param measured how long to measure once everything is hot
 * @param idle how long to look at the idle fleet before that
 * @param reuse whether to go on with the fleet, replicas and state of the run before
 */
record FleetPlan(
        int databases,
        int hot,
        String habit,
        Duration every,
        boolean s3,
        Duration measured,
        Duration idle,
        long seed,
        boolean reuse) {
    static final String MIX = "mix";

    FleetPlan {
        require(databases > 0, "FLEET", databases);
        require(hot >= 0 && hot <= databases, "HOT", hot);
        require(every.isPositive(), "EVERY", every);
        require(measured.isPositive(), "MINUTES", measured);
        require(habit.equals(MIX) || List.of(FleetWriter.HABITS).contains(Habit.valueOf(habit)), "HABIT", habit);
    }

    private static void require(boolean holds, String name, Object value) {
        if (!holds) {
            throw new IllegalArgumentException(name + "=" + value + " is out of range");
        }
    }

    /** From variables of the environment, as {@code make bench} names them. */
    static FleetPlan of(Map<String, String> variables) {
        int databases = Integer.parseInt(value(variables, "FLEET", "2000"));
        String replica = value(variables, "REPLICA", "file");
        if (!replica.equals("file") && !replica.equals("s3")) {
            throw new IllegalArgumentException("REPLICA is file or s3, not " + replica);
        }
        return new FleetPlan(
                databases,
                Integer.parseInt(value(variables, "HOT", Integer.toString(Math.max(1, databases / 100)))),
                habit(value(variables, "HABIT", Habit.LONG_LIVED.name())),
                seconds(value(variables, "EVERY", "1s")),
                replica.equals("s3"),
                Duration.ofSeconds(Math.round(60 * Double.parseDouble(value(variables, "MINUTES", "5")))),
                seconds(value(variables, "IDLE", "60s")),
                Long.parseLong(value(variables, "SEED", "1")),
                value(variables, "REUSE", "0").equals("1"));
    }

    private static String value(Map<String, String> variables, String name, String otherwise) {
        String value = variables.getOrDefault(name, "");
        return value.isBlank() ? otherwise : value.strip();
    }

    private static String habit(String word) {
        return word.equals(MIX) ? MIX : word.replace('-', '_').toUpperCase(Locale.ROOT);
    }

    private static Duration seconds(String text) {
        String digits = text.endsWith("s") ? text.substring(0, text.length() - 1) : text;
        return Duration.ofMillis(Math.round(1000 * Double.parseDouble(digits)));
    }
}
