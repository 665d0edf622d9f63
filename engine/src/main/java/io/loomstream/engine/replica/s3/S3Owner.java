package io.loomstream.engine.replica.s3;

import java.time.Instant;
import java.util.Optional;

/**
 * Who writes: put beside every file, so that a writer that finds somebody else's can say whose it is.
 *
 * @param instance the configured name of this server
 * @param pid its process
 */
public record S3Owner(String instance, String host, long pid) {
    /** As user metadata carries it: ASCII, since HTTP headers are. */
    String asMetadata() {
        return server() + pid;
    }

    /**
     * Whether the owner that an object names is this server, now or in a run that had ended before this process began: then
     * its last request may have arrived after its death. Everybody else is, or was since, at work: also a process that took
     * over while this one was paused, and has ended by now.
     *
     * @param metadata of the object, as {@link #asMetadata} makes it
     * @param capturedAt when the object's content was captured, by this host's clock if this host did it
     * @param began when this process began
     */
    boolean isOrWas(String metadata, Optional<Instant> capturedAt, Instant began) {
        if (!metadata.startsWith(server())) {
            return false;
        }
        String process = metadata.substring(server().length());
        try {
            long number = Long.parseLong(process);
            return number == pid
                    || (ProcessHandle.of(number).isEmpty()
                            && capturedAt.isPresent()
                            && capturedAt.get().isBefore(began));
        } catch (NumberFormatException other) {
            return false;
        }
    }

    private String server() {
        return ascii(instance) + "/" + ascii(host) + "/";
    }

    private static String ascii(String text) {
        return text.replaceAll("[^\\x21-\\x7e]", "?");
    }
}
