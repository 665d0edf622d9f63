package io.loomstream.engine.error;

import org.jspecify.annotations.Nullable;

/** Somebody else owns what we were about to write: a second writer, a moved position, a held lock. */
public final class ConflictException extends EngineException {
    private static final long serialVersionUID = 1L;

    public ConflictException(String message) {
        super(message, null);
    }

    public ConflictException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    @Override
    public boolean retryable() {
        return false;
    }
}
