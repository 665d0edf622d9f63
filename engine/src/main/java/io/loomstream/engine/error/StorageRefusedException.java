package io.loomstream.engine.error;

import org.jspecify.annotations.Nullable;

/** The store will not do it for us: a wrong key, a missing right, no such bucket. Somebody must change something. */
public final class StorageRefusedException extends EngineException {
    private static final long serialVersionUID = 1L;

    public StorageRefusedException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    @Override
    public boolean retryable() {
        return false;
    }
}
