package io.loomstream.app.config;

import io.loomstream.engine.compaction.Levels;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Reads what is said about levels, snapshots and retention, at the top and for one database. */
final class LevelsReader {
    private static final String INTERVAL = "interval";
    private static final String RETENTION = "retention";

    private LevelsReader() {}

    /** What holds for all databases. */
    static Levels top(Fields top, Problems problems) throws ConfigException {
        Levels unset = Levels.defaults();
        Levels.Snapshots snapshots = snapshots(top, unset.snapshots());
        Levels.L0 l0 = new Levels.L0(
                ConfigReader.positive(
                        top, "l0-retention", "l0 retention", unset.l0().retention()),
                ConfigReader.positive(
                        top,
                        "l0-retention-check-interval",
                        "l0 retention check interval",
                        unset.l0().checkInterval()));
        return new Levels(
                intervals(top, problems),
                snapshots,
                l0,
                deletes(top),
                top.bool("verify-compaction", unset.verifies()),
                validation(top));
    }

    /** What holds for one database. */
    static Levels ofDatabase(Fields database, Levels top) throws ConfigException {
        return top.withSnapshots(snapshots(database, top.snapshots()));
    }

    private static Levels.Snapshots snapshots(Fields parent, Levels.Snapshots unset) throws ConfigException {
        var section = parent.mapping("snapshot");
        if (section.isEmpty()) {
            return unset;
        }
        Fields fields = section.get();
        fields.check(KnownKeys.SNAPSHOT);
        return new Levels.Snapshots(
                ConfigReader.positive(fields, INTERVAL, "snapshot interval", unset.interval()),
                ConfigReader.positive(fields, RETENTION, "snapshot retention", unset.retention()));
    }

    /** A list without entries is not the same as none: then there is level 0 and level 9 only. */
    private static List<Duration> intervals(Fields top, Problems problems) throws ConfigException {
        var list = top.sequence("levels");
        if (list.isEmpty()) {
            return Levels.DEFAULT_INTERVALS;
        }
        List<Duration> intervals = new ArrayList<>();
        for (Node item : list.get().items()) {
            String name = "levels[" + intervals.size() + "]";
            if (!(item instanceof Node.Mapping mapping)) {
                throw problems.error(
                        item.line(), name + ": must be a mapping with interval (got " + item.shown() + ")");
            }
            Fields fields = new Fields(mapping, name + ".", problems);
            fields.check(KnownKeys.LEVEL);
            intervals.add(ConfigReader.positive(fields, INTERVAL, "compaction interval", Duration.ZERO));
        }
        if (intervals.size() > Levels.LEVELS_MAX) {
            throw top.error(
                    "levels", "at most " + Levels.LEVELS_MAX + " are possible", String.valueOf(intervals.size()));
        }
        return intervals;
    }

    private static boolean deletes(Fields top) throws ConfigException {
        var section = top.mapping(RETENTION);
        if (section.isEmpty()) {
            return true;
        }
        section.get().check(KnownKeys.RETENTION);
        return section.get().bool("enabled", true);
    }

    /** As in Litestream, nothing or less than nothing means never. */
    private static Duration validation(Fields top) throws ConfigException {
        var section = top.mapping("validation");
        if (section.isEmpty()) {
            return Duration.ZERO;
        }
        section.get().check(KnownKeys.VALIDATION);
        Duration interval = section.get().duration(INTERVAL, Duration.ZERO);
        return interval.isNegative() ? Duration.ZERO : interval;
    }
}
