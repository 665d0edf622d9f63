package io.loomstream.app;

/** The words of a command line make no sense; the message says which, the usage text or an example goes with it. */
final class UsageException extends Exception {
    private static final long serialVersionUID = 1L;

    private final String example;

    UsageException(String message) {
        this(message, "");
    }

    /**
     * An error with the cure.
     *
     * @param example a command line that would have been right; shown in place of the usage text
     */
    UsageException(String message, String example) {
        super(message);
        this.example = example;
    }

    String example() {
        return example;
    }
}
