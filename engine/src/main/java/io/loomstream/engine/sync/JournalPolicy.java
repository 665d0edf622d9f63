package io.loomstream.engine.sync;

/** What happens to a database that is not in WAL mode. */
public enum JournalPolicy {
    /** It is converted, once. */
    WAL,
    /** It is refused. */
    REQUIRE,
    /** It is reported and left alone. */
    OBSERVE
}
