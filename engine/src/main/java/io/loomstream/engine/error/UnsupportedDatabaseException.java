package io.loomstream.engine.error;

import org.jspecify.annotations.Nullable;

/** The file is not a database that can be replicated as it is: wrong format, wrong journal mode, locked exclusively. */
public final class UnsupportedDatabaseException extends EngineException {
    private static final long serialVersionUID = 1L;

    public UnsupportedDatabaseException(String message) {
        super(message, null);
    }

    public UnsupportedDatabaseException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    @Override
    public boolean retryable() {
        return false;
    }
}
