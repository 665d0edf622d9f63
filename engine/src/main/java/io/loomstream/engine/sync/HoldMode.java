package io.loomstream.engine.sync;

/** How the WAL of a hot database is kept from being reset before it is copied. */
public enum HoldMode {
    /** Open-file-description locks where the system has them, else a connection. */
    AUTO,
    /** Open-file-description locks only; a system without them is an error. */
    OFD,
    /** A read-only SQLite connection that stays open. */
    CONNECTION,
    /** No hold between copies: each copy takes it and releases it again. */
    NONE
}
