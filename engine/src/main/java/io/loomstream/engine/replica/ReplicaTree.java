package io.loomstream.engine.replica;

/**
 * All replicas below one place. A replica is wherever a level holds an LTX file. Thread-safe.
 *
 * <p>Errors: as in {@link ReplicaClient}.
 */
public interface ReplicaTree {
    /** Where it is, for people; never contains a credential. */
    String describe();

    /**
     * Finds every replica, in no particular order and each once, while memory stays flat however many there are. Blocks as
     * long as the visitor does.
     */
    void forEach(Visitor visitor) throws InterruptedException;

    /**
     * The client of one replica; nothing is asked yet.
     *
     * @param path below this place
     */
    ReplicaClient replica(String path);

    /** Is told what is found. */
    interface Visitor {
        /**
         * A replica.
         *
         * @param path below the place: segments with a slash in between, none of them empty, "." or ".."; empty for a replica
         *     that is the place itself
         */
        void found(String path, ReplicaClient replica) throws InterruptedException;

        /** A key that looks like a replica's and whose path is none that a file may have. */
        void refused(String key, String why);
    }

    /**
     * Why a path cannot be one below a directory; empty when it can. What an object store holds may have been named by
     * anybody.
     */
    static String problemOf(String path) {
        if (path.indexOf('\0') >= 0) {
            return "it holds a NUL";
        }
        for (String segment : path.split("/", -1)) {
            if (segment.isEmpty() || segment.equals(".") || segment.equals("..")) {
                return "it has a segment \"" + segment + "\"";
            }
        }
        return "";
    }
}
