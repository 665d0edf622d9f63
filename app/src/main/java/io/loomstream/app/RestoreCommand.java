package io.loomstream.app;

import io.loomstream.app.config.GoDuration;
import io.loomstream.app.config.LoggingConfig;
import io.loomstream.app.logging.Loggers;
import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.follow.Follower;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.OldFormatStore;
import io.loomstream.engine.restore.IntegrityCheck;
import io.loomstream.engine.restore.Listing;
import io.loomstream.engine.restore.OldFormatPlan;
import io.loomstream.engine.restore.PlanOutcome;
import io.loomstream.engine.restore.Restore;
import io.loomstream.engine.restore.RestoreOutcome;
import io.loomstream.engine.restore.RestorePlan;
import io.loomstream.engine.restore.RestoreProgress;
import io.loomstream.engine.restore.RestoreRequest;
import io.loomstream.engine.restore.RestoreRequest.Existing;
import io.loomstream.engine.restore.Target;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes a database from its replica. */
final class RestoreCommand implements Command {
    private static final int FLEET_PARALLELISM = 8;
    private static final String NOTHING = "no matching backup files available";

    @Override
    public Flags flags() {
        return Sources.withConfig(Flags.of(
                        "restore [flags] DB_PATH|REPLICA_URL",
                        "Makes a database from its replica: the newest state, or that of -txid or -timestamp."))
                .value("o", "PATH", "The file to make; default: DB_PATH. Required with a replica URL.")
                .value("txid", "HEX", "Restore this transaction, 16 hexadecimal digits.")
                .value(
                        "timestamp",
                        "TIME",
                        "Restore the newest state before this moment, such as 2026-01-02T15:04:05Z.")
                .onOff("force", "Replace an existing database, once the new one is complete.")
                .onOff("if-db-not-exists", "Do nothing, successfully, when the file exists.")
                .onOff("if-replica-exists", "Do nothing, successfully, when the replica holds nothing.")
                .value("integrity-check", "none|quick|full", "What SQLite checks before the file gets its name; none.")
                .value("parallelism", "N", "How many files to download at once; 8.")
                .onOff("dry-run", "Only print what would be fetched.")
                .onOff("json", "Print JSON.")
                .onOff("f", "Follow: after the restore apply what is new until SIGTERM or SIGINT; others may read it.")
                .value("follow-interval", "DURATION", "With -f, how often to look for new files; 1s.")
                .value("pattern", "URL", "Restore all replicas that match, such as 's3://bucket/prefix/**'.")
                .value("output-dir", "DIR", "Where to, by replica paths; default: each to its own, by the path map.")
                .value("parallel", "N", "With many databases, how many at once; 8.")
                .onOff("hot-first", "With many databases, begin with those that were hot.");
    }

    @Override
    public int run(Flags.Parsed words, PrintStream out, PrintStream err)
            throws UsageException, IOException, InterruptedException {
        Target target = target(words);
        IntegrityCheck check = check(words.value("integrity-check").orElse("none"));
        Pace pace = new Pace(
                positive("parallelism", words.value("parallelism").orElse(Integer.toString(Restore.PARALLELISM))),
                followInterval(words, target));
        // Results go to the output alone; what is worth a line on the way goes to the error stream.
        Loggers.ofProcess().configure(LoggingConfig.defaults(), err);
        try (Sources sources = new Sources()) {
            if (FleetRestore.wanted(words)) {
                int parallel =
                        positive("parallel", words.value("parallel").orElse(Integer.toString(FLEET_PARALLELISM)));
                return new FleetRestore(sources, words, out, err).run(parallel, check);
            }
            Sources.Source source =
                    sources.source(words, "loomstream restore -o /path/to/db file:///path/to/replica", err);
            return restore(source, output(sources, source, words), target, check, pace, words, out, err);
        }
    }

    /** How many downloads at once, and how often a follower looks. */
    private record Pace(int parallelism, Duration followInterval) {}

    private static int restore(
            Sources.Source source,
            Path output,
            Target target,
            IntegrityCheck check,
            Pace pace,
            Flags.Parsed words,
            PrintStream out,
            PrintStream err)
            throws IOException, InterruptedException {
        if (words.on("if-db-not-exists") && Files.exists(output, LinkOption.NOFOLLOW_LINKS)) {
            log().atInfo().addKeyValue("path", output).log("database already exists, nothing restored");
            return 0;
        }
        RestoreProgress progress = ProgressBar.wanted() && !words.on("json")
                ? new ProgressBar(err, System::nanoTime)
                : RestoreProgress.NONE;
        if (words.on("f")) {
            Optional<RestoreOutcome> none = FollowCommand.run(
                    Follower.of(source.replica(), output, pace.followInterval(), check, progress), output);
            return none.isEmpty() ? 0 : outcome(none.get(), words, err);
        }
        Restore restore = Restore.from(source.replica(), progress).inParallel(pace.parallelism());
        if (source.oldFormat().isPresent()) {
            restore = restore.orFrom(source.oldFormat().get());
        }
        return restore(restore, target, check, source, output, words, out, err);
    }

