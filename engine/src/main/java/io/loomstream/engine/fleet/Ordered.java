package io.loomstream.engine.fleet;

/** What came of something that a person asked to be done with a database. */
public sealed interface Ordered {
    /** In words, for people. */
    String text();

    /** It is done, or begun. */
    record Done(String text) implements Ordered {}

    /** It cannot be done as things are; nothing has changed. */
    record Refused(String text) implements Ordered {}
}
