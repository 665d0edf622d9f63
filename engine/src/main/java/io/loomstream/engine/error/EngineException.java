package io.loomstream.engine.error;

import org.jspecify.annotations.Nullable;

/**
 * Root of every error the engine throws on purpose. The kind, not the text, decides what happens next: see
 * {@link #retryable()}.
 */
public abstract sealed class EngineException extends RuntimeException
        permits CorruptDataException,
                TransientStorageException,
                ConflictException,
                StorageRefusedException,
                UnsupportedDatabaseException,
                BrokenInvariantException {
    private static final long serialVersionUID = 1L;

    protected EngineException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /** Whether the same call can succeed later without anybody's help. */
    public abstract boolean retryable();
}
