package io.loomstream.engine.replica.s3;

import io.loomstream.engine.concurrent.DurationHistogram;
import io.loomstream.engine.concurrent.Gate;
import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.ReplicaTree;
import io.loomstream.engine.replica.RootStore;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.services.s3.model.HeadBucketRequest;

/**
 * All of a process's S3: one client for each distinct connection and credentials, whatever the number of replicas, and one
 * gate for all requests. Made with the first S3 replica and closed when the last request has ended. Thread-safe.
 */
public final class S3Endpoints implements AutoCloseable {
    /** Every region's endpoint knows where a bucket is; without any hint this one is asked. */
    private static final String REGION_ASKED_FIRST = "us-east-1";

    private static final String BUCKET_REGION = "x-amz-bucket-region";

    private final S3Owner owner;
    private final S3Endpoint.Shared shared;
    private final String probeName;
    private final ReentrantLock lock = new ReentrantLock();
    // Guarded by lock.
    private final Map<EndpointKey, S3Endpoint> endpoints = new HashMap<>();
    private final Map<BucketKey, S3Bucket> buckets = new ConcurrentHashMap<>();

    /** What one client is good for. */
    private record EndpointKey(S3Connection connection, String region, S3Credentials credentials) {}

    /** What one bucket's discoveries are good for. Encryption: some stores take the probe only with it. */
    private record BucketKey(
            S3Connection connection, S3Credentials credentials, String bucket, S3Encryption encryption) {}

    /**
     * No request is sent yet.
     *
     * @param gate every request takes one of its permits while bytes move
     * @param random for pauses, and for the name of the probe object
     */
    public S3Endpoints(Gate gate, S3Owner owner, Time time, RandomGenerator random, S3Timing timing) {
        this.owner = owner;
        this.shared = new S3Endpoint.Shared(gate, new S3Counters(), time, random, timing);
        this.probeName = "probe-" + Long.toHexString(random.nextLong()) + Long.toHexString(random.nextLong());
    }

    /** A client of one replica. Sends nothing yet; the bucket is first asked when the replica is used. */
    public ReplicaClient replica(S3Settings settings) {
        return new S3ReplicaClient(settings, bucket(settings), probeName);
    }

    /** The server's own files below the location of these settings. Sends nothing yet. */
    public RootStore root(S3Settings settings) {
        return new S3RootStore(settings, bucket(settings), probeName);
    }

    /** All replicas below the location of these settings. Sends nothing yet. */
    public ReplicaTree tree(S3Settings settings) {
        return new S3ReplicaTree(settings, bucket(settings), probeName);
    }

    private S3Bucket bucket(S3Settings settings) {
        BucketKey key = new BucketKey(
                settings.connection(),
                settings.credentials(),
                settings.location().bucket(),
                settings.encryption());
        return buckets.computeIfAbsent(
                key,
                unknown -> new S3Bucket(
                        unknown.bucket(),
                        owner,
                        new Encryption(unknown.encryption()),
                        name -> find(settings.connection(), settings.credentials(), name)));
    }

    private S3Endpoint find(S3Connection connection, S3Credentials credentials, String bucket)
            throws S3Failure, InterruptedException {
        String region = connection.region().orElse(REGION_ASKED_FIRST);
        S3Endpoint endpoint = endpoint(connection, region, credentials);
        boolean known =
                connection.region().isPresent() || connection.endpoint().isPresent() || bucket.startsWith("arn:");
        return known ? endpoint : endpoint(connection, regionOf(bucket, endpoint), credentials);
    }

    /** The answer names the region, be it yes, "elsewhere" or "you may not know". */
    static String regionOf(String bucket, S3Endpoint asked) throws S3Failure, InterruptedException {
        try {
            String region = asked.call(
                            S3Operation.HEAD_BUCKET,
                            0,
                            (client, progress) -> client.headBucket(
                                    HeadBucketRequest.builder().bucket(bucket).build()))
                    .bucketRegion();
            return region == null ? REGION_ASKED_FIRST : region;
        } catch (S3Failure failure) {
            return regionIn(failure).orElseThrow(() -> failure);
        }
    }

    private static Optional<String> regionIn(S3Failure failure) {
        return failure.getCause() instanceof AwsServiceException answer && answer.awsErrorDetails() != null
                ? Optional.ofNullable(answer.awsErrorDetails().sdkHttpResponse())
                        .flatMap(response -> response.firstMatchingHeader(BUCKET_REGION))
                : Optional.empty();
    }

    S3Endpoint endpoint(S3Connection connection, String region, S3Credentials credentials) {
        lock.lock();
        try {
            return endpoints.computeIfAbsent(
                    new EndpointKey(connection, region, credentials),
                    key -> new S3Endpoint(
                            connection.endpoint().map(Object::toString).orElse(region),
                            SdkClients.create(
                                    connection,
                                    region,
                                    credentials,
                                    shared.timing(),
                                    shared.gate().permits()),
                            shared));
        } finally {
            lock.unlock();
        }
    }

    /** What all requests of the process came to. */
    public S3Counters.Snapshot counters() {
        return shared.counters().snapshot();
    }

    /** How long requests of one kind took. */
    public DurationHistogram.Snapshot seconds(S3Operation operation) {
        return shared.counters().seconds(operation);
    }

    /** All requests of the process take one of its permits. */
    public Gate gate() {
        return shared.gate();
    }

    /** Every endpoint that was used, by name. */
    public List<S3EndpointState> states() {
        lock.lock();
        try {
            List<S3EndpointState> states = new ArrayList<>();
            endpoints.values().forEach(endpoint -> states.add(endpoint.state()));
            states.sort(Comparator.comparing(S3EndpointState::endpoint));
            return List.copyOf(states);
        } finally {
            lock.unlock();
        }
    }

    /** Closes connections; requests under way fail. */
    @Override
    public void close() {
        lock.lock();
        try {
            endpoints.values().forEach(S3Endpoint::close);
            endpoints.clear();
        } finally {
            lock.unlock();
        }
    }
}
