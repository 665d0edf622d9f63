package io.loomstream.engine.replica.s3;

import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.replica.RootStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.model.CommonPrefix;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Request;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;

/**
 * The server's own files in a bucket: {@code <path>/_loomstream/<name>}, their ETags as versions. A write is on condition
 * that the object is the one that was read, where the store honours conditions; where it does not, the object is read again
 * just before. A condition that fails is no proof of somebody else: the answer to an earlier attempt of ours may have been
 * lost. So what is there is compared with what was to be written.
 *
 * <p>No storage class is asked for: these files are read at once, which those for archives do not allow.
 */
final class S3RootStore implements RootStore {
    private final S3Settings settings;
    private final S3Bucket bucket;
    private final S3Keys keys;
    private final Encryption encryption;
    private final String probeKey;

    S3RootStore(S3Settings settings, S3Bucket bucket, String probeName) {
        this.settings = settings;
        this.bucket = bucket;
        this.keys = new S3Keys(settings.location());
        this.encryption = new Encryption(settings.encryption());
        this.probeKey = keys.own(probeName);
    }

    @Override
    public String describe() {
        return settings.location() + "/" + DIRECTORY;
    }

    private String key(String name) {
        return keys.own(RootStore.requireInside(name));
    }

    private String uri(String name) {
        return describe() + "/" + name;
    }

    /** Work that ends in the endpoint's failures. */
    @FunctionalInterface
    private interface Work<T> {
        T run() throws S3Failure, IOException, InterruptedException;
    }

    private static <T> T translated(String what, Work<T> work) {
        try {
            return work.run();
        } catch (S3Failure failure) {
            throw failure.toEngine(what);
        } catch (IOException e) {
            throw new TransientStorageException(what + ": " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TransientStorageException(what + ": interrupted", e);
        }
    }

    @Override
    public Optional<Stored> read(String name) {
        return translated("cannot read " + uri(name), () -> fetch(name));
    }

    private Optional<Stored> fetch(String name) throws S3Failure, IOException, InterruptedException {
        GetObjectRequest.Builder request =
                GetObjectRequest.builder().bucket(bucket.name()).key(key(name));
        encryption.apply(request);
        try (S3Body body = S3Body.open(bucket.endpoint(), request.build(), uri(name))) {
            byte[] bytes = body.readAllBytes();
            return Optional.of(new Stored(bytes, body.etag().orElse("")));
        } catch (S3Failure failure) {
            if (failure.kind() == S3Failure.Kind.MISSING) {
                return Optional.empty();
            }
            throw failure;
        }
    }

    @Override
    public List<String> directories() {
        return translated("cannot list " + describe(), () -> {
            String prefix = keys.own("");
            List<String> names = new ArrayList<>();
            @Nullable String token = null;
            do {
                ListObjectsV2Request request = ListObjectsV2Request.builder()
                        .bucket(bucket.name())
                        .prefix(prefix)
                        .delimiter("/")
                        .continuationToken(token)
                        .build();
                ListObjectsV2Response page = bucket.endpoint()
                        .call(S3Operation.LIST, 0, (client, progress) -> client.listObjectsV2(request));
                for (CommonPrefix found : page.commonPrefixes()) {
                    String key = found.prefix();
                    names.add(key.substring(prefix.length(), key.length() - 1));
                }
                token = Boolean.TRUE.equals(page.isTruncated()) ? page.nextContinuationToken() : null;
            } while (token != null);
            names.sort(Comparator.naturalOrder());
            return List.copyOf(names);
        });
    }

    @Override
    public String write(String name, byte[] bytes, Optional<String> expected) {
        return translated("cannot write " + uri(name), () -> {
            boolean conditional = bucket.honoursConditions(probeKey);
            if (!conditional) {
                Optional<Stored> found = fetch(name);
                if (!found.map(Stored::version).equals(expected)) {
                    return confirmOurs(name, bytes, found);
                }
            }
            try {
                return put(name, bytes, conditional, expected);
            } catch (S3Failure failure) {
                // Missing: the condition names a version, and there is no object any more.
                if (failure.kind() == S3Failure.Kind.PRECONDITION || failure.kind() == S3Failure.Kind.MISSING) {
                    return confirmOurs(name, bytes, fetch(name));
                }
                throw failure;
            }
        });
    }

    private String put(String name, byte[] bytes, boolean conditional, Optional<String> expected)
            throws S3Failure, InterruptedException {
        PutObjectRequest.Builder request =
                PutObjectRequest.builder().bucket(bucket.name()).key(key(name));
        if (conditional && expected.isPresent()) {
            request.ifMatch(expected.get());
        } else if (conditional) {
            request.ifNoneMatch("*");
        }
        encryption.apply(request);
        String etag = bucket.endpoint()
                .call(
                        S3Operation.PUT,
                        bytes.length,
                        (client, progress) -> client.putObject(request.build(), RequestBody.fromBytes(bytes)))
                .eTag();
        return etag == null ? "" : etag;
    }

    private String confirmOurs(String name, byte[] bytes, Optional<Stored> found) {
        if (found.isPresent() && Arrays.equals(found.get().bytes(), bytes)) {
            return found.get().version();
        }
        throw new ConflictException(uri(name) + (found.isEmpty() ? " was removed" : " was changed")
                + " by somebody else since it was read");
    }
}
