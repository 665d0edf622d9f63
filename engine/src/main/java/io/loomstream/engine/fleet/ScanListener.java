package io.loomstream.engine.fleet;

/**
 * Is told what the scanner sees. Called from the pass's threads, two at once at times, while no lock is held; the pass waits
 * meanwhile, so anything long is queued. A call may be repeated; what it says is in the path table already, so that an
 * exception, which is logged, loses nothing: the row waits in its tier.
 */
public interface ScanListener {
    /** A database was found, or one that was GONE is back; it is DISCOVERED. */
    void appeared(int row);

    /**
     * A settled database's files are not as they were: it is COLD_DIRTY, or DISCOVERED when it was IGNORED.
     *
     * @param replaced it is another file than before
     */
    void written(int row, boolean replaced);

    /** A database's file does not exist any more; it is GONE, and stays in the table until it is removed there. */
    void gone(int row);

    /** A database could not be looked at; nothing is concluded, and the next pass tries again. */
    void unknown(int row, String why);

    /**
     * A directory, or something new in one, could not be looked at; nothing is concluded about what is in it, and the next pass
     * tries again.
     */
    void unreadable(byte[] path, String why);

    /**
     * Something that matches is not served. Told again with every listing of its directory.
     *
     * @param row the database that stands in its way, or {@link PathTable#NONE}
     */
    void refused(byte[] path, Refusal why, int row);

    /**
     * So many databases vanished at once that it is an incident and not a deletion: they stay as they are until their files
     * are back or {@link Scanner#acceptVanished} says otherwise. Told after every pass in that state.
     */
    void incident(int missing, int known);

    /** A pass has ended. */
    void finished(PassReport report);

    /** Why something that matches is not served. */
    enum Refusal {
        /** SQLite would keep the side files beside the link's target, where nobody looks: name the real path instead. */
        SYMBOLIC_LINK,
        /** The same file, hard-linked or mounted twice: two paths with one WAL would destroy it. */
        SAME_FILE,
        /** A directory that is served under another path. */
        SAME_DIRECTORY,
        /** A pipe, socket or device. */
        NOT_A_FILE,
        /** A path that is longer than the system takes. */
        PATH_TOO_LONG
    }
}
