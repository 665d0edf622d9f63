package io.loomstream.engine.fleet;

/**
 * What one pass of the scanner did.
 *
 * @param pass counts from 1
 * @param full every directory was listed and every settled database looked at
 * @param tasks how many threads it was split over
 * @param databases rows after the pass, the GONE ones included
 * @param work what was asked of the file system
 * @param events what was told to the listener
 * @param wallNanos duration
 * @param cpuNanos CPU time of all its threads; 0 where the system does not say
 */
public record PassReport(
        long pass, boolean full, int tasks, int databases, Work work, Events events, long wallNanos, long cpuNanos) {
    /** Counts of system calls. */
    public record Work(long directoriesStated, long directoriesListed, long filesStated) {
        Work plus(Work other) {
            return new Work(
                    directoriesStated + other.directoriesStated,
                    directoriesListed + other.directoriesListed,
                    filesStated + other.filesStated);
        }
    }

    /** Counts of calls of the listener. {@code listenerFailures} are calls that it answered with an exception. */
    public record Events(
            long appeared, long written, long gone, long unknown, long refused, long missing, long listenerFailures) {}
}
