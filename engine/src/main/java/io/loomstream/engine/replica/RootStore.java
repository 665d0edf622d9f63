package io.loomstream.engine.replica;

import java.util.List;
import java.util.Optional;

/**
 * Small files of the server's own under the root that its replicas share: who replicates here, which databases are hot.
 * Names are relative paths below {@code _loomstream/}. Implementations are thread-safe; every call blocks.
 *
 * <p>Errors: {@link io.loomstream.engine.error.TransientStorageException} when trying again can help.
 */
public interface RootStore {
    /** The directory, or key prefix, of everything that is not a replica. */
    String DIRECTORY = "_loomstream";

    /** Where this root is, for people; never contains a credential. */
    String describe();

    /** A file as it was read. */
    final class Stored {
        private final byte[] bytes;
        private final String version;

        /**
         * A file as it was read.
         *
         * @param bytes not copied: neither side changes them
         * @param version changes with the bytes: an ETag, or whatever the store has
         */
        public Stored(byte[] bytes, String version) {
            this.bytes = bytes;
            this.version = version;
        }

        public byte[] bytes() {
            return bytes;
        }

        public String version() {
            return version;
        }
    }

    /** Empty when there is no such file. */
    Optional<Stored> read(String name);

    /** The directories directly below, which are the instances that wrote here, in order of their names. */
    List<String> directories();

    /**
     * Replaces a file, or makes it.
     *
     * @param expected the version that was read; empty: there was none
     * @return the new version
     * @throws io.loomstream.engine.error.ConflictException when the file is another one by now, where the store can tell
     */
    String write(String name, byte[] bytes, Optional<String> expected);

    /**
     * A name that cannot lead outside the root.
     *
     * @throws IllegalArgumentException when it is absolute or has an empty, "." or ".." segment or a NUL
     */
    static String requireInside(String name) {
        for (String segment : name.split("/", -1)) {
            if (segment.isEmpty() || segment.equals(".") || segment.equals("..") || segment.indexOf('\0') >= 0) {
                throw new IllegalArgumentException("\"" + name + "\" is no name of a file below " + DIRECTORY);
            }
        }
        return name;
    }
}