    private static int restore(
            Restore restore,
            Target target,
            IntegrityCheck check,
            Sources.Source source,
            Path output,
            Flags.Parsed words,
            PrintStream out,
            PrintStream err)
            throws IOException, InterruptedException {
        RestoreResults results = new RestoreResults(source, output, out);
        boolean momentOfAUrl = source.database().isEmpty() && target instanceof Target.Before;
        if (words.on("dry-run") || momentOfAUrl) {
            Restore.Choice choice = restore.choose(target);
            if (choice instanceof Restore.Choice.Ltx && target instanceof Target.Before(Instant moment)) {
                Optional<PlanOutcome.NotAvailable> outside = momentOfAUrl ? outside(source, moment) : Optional.empty();
                if (outside.isPresent()) {
                    return failed(
                            outside.get().message(), ExitCode.of(outside.get().reason()), err);
                }
            }
            if (words.on("dry-run")) {
                return dryRun(choice, results, words, err);
            }
        }
        long began = System.nanoTime();
        RestoreOutcome outcome;
        try {
            outcome = restore.run(RestoreRequest.latest(output)
                    .to(target)
                    .checked(check)
                    .onExisting(words.on("force") ? Existing.REPLACE : Existing.REFUSE));
        } catch (ConflictException inTheWay) {
            String cure = words.on("force") ? "" : ". Use -force to overwrite";
            return failed("cannot restore, " + inTheWay.getMessage() + cure, ExitCode.FAILURE, err);
        }
        Duration took = Duration.ofNanos(System.nanoTime() - began);
        String txid = outcome instanceof RestoreOutcome.Restored restored
                ? restored.plan().reached().toString()
                : "";
        int status = outcome(outcome, words, err);
        if (status == 0 && !words.on("json")) {
            log().atInfo()
                    .addKeyValue("path", output)
                    .addKeyValue("txid", txid.isEmpty() ? "-" : txid)
                    .addKeyValue("ms", took.toMillis())
                    .log("restored");
        } else if (status == 0) {
            results.printResultJson(txid, check, took);
        }
        return status;
    }

    /** Says what is worth saying of an outcome, and the exit status. */
    private static int outcome(RestoreOutcome outcome, Flags.Parsed words, PrintStream err) {
        return switch (outcome) {
            case RestoreOutcome.Restored restored -> {
                RestorePlan plan = restored.plan();
                plan.hole()
                        .ifPresent(hole -> log().atWarn()
                                .addKeyValue("txid", plan.reached())
                                .log("the history breaks off before the timestamp: {}", hole));
                setAside(restored.setAside());
                yield 0;
            }
            case RestoreOutcome.RestoredOldFormat restored -> {
                log().atInfo()
                        .addKeyValue("generation", restored.plan().snapshot().generation())
                        .addKeyValue("time", restored.plan().reachedAt())
                        .log("restored from what Litestream v0.3 wrote: it holds the newer state");
                setAside(restored.setAside());
                yield 0;
            }
            case RestoreOutcome.AlreadyThere there -> 0;
            case RestoreOutcome.NotAvailable(PlanOutcome.NotAvailable why) -> notAvailable(why, words, err);
            case RestoreOutcome.Broken(PlanOutcome.Broken why) -> broken(why, err);
        };
    }

    private static void setAside(List<Path> files) {
        files.forEach(kept ->
                log().atWarn().addKeyValue("path", kept).log("the old file could not be read by SQLite and was kept"));
    }

    private static Logger log() {
        return LoggerFactory.getLogger(RestoreCommand.class);
    }

    private static Target target(Flags.Parsed words) throws UsageException {
        Optional<String> txid = words.value("txid");
        Optional<String> timestamp = words.value("timestamp");
        if (txid.isPresent() && timestamp.isPresent()) {
            throw new UsageException(
                    "cannot specify index & timestamp to restore: -txid and -timestamp exclude each other");
        }
        if (txid.isPresent()) {
            try {
                return new Target.AtTxid(Txid.parse(txid.get()));
            } catch (IllegalArgumentException e) {
                throw new UsageException("invalid value \"" + txid.get()
                        + "\" for flag -txid: invalid txid format, 16 hexadecimal digits above zero are wanted");
            }
        }
        return timestamp.isPresent()
                ? new Target.Before(Rfc3339.parse(timestamp.get(), "-timestamp"))
                : new Target.Latest();
    }

