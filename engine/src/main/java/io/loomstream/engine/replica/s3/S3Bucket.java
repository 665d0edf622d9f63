package io.loomstream.engine.replica.s3;

import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.model.DeleteObjectRequest;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;

/**
 * A bucket as all its replicas share it: its endpoint, which for AWS depends on the bucket's region, and whether its store
 * honours If-None-Match. Both are found out with the first use, once for the process. Thread-safe.
 */
final class S3Bucket {
    private static final Logger log = LoggerFactory.getLogger(S3Bucket.class);

    private final String name;
    private final S3Owner owner;
    private final EndpointLookup lookup;
    private final Encryption encryption;
    private final ReentrantLock lock = new ReentrantLock();
    private volatile @Nullable S3Endpoint endpoint;
    private volatile @Nullable Boolean conditional;

    /** Finds the endpoint of a bucket; may ask the store. */
    @FunctionalInterface
    interface EndpointLookup {
        S3Endpoint find(String bucket) throws S3Failure, InterruptedException;
    }

    S3Bucket(String name, S3Owner owner, Encryption encryption, EndpointLookup lookup) {
        this.name = name;
        this.owner = owner;
        this.encryption = encryption;
        this.lookup = lookup;
    }

    String name() {
        return name;
    }

    S3Owner owner() {
        return owner;
    }

    S3Endpoint endpoint() throws S3Failure, InterruptedException {
        S3Endpoint known = endpoint;
        if (known != null) {
            return known;
        }
        lock.lockInterruptibly();
        try {
            known = endpoint;
            if (known == null) {
                known = lookup.find(name);
                endpoint = known;
            }
            return known;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Whether the store refuses to replace an object when told {@code If-None-Match: *}: found out by telling it.
     *
     * @param probeKey an object that is written and removed again; nobody else may use the name
     */
    boolean honoursConditions(String probeKey) throws S3Failure, InterruptedException {
        Boolean known = conditional;
        if (known != null) {
            return known;
        }
        S3Endpoint store = endpoint();
        lock.lockInterruptibly();
        try {
            known = conditional;
            if (known == null) {
                known = probe(store, probeKey);
                conditional = known;
                if (!known) {
                    log.atWarn()
                            .addKeyValue("bucket", name)
                            .log("the store ignores If-None-Match: a second writer is found by a request more for each"
                                    + " file, and not when both write at the same moment");
                }
            }
            return known;
        } finally {
            lock.unlock();
        }
    }

    private boolean probe(S3Endpoint store, String key) throws S3Failure, InterruptedException {
        try {
            put(store, key);
            put(store, key);
            return false;
        } catch (S3Failure failure) {
            if (failure.kind() == S3Failure.Kind.PRECONDITION) {
                return true;
            }
            if (failure.code().equals("NotImplemented") || failure.code().equals("InvalidArgument")) {
                return false;
            }
            throw failure;
        } finally {
            remove(store, key);
        }
    }

    private void put(S3Endpoint store, String key) throws S3Failure, InterruptedException {
        PutObjectRequest.Builder request =
                PutObjectRequest.builder().bucket(name).key(key).ifNoneMatch("*");
        encryption.apply(request);
        store.call(S3Operation.PUT, 0, (client, progress) -> client.putObject(request.build(), RequestBody.empty()));
    }

    private void remove(S3Endpoint store, String key) throws InterruptedException {
        try {
            store.call(
                    S3Operation.DELETE,
                    0,
                    (client, progress) -> client.deleteObject(
                            DeleteObjectRequest.builder().bucket(name).key(key).build()));
        } catch (S3Failure mayNotDelete) {
            log.debug("{}/{} stays: {}", name, key, mayNotDelete.getMessage());
        }
    }
}
