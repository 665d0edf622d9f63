package io.loomstream.app;

import io.loomstream.app.config.LoggingConfig;
import io.loomstream.app.logging.Loggers;
import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.ReplicaFile;
import io.loomstream.engine.restore.IntegrityCheck;
import io.loomstream.engine.restore.Listing;
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
import java.util.Locale;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes a database from its replica. */
final class RestoreCommand implements Command {
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
                .notYet("f", "follow-interval");
    }

    @Override
    public int run(Flags.Parsed words, PrintStream out, PrintStream err)
            throws UsageException, IOException, InterruptedException {
        Target target = target(words);
        IntegrityCheck check = check(words.value("integrity-check").orElse("none"));
        positive("parallelism", words.value("parallelism").orElse("8"));
        // Results go to the output alone; what is worth a line on the way goes to the error stream.
        Loggers.ofProcess().configure(LoggingConfig.defaults(), err);
        try (Sources sources = new Sources()) {
            Sources.Source source =
                    sources.source(words, "loomstream restore -o /path/to/db file:///path/to/replica", err);
            return restore(source, output(sources, source, words), target, check, words, out, err);
        }
    }

    private static int restore(
            Sources.Source source,
            Path output,
            Target target,
            IntegrityCheck check,
            Flags.Parsed words,
            PrintStream out,
            PrintStream err)
            throws IOException, InterruptedException {
        if (words.on("if-db-not-exists") && Files.exists(output, LinkOption.NOFOLLOW_LINKS)) {
            log().atInfo().addKeyValue("path", output).log("database already exists, nothing restored");
            return 0;
        }
        if (source.database().isEmpty() && target instanceof Target.Before(Instant moment)) {
            Optional<String> outside = outside(source, moment);
            if (outside.isPresent()) {
                return failed(outside.get(), err);
            }
        }
        Restore restore = Restore.from(source.replica(), RestoreProgress.NONE);
        if (words.on("dry-run")) {
            return dryRun(restore.plan(target), source, output, words, out, err);
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
            return failed("cannot restore, " + inTheWay.getMessage() + cure, err);
        }
        return switch (outcome) {
            case RestoreOutcome.Restored restored -> {
                report(restored, source, output, check, Duration.ofNanos(System.nanoTime() - began), words, out);
                yield 0;
            }
            case RestoreOutcome.AlreadyThere there -> 0;
            case RestoreOutcome.NotAvailable(PlanOutcome.NotAvailable why) -> notAvailable(why, words, err);
            case RestoreOutcome.Broken(PlanOutcome.Broken why) -> failed(why.message(), err);
        };
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

    private static void positive(String flag, String text) throws UsageException {
        boolean number = !text.isEmpty() && text.length() < 10 && text.chars().allMatch(c -> c >= '0' && c <= '9');
        if (!number || Integer.parseInt(text) == 0) {
            throw new UsageException("invalid value \"" + text + "\" for flag -" + flag + ": must be a number above 0");
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
    private static Optional<String> outside(Sources.Source source, Instant moment) {
        Listing listing = Listing.withHeaderTimes(source.replica());
        if (listing.isEmpty()) {
            return Optional.empty(); // said by the plan, with -if-replica-exists heeded
        }
        Instant oldest = listing.oldestTime().orElseThrow();
        Instant newest = listing.newestTime().orElseThrow();
        boolean inside = !moment.isBefore(oldest) && !moment.isAfter(newest);
        return inside
                ? Optional.empty()
                : Optional.of("timestamp does not exist: the replica's files are from " + oldest + " to " + newest);
    }

    private static int notAvailable(PlanOutcome.NotAvailable why, Flags.Parsed words, PrintStream err) {
        if (why.reason() == PlanOutcome.Reason.NOTHING_STORED && words.on("if-replica-exists")) {
            log().atInfo().log("no backup found, nothing restored");
            return 0;
        }
        return failed(NOTHING + ": " + why.message(), err);
    }

    private static int failed(String message, PrintStream err) {
        err.println("Error: " + message);
        return 1;
    }

    private static void report(
            RestoreOutcome.Restored restored,
            Sources.Source source,
            Path output,
            IntegrityCheck check,
            Duration took,
            Flags.Parsed words,
            PrintStream out)
            throws IOException {
        RestorePlan plan = restored.plan();
        plan.hole()
                .ifPresent(hole -> log().atWarn()
                        .addKeyValue("txid", plan.reached())
                        .log("the history breaks off before the timestamp: {}", hole));
        restored.setAside()
                .forEach(kept -> log().atWarn()
                        .addKeyValue("path", kept)
                        .log("the old file could not be read by SQLite and was kept"));
        if (words.on("json")) {
            Json.print(out, json -> {
                json.writeStartObject();
                json.writeStringField("db_path", output.toString());
                json.writeStringField("replica", source.replica().type());
                json.writeStringField("txid", plan.reached().toString());
                json.writeNumberField("duration_ms", took.toMillis());
                json.writeStringField("integrity_check", check.name().toLowerCase(Locale.ROOT));
                json.writeEndObject();
            });
            return;
        }
        log().atInfo()
                .addKeyValue("path", output)
                .addKeyValue("txid", plan.reached())
                .addKeyValue("bytes", restored.sizeBytes())
                .addKeyValue("ms", took.toMillis())
                .log("restored");
    }

    private static int dryRun(
            PlanOutcome outcome,
            Sources.Source source,
            Path output,
            Flags.Parsed words,
            PrintStream out,
            PrintStream err)
            throws IOException {
        return switch (outcome) {
            case PlanOutcome.NotAvailable why -> notAvailable(why, words, err);
            case PlanOutcome.Broken why -> failed(why.message(), err);
            case PlanOutcome.Planned(RestorePlan plan) -> {
                if (words.on("json")) {
                    printJson(plan, source, output, out);
                } else {
                    printText(plan, source, output, out);
                }
                yield 0;
            }
        };
    }

    private static void printText(RestorePlan plan, Sources.Source source, Path output, PrintStream out) {
        out.println("Restore plan:");
        out.println("  source: " + source.name());
        out.println("  target: " + output);
        out.println("  replica: " + source.replica().type());
        out.println("  txid range: " + plan.files().getFirst().range().min() + " - " + plan.reached());
        out.println();
        out.println("Files to fetch:");
        Table table = new Table("level", "file", "min_txid", "max_txid", "size", "timestamp");
        for (ReplicaFile file : plan.files()) {
            table.row(
                    Integer.toString(file.level().number()),
                    file.range().fileName(),
                    file.range().min().toString(),
                    file.range().max().toString(),
                    Long.toString(file.sizeBytes()),
                    Rfc3339.format(file.createdAt()));
        }
        table.print(out);
    }

    private static void printJson(RestorePlan plan, Sources.Source source, Path output, PrintStream out)
            throws IOException {
        Json.print(out, json -> {
            json.writeStartObject();
            json.writeStringField("source", source.name());
            json.writeStringField("target_path", output.toString());
            json.writeStringField("replica", source.replica().type());
            json.writeStringField(
                    "min_txid", plan.files().getFirst().range().min().toString());
            json.writeStringField("max_txid", plan.reached().toString());
            json.writeArrayFieldStart("files");
            for (ReplicaFile file : plan.files()) {
                json.writeStartObject();
                json.writeNumberField("level", file.level().number());
                json.writeStringField("name", file.range().fileName());
                json.writeStringField("min_txid", file.range().min().toString());
                json.writeStringField("max_txid", file.range().max().toString());
                json.writeNumberField("size", file.sizeBytes());
                json.writeStringField("timestamp", Rfc3339.format(file.createdAt()));
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        });
    }
}