    private static IntegrityCheck check(String word) throws UsageException {
        return switch (word) {
            case "none" -> IntegrityCheck.NONE;
            case "quick" -> IntegrityCheck.QUICK;
            case "full" -> IntegrityCheck.FULL;
            default ->
                throw new UsageException("invalid -integrity-check value: " + word + " (allowed: none, quick, full)");
        };
    }

    private static int positive(String flag, String text) throws UsageException {
        boolean number = !text.isEmpty() && text.length() < 10 && text.chars().allMatch(c -> c >= '0' && c <= '9');
        if (!number || Integer.parseInt(text) == 0) {
            throw new UsageException("invalid value \"" + text + "\" for flag -" + flag + ": must be a number above 0");
        }
        return Integer.parseInt(text);
    }

    private static Duration followInterval(Flags.Parsed words, Target target) throws UsageException {
        if (words.on("f") && (!(target instanceof Target.Latest) || words.on("dry-run"))) {
            throw new UsageException("cannot use -f with -txid, -timestamp or -dry-run");
        }
        String text = words.value("follow-interval").orElse("1s");
        try {
            Duration interval = GoDuration.parse(text);
            // Litestream's meaning of zero and below.
            return interval.compareTo(Duration.ZERO) > 0 ? interval : Duration.ofSeconds(1);
        } catch (IllegalArgumentException e) {
            throw new UsageException("invalid value \"" + text + "\" for flag -follow-interval: " + e.getMessage());
        }
    }

    private static Path output(Sources sources, Sources.Source source, Flags.Parsed words) throws UsageException {
        Optional<String> named = words.value("o").filter(text -> !text.isEmpty());
        if (named.isPresent()) {
            return sources.path(named.get());
        }
        return source.database()
                .orElseThrow(() -> new UsageException(
                        "-o is required when restoring from a replica URL",
                        "loomstream restore -o /path/to/db " + source.name()));
    }

    /** A replica named by a URL is asked for a moment between its oldest and its newest file, as in Litestream. */
    private static Optional<PlanOutcome.NotAvailable> outside(Sources.Source source, Instant moment) {
        Listing listing = Listing.withHeaderTimes(source.replica());
        if (listing.isEmpty()) {
            return Optional.empty(); // said by the plan, with -if-replica-exists heeded
        }
        Instant oldest = listing.oldestTime().orElseThrow();
        Instant newest = listing.newestTime().orElseThrow();
        if (!moment.isBefore(oldest) && !moment.isAfter(newest)) {
            return Optional.empty();
        }
        return Optional.of(new PlanOutcome.NotAvailable(
                moment.isBefore(oldest) ? PlanOutcome.Reason.AGED_OUT : PlanOutcome.Reason.NOT_THERE_YET,
                "timestamp does not exist: the replica's files are from " + oldest + " to " + newest,
                Optional.empty(),
                Optional.empty()));
    }

    private static int notAvailable(PlanOutcome.NotAvailable why, Flags.Parsed words, PrintStream err) {
        if (why.reason() == PlanOutcome.Reason.NOTHING_STORED && words.on("if-replica-exists")) {
            log().atInfo().log("no backup found, nothing restored");
            return 0;
        }
        return failed(NOTHING + ": " + why.message(), ExitCode.of(why.reason()), err);
    }

    private static int broken(PlanOutcome.Broken why, PrintStream err) {
        return failed(why.message(), ExitCode.of(PlanOutcome.Reason.CHAIN_BROKEN), err);
    }

    private static int failed(String message, int status, PrintStream err) {
        err.println("Error: " + message);
        return status;
    }

    private static int dryRun(Restore.Choice choice, RestoreResults results, Flags.Parsed words, PrintStream err)
            throws IOException {
        boolean json = words.on("json");
        return switch (choice) {
            case Restore.Choice.Old(OldFormatStore store, OldFormatPlan plan) -> {
                if (json) {
                    results.printPlanJson(plan);
                } else {
                    results.printPlan(plan);
                }
                yield 0;
            }
            case Restore.Choice.Ltx(PlanOutcome.NotAvailable why) -> notAvailable(why, words, err);
            case Restore.Choice.Ltx(PlanOutcome.Broken why) -> broken(why, err);
            case Restore.Choice.Ltx(PlanOutcome.Planned(RestorePlan plan)) -> {
                if (json) {
                    results.printPlanJson(plan);
                } else {
                    results.printPlan(plan);
                }
                yield 0;
            }
        };
    }
}
