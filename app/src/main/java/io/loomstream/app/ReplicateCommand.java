package io.loomstream.app;

import io.loomstream.app.config.DatabaseConfig;
import io.loomstream.app.config.LoadedConfig;
import io.loomstream.app.config.LogLevels;
import io.loomstream.app.config.LoggingConfig;
import io.loomstream.app.config.ReplicaUrl;
import io.loomstream.app.config.ServerConfig;
import io.loomstream.app.config.UrlMask;
import io.loomstream.app.logging.Loggers;
import io.loomstream.engine.fleet.Replication;
import io.loomstream.engine.fleet.ReplicationOptions;
import io.loomstream.engine.fleet.Report;
import io.loomstream.engine.fleet.Workload;
import io.loomstream.engine.sqlite.ConnectionLimits;
import io.loomstream.engine.sync.DatabaseOptions;
import io.loomstream.engine.sync.DatabaseSpec;
import io.loomstream.engine.sync.Outcome;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/** Replicates databases until SIGTERM or SIGINT, or once. */
final class ReplicateCommand implements Command {
    @Override
    public Flags flags() {
        return Sources.withConfig(
                        Flags.of(
                                "replicate [flags] [DB_PATH REPLICA_URL]",
                                "Replicates the databases of the configuration, or one database, until it gets SIGTERM or SIGINT."))
                .onOff("once", "Copy what is new, upload it, and end.")
                .value("log-level", "LEVEL", "trace, debug, info, warn or error; wins over the configuration.")
                .notYet("exec", "force-snapshot", "enforce-retention", "restore-if-db-not-exists");
    }

    @Override
    public int run(Flags.Parsed words, PrintStream out, PrintStream err)
            throws UsageException, IOException, InterruptedException {
        Optional<Level> level = level(words);
        try (Sources sources = new Sources()) {
            List<String> warnings = new ArrayList<>();
            LoadedConfig loaded = config(sources, words, warnings);
            ServerConfig config = loaded.config();
            Logger log = configureLogging(config, level, out, err);
            warnings.forEach(log::warn);
            checkFileNames();
            Path stateDirectory = StateDirectory.of(loaded);
            EffectiveConfig.log(config, stateDirectory, log);
            sources.configure(config);
            Workload workload = Workloads.of(config, sources, stateDirectory, log);
            if (workload.named().isEmpty() && workload.sections().isEmpty()) {
                log.warn("no databases specified in configuration");
            }
            return words.on("once")
                    ? once(workload, config, log)
                    : untilStopped(workload, config, stateDirectory, sources, log);
        }
    }

    private static Logger configureLogging(
            ServerConfig config, Optional<Level> level, PrintStream out, PrintStream err) {
        LoggingConfig logging = level.map(config.logging()::withLevel).orElse(config.logging());
        Loggers.ofProcess().configure(logging, logging.stderr() ? err : out);
        return LoggerFactory.getLogger(ReplicateCommand.class);
    }

