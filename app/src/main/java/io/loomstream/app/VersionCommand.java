package io.loomstream.app;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Prints the version; with {@code -verbose} also the Java that runs it and the machine. */
@Command(name = "version", description = "Prints the version.")
final class VersionCommand implements Callable<Integer> {
    @Option(
            names = {"-verbose", "--verbose"},
            description = "Also print the Java version and the platform.")
    private boolean verbose;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private CommandSpec spec;

    @Override
    public Integer call() {
        var out = spec.commandLine().getOut();
        String version = version();
        if (verbose) {
            out.printf("%-14s%s%n", "Version:", version);
            out.printf("%-14s%s%n", "Java Version:", Runtime.version());
            out.printf("%-14s%s/%s%n", "OS/Arch:", System.getProperty("os.name"), System.getProperty("os.arch"));
        } else {
            out.println(version);
        }
        return 0;
    }

    /** The version in the jar's manifest; {@code development} when the classes do not come from a jar. */
    private static String version() {
        String version = VersionCommand.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }
}
