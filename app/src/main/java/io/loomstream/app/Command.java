package io.loomstream.app;

import java.io.IOException;
import java.io.PrintStream;

/** One command of the program. A class of its own for each, so that a command loads no other's classes. */
interface Command {
    Flags flags();

    /**
     * Runs the command.
     *
     * @param out for results only, which scripts read
     * @param err for messages
     * @return the exit code
     * @throws UsageException when the arguments are too many, too few or make no sense together
     * @throws IOException when the command failed for a reason that its message says
     */
    int run(Flags.Parsed words, PrintStream out, PrintStream err)
            throws UsageException, IOException, InterruptedException;
}
