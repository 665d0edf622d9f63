package io.loomstream.app;

import io.loomstream.engine.error.EngineException;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Entry point of the program: hands the words of the command line to the command they name. */
public final class Main {
    private static final String USAGE = """
            Loomstream replicates SQLite databases continuously and restores them.

            Usage:
              loomstream COMMAND [flags] [arguments]

            Commands:
              replicate    replicate databases until stopped
              restore      make a database from its replica
              verify       check that replicas are whole and can be restored
              databases    list the databases of the configuration
              ltx          list the LTX files of a replica
              snapshot     have the running server make a snapshot of a database now
              compact      have the running server bring a database's levels up to date now
              top          show what a running server does
              version      print the version
              help         print this text, or that of a command

            "loomstream COMMAND -h" lists the flags of a command.
            """;

    private Main() {}

    public static void main(String[] args) {
        System.exit(run(args, System.out, System.err));
    }

    /** Runs one command line; returns the exit code: 0 for success, others are in {@link ExitCode}. */
    static int run(String[] args, PrintStream out, PrintStream err) {
        List<String> words = Arrays.asList(args);
        String name = words.isEmpty() || words.get(0).startsWith("-") ? "" : words.get(0);
        if (name.isEmpty()) {
            boolean wanted = words.contains("-h") || words.contains("-help") || words.contains("--help");
            (wanted ? out : err).print(USAGE);
            return wanted ? 0 : 1;
        }
        List<String> rest = words.subList(1, words.size());
        if (name.equals("help")) {
            if (rest.isEmpty()) {
                out.print(USAGE);
                return 0;
            }
            name = rest.get(0);
            rest = List.of("-help");
        }
        if (name.equals("wal")) {
            err.println("Warning: 'wal' command is deprecated, please use 'ltx' instead");
            name = "ltx";
        }
        Command command = command(name);
        if (command == null) {
            err.println("loomstream " + name + ": unknown command");
            return 1;
        }
        return run(command, rest, out, err);
    }

    /** Loads the class of the one command that runs. */
    private static @Nullable Command command(String name) {
        return switch (name) {
            case "replicate" -> new ReplicateCommand();
            case "restore" -> new RestoreCommand();
            case "verify" -> new VerifyCommand();
            case "databases" -> new DatabasesCommand();
            case "ltx" -> new LtxCommand();
            case "snapshot" -> UpkeepCommand.snapshot();
            case "compact" -> UpkeepCommand.compact();
            case "top" -> new TopCommand();
            case "version" -> new VersionCommand();
            default -> null;
        };
    }

    private static int run(Command command, List<String> words, PrintStream out, PrintStream err) {
        Flags flags = command.flags();
        try {
            Flags.Parsed parsed = flags.parse(words);
            if (parsed.helpWanted()) {
                out.print(flags.usage());
                return 0;
            }
            return command.run(parsed, out, err);
        } catch (UsageException e) {
            err.println("Error: " + e.getMessage());
            if (e.example().isEmpty()) {
                err.println();
                err.print(flags.usage());
            } else {
                err.println("Try: " + e.example());
            }
        } catch (IOException | UncheckedIOException | EngineException e) {
            err.println("Error: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            err.println("Error: interrupted");
        }
        return 1;
    }
}