    private static Optional<Level> level(Flags.Parsed words) throws UsageException {
        Optional<String> word = words.value("log-level");
        if (word.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(LogLevels.parse(word.get())
                .orElseThrow(() -> new UsageException(
                        "invalid -log-level: " + word.get() + " (allowed: trace, debug, info, warn, error)")));
    }

    private static LoadedConfig config(Sources sources, Flags.Parsed words, List<String> warnings)
            throws UsageException, IOException {
        List<String> arguments = words.arguments();
        if (arguments.isEmpty()) {
            LoadedConfig loaded = sources.config(words);
            warnings.addAll(loaded.warnings());
            return loaded;
        }
        if (arguments.size() == 1) {
            throw new UsageException("must specify at least one replica URL for " + UrlMask.mask(arguments.getFirst()));
        }
        if (words.value("config").isPresent()) {
            throw new UsageException("cannot specify a replica URL and the -config flag");
        }
        if (arguments.size() > 2) {
            throw new UsageException("multiple replicas on a single database are not supported: name one replica URL");
        }
        Path database = sources.path(arguments.get(0));
        ReplicaUrl url = sources.url(arguments.get(1));
        warnings.addAll(url.warnings());
        ServerConfig config =
                ServerConfig.of(List.of(new DatabaseConfig(DatabaseOptions.defaults(database), url.replica())));
        return new LoadedConfig(database, config, List.of());
    }

    /** Java strings must map one to one to file names, or a database would be taken for another or for none. */
    private static void checkFileNames() throws IOException {
        String encoding = System.getProperty("sun.jnu.encoding", "");
        if (!encoding.toUpperCase(Locale.ROOT).replace("-", "").equals("UTF8")) {
            throw new IOException("file names are read as " + encoding
                    + "; set LC_ALL to a UTF-8 locale such as C.UTF-8 (bin/loomstream does where there is one)");
        }
    }

    private static ReplicationOptions options(ServerConfig config) {
        ReplicationOptions unset = ReplicationOptions.defaults();
        return config.multiDb()
                .map(multiDb -> new ReplicationOptions(
                        multiDb.permits().monitor(),
                        multiDb.permits().snapshot(),
                        multiDb.permits().s3(),
                        unset.nativePermits(),
                        new ConnectionLimits(multiDb.maxConnections(), multiDb.connectionIdleTimeout()),
                        unset.time()))
                .orElse(unset);
    }

    private static int once(Workload workload, ServerConfig config, Logger log) throws InterruptedException {
        Report report = Replication.once(workload, options(config), Duration.ZERO, Duration.ofMillis(500));
        boolean complete = true;
        for (DatabaseSpec spec : workload.named()) {
            if (!Files.exists(spec.options().path())) {
                log.atError().addKeyValue("db", spec.options().path()).log("there is no such database");
                complete = false;
            }
        }
        return state(report, log) && complete ? 0 : 1;
    }

    private static int untilStopped(
            Workload workload, ServerConfig config, Path stateDirectory, Sources sources, Logger log)
            throws IOException, InterruptedException {
        CountDownLatch stopped = new CountDownLatch(1);
        Thread main = Thread.currentThread();
        TerminationSignals.handle(signal -> {
            if (stopped.getCount() > 0) {
                log.info("{} received, stopping", signal);
                stopped.countDown();
            } else {
                log.warn("{} received again, not waiting for the last uploads", signal);
                main.interrupt();
            }
        });
        Replication replication = Replication.start(workload, options(config));
        replication.whenBroken(stopped::countDown);
        log.atInfo()
                .addKeyValue("databases", workload.named().size())
                .addKeyValue("fleets", workload.sections().size())
                .log("replicating");
        try {
            Serving serving = Serving.start(config, stateDirectory, sources, replication);
            try {
                stopped.await();
            } finally {
                serving.close();
            }
        } catch (IOException e) {
            replication.stop(config.shutdownSyncTimeout(), config.shutdownSyncInterval());
            throw e;
        }
        Report report = replication.stop(config.shutdownSyncTimeout(), config.shutdownSyncInterval());
        boolean complete = state(report, log) && !replication.broken();
        log.info(complete ? "stopped; every replica has everything" : "stopped");
        return complete ? 0 : 1;
    }

    /** Logs what did not reach its replica. */
    private static boolean state(Report report, Logger log) {
        for (Outcome outcome : report.outcomes()) {
            if (outcome.problem() != null) {
                log.atError()
                        .addKeyValue("db", outcome.path())
                        .addKeyValue("local", outcome.local())
                        .addKeyValue("replica", outcome.remote())
                        .addKeyValue("error", outcome.problem())
                        .log("the replica lacks what was committed; what was captured stays in the meta directory");
            }
        }
        if (report.unserved() > 0) {
            log.atError()
                    .addKeyValue("databases", report.unserved())
                    .log("so many databases of fleets changed, and were not brought to their replicas");
        }
        return report.complete();
    }
}
