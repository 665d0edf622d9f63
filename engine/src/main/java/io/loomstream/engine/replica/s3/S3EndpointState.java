package io.loomstream.engine.replica.s3;

/**
 * How an endpoint does.
 *
 * @param endpoint its URL, or the AWS region
 * @param requestsAllowed how many requests may run at once; less than the gate's permits while the store throttles
 * @param requestsRunning how many do now
 */
public record S3EndpointState(String endpoint, Breaker breaker, int requestsAllowed, int requestsRunning) {
    /** What the circuit breaker does with requests. */
    public enum Breaker {
        /** Lets all through. */
        CLOSED,
        /** Lets none through for a while. */
        OPEN,
        /** Waits for the one request that finds out. */
        HALF_OPEN
    }
}
