package io.loomstream.admin.metrics;

import io.loomstream.engine.concurrent.DurationHistogram;
import io.loomstream.engine.replica.s3.S3Counters;
import io.loomstream.engine.replica.s3.S3EndpointState;
import io.loomstream.engine.replica.s3.S3Endpoints;
import io.loomstream.engine.replica.s3.S3Operation;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** The families of S3, loaded with the first S3 replica only. */
final class S3Metrics {
    private S3Metrics() {}

    static void collect(Families families, S3Endpoints endpoints) {
        S3Counters.Snapshot counters = endpoints.counters();
        perOperation(
                families,
                "loomstream_s3_requests",
                "S3 requests, repeated ones included",
                counters,
                S3Counters.Count::requests);
        perOperation(
                families,
                "loomstream_s3_request_failures",
                "S3 requests that failed",
                counters,
                S3Counters.Count::failures);
        families.counter(
                "loomstream_s3_sent_bytes", "Bytes of bodies that S3 took", sum(counters, S3Counters.Count::bytesSent));
        families.counter(
                "loomstream_s3_received_bytes",
                "Bytes of files read from S3",
                sum(counters, S3Counters.Count::bytesReceived));
        families.counter(
                "loomstream_s3_errors",
                "S3 requests that failed, by the store's error code or the exception's name",
                values -> counters.errors().forEach((code, count) -> values.add(count, "code", code)));
        Map<String, DurationHistogram.Snapshot> seconds = new LinkedHashMap<>();
        for (S3Operation operation : S3Operation.values()) {
            if (counters.requests(operation) > 0) {
                seconds.put(FleetMetrics.word(operation), endpoints.seconds(operation));
            }
        }
        families.histogram("loomstream_s3_seconds", "How long S3 requests took", "operation", seconds);
        families.gauge(
                "loomstream_circuit_open",
                "1 while an endpoint's circuit breaker lets nothing through",
                values -> endpoints
                        .states()
                        .forEach(state -> values.add(
                                state.breaker() == S3EndpointState.Breaker.CLOSED ? 0 : 1,
                                "endpoint",
                                state.endpoint())));
        families.gauge(
                "loomstream_s3_requests_allowed",
                "S3 requests that may run at once",
                values -> endpoints
                        .states()
                        .forEach(state -> values.add(state.requestsAllowed(), "endpoint", state.endpoint())));
    }

    /** Litestream's names for the same. */
    static void collectCompatible(Families families, S3Endpoints endpoints) {
        S3Counters.Snapshot counters = endpoints.counters();
        families.counter("litestream_replica_operation", "The number of replica operations performed", values -> {
            values.add(counters.requests(S3Operation.PUT), "replica_type", "s3", "operation", "PUT");
            values.add(counters.requests(S3Operation.DELETE), "replica_type", "s3", "operation", "DELETE");
        });
        families.untyped(
                "litestream_replica_operation_bytes",
                "The number of bytes used by replica operations",
                values -> values.add(
                        sum(counters, S3Counters.Count::bytesSent), "replica_type", "s3", "operation", "PUT"));
    }

    private static double sum(S3Counters.Snapshot counters, ToDoubleFunction<S3Counters.Count> what) {
        return counters.operations().values().stream().mapToDouble(what).sum();
    }

    private static void perOperation(
            Families families,
            String name,
            String help,
            S3Counters.Snapshot counters,
            ToDoubleFunction<S3Counters.Count> what) {
        families.counter(name, help, values -> {
            for (S3Operation operation : S3Operation.values()) {
                S3Counters.Count count = counters.operations().get(operation);
                values.add(count == null ? 0 : what.applyAsDouble(count), "operation", FleetMetrics.word(operation));
            }
        });
    }
}
