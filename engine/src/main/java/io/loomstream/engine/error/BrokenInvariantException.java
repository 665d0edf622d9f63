package io.loomstream.engine.error;

import org.jspecify.annotations.Nullable;

/** Something that cannot happen did: our bug. The database is quarantined, the others go on. */
public final class BrokenInvariantException extends EngineException {
    private static final long serialVersionUID = 1L;

    public BrokenInvariantException(String message) {
        super(message, null);
    }

    public BrokenInvariantException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    @Override
    public boolean retryable() {
        return false;
    }
}
