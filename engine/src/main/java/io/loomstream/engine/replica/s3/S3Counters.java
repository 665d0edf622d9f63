package io.loomstream.engine.replica.s3;

import io.loomstream.engine.concurrent.DurationHistogram;
import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/** What the process has asked of S3: every request, retries included. Thread-safe. */
public final class S3Counters {
    /** Stores invent error codes; past this many kinds the rest count as one. */
    private static final int CODES_MAX = 64;

    private final Map<S3Operation, Adders> operations = new EnumMap<>(S3Operation.class);
    private final Map<String, LongAdder> errors = new ConcurrentHashMap<>();

    /** All counters at zero. */
    public S3Counters() {
        for (S3Operation operation : S3Operation.values()) {
            operations.put(operation, new Adders());
        }
    }

    /**
     * One operation's sums.
     *
     * @param requests sent, whatever came of them
     * @param failures those of them that failed
     * @param bytesSent body bytes of requests that succeeded
     * @param bytesReceived body bytes of files that were read
     * @param nanos from sending to the answer's head, or to the end of the first 256 KiB of its body
     */
    public record Count(long requests, long failures, long bytesSent, long bytesReceived, long nanos) {}

    /**
     * The counters at one moment.
     *
     * @param errors requests that failed, by the store's error code or, where no answer came, the exception's name
     */
    public record Snapshot(Map<S3Operation, Count> operations, Map<String, Long> errors) {
        public Snapshot {
            operations = Map.copyOf(operations);
            errors = Map.copyOf(errors);
        }

        /** Requests of all kinds. */
        public long requests() {
            return operations.values().stream().mapToLong(Count::requests).sum();
        }

        /** Requests of one kind. */
        public long requests(S3Operation operation) {
            Count count = operations.get(operation);
            return count == null ? 0 : count.requests();
        }
    }

    /** How long requests of one kind took, those included that failed. */
    public DurationHistogram.Snapshot seconds(S3Operation operation) {
        return of(operation).seconds.snapshot();
    }

    /** The sums now; not one instant's, requests go on meanwhile. */
    public Snapshot snapshot() {
        Map<S3Operation, Count> counts = new EnumMap<>(S3Operation.class);
        operations.forEach((operation, adders) -> counts.put(operation, adders.count()));
        Map<String, Long> codes = new TreeMap<>();
        errors.forEach((code, adder) -> codes.put(code, adder.sum()));
        return new Snapshot(counts, codes);
    }

    void succeeded(S3Operation operation, long nanos, long bytesSent) {
        Adders adders = of(operation);
        adders.requests.increment();
        adders.took(nanos);
        adders.bytesSent.add(bytesSent);
    }

    void failed(S3Operation operation, long nanos, String code) {
        Adders adders = of(operation);
        adders.requests.increment();
        adders.failures.increment();
        adders.took(nanos);
        String counted = errors.size() < CODES_MAX || errors.containsKey(code) ? code : "other";
        errors.computeIfAbsent(counted, name -> new LongAdder()).increment();
    }

    void received(long bytes) {
        of(S3Operation.GET).bytesReceived.add(bytes);
    }

    private Adders of(S3Operation operation) {
        Adders adders = operations.get(operation);
        if (adders == null) {
            throw new IllegalStateException("every operation has counters, but not " + operation);
        }
        return adders;
    }

    private static final class Adders {
        private final LongAdder requests = new LongAdder();
        private final LongAdder failures = new LongAdder();
        private final LongAdder bytesSent = new LongAdder();
        private final LongAdder bytesReceived = new LongAdder();
        private final LongAdder nanos = new LongAdder();

        private final DurationHistogram seconds = new DurationHistogram();

        private void took(long duration) {
            nanos.add(duration);
            seconds.record(duration);
        }

        private Count count() {
            return new Count(requests.sum(), failures.sum(), bytesSent.sum(), bytesReceived.sum(), nanos.sum());
        }
    }
}
