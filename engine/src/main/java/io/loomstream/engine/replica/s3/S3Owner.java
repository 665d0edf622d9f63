package io.loomstream.engine.replica.s3;

/**
 * Who writes: put beside every file, so that a writer that finds somebody else's can say whose it is.
 *
 * @param instance the configured name of this server
 * @param pid its process
 */
public record S3Owner(String instance, String host, long pid) {
    /** As user metadata carries it: ASCII, since HTTP headers are. */
    String asMetadata() {
        return ascii(instance) + "/" + ascii(host) + "/" + pid;
    }

    private static String ascii(String text) {
        return text.replaceAll("[^\\x21-\\x7e]", "?");
    }
}
