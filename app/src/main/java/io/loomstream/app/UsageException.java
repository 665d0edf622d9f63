package io.loomstream.app;

/** The words of a command line make no sense; the message says which, the usage text goes with it. */
final class UsageException extends Exception {
    private static final long serialVersionUID = 1L;

    UsageException(String message) {
        super(message);
    }
}
