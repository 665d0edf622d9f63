package io.loomstream.app.config;

import java.io.IOException;

/** The configuration cannot be used; the message names what, and where in the file where that is known. */
public final class ConfigException extends IOException {
    private static final long serialVersionUID = 1L;

    public ConfigException(String message) {
        super(message);
    }
}
