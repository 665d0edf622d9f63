package io.loomstream.engine.error;

import org.jspecify.annotations.Nullable;

/** Somebody else owns what we were about to write: a second writer, a moved position, a held lock. */
public final class ConflictException extends EngineException {
    private static final long serialVersionUID = 1L;

    private final boolean withAnotherServer;

    public ConflictException(String message) {
        this(message, null, false);
    }

    public ConflictException(String message, @Nullable Throwable cause) {
        this(message, cause, false);
    }

    private ConflictException(String message, @Nullable Throwable cause, boolean withAnotherServer) {
        super(message, cause);
        this.withAnotherServer = withAnotherServer;
    }

    /** The owner is known: another server, which may be at work at this moment. */
    public static ConflictException withAnotherServer(String message) {
        return new ConflictException(message, null, true);
    }

    /** Whether the owner is known to be another server, and no earlier run of this one. */
    public boolean withAnotherServer() {
        return withAnotherServer;
    }

    @Override
    public boolean retryable() {
        return false;
    }
}
