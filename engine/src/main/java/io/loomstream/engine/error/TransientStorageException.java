package io.loomstream.engine.error;

import org.jspecify.annotations.Nullable;

/** A disk or a store did not answer as it should; the same call may succeed later. */
public final class TransientStorageException extends EngineException {
    private static final long serialVersionUID = 1L;

    public TransientStorageException(String message) {
        super(message, null);
    }

    public TransientStorageException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    @Override
    public boolean retryable() {
        return true;
    }
}
