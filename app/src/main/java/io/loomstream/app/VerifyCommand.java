package io.loomstream.app;

import com.fasterxml.jackson.core.JsonGenerator;
import io.loomstream.app.config.DatabaseConfig;
import io.loomstream.app.config.LoadedConfig;
import io.loomstream.app.config.LoggingConfig;
import io.loomstream.app.logging.Loggers;
import io.loomstream.engine.error.EngineException;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.ReplicaFile;
import io.loomstream.engine.verify.Finding;
import io.loomstream.engine.verify.ReplicaVerifier;
import io.loomstream.engine.verify.VerifyReport;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Checks replicas, for people and for cron: exit status 0 only when every replica was looked at and is whole, 2 when one
 * has a problem, 1 when something could not be looked at.
 */
final class VerifyCommand implements Command {
    @Override
    public Flags flags() {
        return Sources.withConfig(Flags.of(
                        "verify [flags] [DB_PATH|REPLICA_URL]",
                        "Checks that a replica, or every replica of the configuration, is whole and can be restored."
                                + " Exit status: 0 all is well, 2 something is wrong, 1 it could not be found out."))
                .onOff("deep", "Also read every file and try a restore, checked by SQLite.")
                .value("tmp", "DIR", "Where -deep restores to; default: the system's temporary directory.")
                .onOff("json", "Print JSON.");
    }

    /**
     * What came of one replica.
     *
     * @param report empty when it could not be looked at
     * @param failure why not
     */
    private record Result(Sources.Source source, Optional<VerifyReport> report, String failure) {
        boolean ok() {
            return report.isPresent() && report.get().ok();
        }
    }

    @Override
    public int run(Flags.Parsed words, PrintStream out, PrintStream err)
            throws UsageException, IOException, InterruptedException {
        boolean deep = words.on("deep");
        if (!deep && words.value("tmp").isPresent()) {
            throw new UsageException("-tmp goes with -deep");
        }
        Loggers.ofProcess().configure(LoggingConfig.defaults(), err);
        try (Sources sources = new Sources()) {
            return run(sources, deep, words, out, err);
        }
    }

    private static int run(Sources sources, boolean deep, Flags.Parsed words, PrintStream out, PrintStream err)
            throws UsageException, IOException, InterruptedException {
        Path scratch = sources.path(words.value("tmp").orElse(System.getProperty("java.io.tmpdir")));
        if (deep && !Files.isDirectory(scratch)) {
            throw new UsageException("-tmp " + scratch + " is no directory");
        }
        List<Result> results = new ArrayList<>();
        for (Sources.Source source : named(sources, words, err)) {
            results.add(verify(source, deep, scratch));
        }
        if (words.on("json")) {
            printJson(results, deep, out);
        } else {
            results.forEach(result -> print(result, out));
        }
        if (results.stream().anyMatch(result -> result.report().isPresent() && !result.ok())) {
            return ExitCode.PROBLEM_FOUND;
        }
        return results.stream().allMatch(Result::ok) ? ExitCode.SUCCESS : ExitCode.FAILURE;
    }

    private static List<Sources.Source> named(Sources sources, Flags.Parsed words, PrintStream err)
            throws UsageException, IOException, InterruptedException {
        if (!words.arguments().isEmpty()) {
            return List.of(sources.source(words, "loomstream verify /path/to/db", err));
        }
        LoadedConfig loaded = sources.config(words);
        loaded.warnings().forEach(warning -> err.println("Warning: " + warning));
        List<Sources.Source> all = new ArrayList<>();
        Workloads.each(loaded.config(), new Workloads.Visitor() {
            @Override
            public void database(DatabaseConfig database) throws IOException {
                all.add(sources.source(database));
            }

            @Override
            public void refused(Path path, String why) {
                err.println("Warning: " + path + " is not replicated: " + why);
            }
        });
        if (all.isEmpty()) {
            // A check of nothing must not look like a check that passed.
            throw new IOException("the configuration names no database: nothing was verified");
        }
        return all;
    }

    private static Result verify(Sources.Source source, boolean deep, Path scratch) throws InterruptedException {
        try {
            ReplicaVerifier verifier = new ReplicaVerifier(source.replica());
            return new Result(source, Optional.of(deep ? verifier.deep(scratch) : verifier.quick()), "");
        } catch (EngineException e) {
            return new Result(source, Optional.empty(), String.valueOf(e.getMessage()));
        }
    }

    private static void print(Result result, PrintStream out) {
        String name = result.source().name();
        if (result.report().isEmpty()) {
            out.println("FAILED   " + name + ": " + result.failure());
            return;
        }
        VerifyReport report = result.report().get();
        out.println((report.ok() ? "ok       " : "PROBLEM  ") + name + ": " + report.files() + " files, "
                + report.sizeBytes() + " bytes, newest " + text(report.newest()) + ", restorable "
                + text(report.restorable()));
        for (Finding finding : report.problems()) {
            out.println("  problem " + line(finding));
        }
        for (Finding finding : report.notices()) {
            out.println("  notice  " + line(finding));
        }
    }

    private static String line(Finding finding) {
        String where = finding.file()
                .map(file -> "level " + file.level() + " " + file.range().fileName() + ": ")
                .orElse("");
        return kind(finding) + ": " + where + finding.message();
    }

    private static String kind(Finding finding) {
        return finding.kind().name().toLowerCase(Locale.ROOT);
    }

    private static String text(Optional<Txid> txid) {
        return txid.map(Txid::toString).orElse("-");
    }

    private static void printJson(List<Result> results, boolean deep, PrintStream out) throws IOException {
        Json.print(out, json -> {
            json.writeStartObject();
            json.writeBooleanField("ok", results.stream().allMatch(Result::ok));
            json.writeBooleanField("deep", deep);
            json.writeArrayFieldStart("replicas");
            for (Result result : results) {
                write(result, json);
            }
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    private static void write(Result result, JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeStringField("name", result.source().name());
        json.writeStringField("replica", result.source().replica().type());
        json.writeBooleanField("ok", result.ok());
        if (result.report().isEmpty()) {
            json.writeStringField("error", result.failure());
        } else {
            VerifyReport report = result.report().get();
            json.writeNumberField("files", report.files());
            json.writeNumberField("size", report.sizeBytes());
            json.writeStringField(
                    "newest_txid", report.newest().map(Txid::toString).orElse(""));
            json.writeStringField(
                    "restorable_txid", report.restorable().map(Txid::toString).orElse(""));
            write("problems", report.problems(), json);
            write("notices", report.notices(), json);
        }
        json.writeEndObject();
    }

    private static void write(String field, List<Finding> findings, JsonGenerator json) throws IOException {
        json.writeArrayFieldStart(field);
        for (Finding finding : findings) {
            json.writeStartObject();
            json.writeStringField("kind", kind(finding));
            if (finding.file().isPresent()) {
                ReplicaFile file = finding.file().get();
                json.writeNumberField("level", file.level().number());
                json.writeStringField("file", file.range().fileName());
            }
            json.writeStringField("message", finding.message());
            json.writeEndObject();
        }
        json.writeEndArray();
    }
}
