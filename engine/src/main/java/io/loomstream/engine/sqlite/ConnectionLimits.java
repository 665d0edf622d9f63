package io.loomstream.engine.sqlite;

import java.time.Duration;

/**
 * How many connections to replicated databases there may be.
 *
 * @param connectionsMax open at once, idle ones included; at least 1
 * @param idleTimeout after which an idle one is closed; zero: none is kept after its use
 */
public record ConnectionLimits(int connectionsMax, Duration idleTimeout) {
    public ConnectionLimits {
        if (connectionsMax < 1) {
            throw new IllegalArgumentException("max connections must be at least 1 (got " + connectionsMax + ")");
        }
        if (idleTimeout.isNegative()) {
            throw new IllegalArgumentException("connection idle timeout must be >= 0 (got " + idleTimeout + ")");
        }
    }

    public static ConnectionLimits defaults() {
        return new ConnectionLimits(1000, Duration.ofSeconds(5));
    }

    /** For those who open few: each is closed after its use. */
    static ConnectionLimits keepingNone() {
        return new ConnectionLimits(1000, Duration.ZERO);
    }
}
