package io.loomstream.engine.replica.s3;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.services.s3.model.Delete;
import software.amazon.awssdk.services.s3.model.DeleteObjectsRequest;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;
import software.amazon.awssdk.services.s3.model.S3Error;

/** Deletes keys, a thousand with one request. What could not be deleted for a passing reason is tried again. Thread-safe. */
final class S3Deleter {
    private static final Logger log = LoggerFactory.getLogger(S3Deleter.class);

    /** S3's limit. */
    private static final int BATCH_KEYS = 1000;

    private static final int NAMED_IN_MESSAGE = 5;
    private static final Set<String> PASSING =
            Set.of("InternalError", "SlowDown", "ServiceUnavailable", "RequestTimeout", "OperationAborted");

    private final S3Bucket bucket;
    private final boolean contentMd5;

    S3Deleter(S3Bucket bucket, boolean contentMd5) {
        this.bucket = bucket;
        this.contentMd5 = contentMd5;
    }

    void delete(List<String> keys) throws S3Failure, InterruptedException {
        for (int from = 0; from < keys.size(); from += BATCH_KEYS) {
            batch(keys.subList(from, Math.min(keys.size(), from + BATCH_KEYS)));
        }
    }

    private void batch(List<String> keys) throws S3Failure, InterruptedException {
        List<String> left = new ArrayList<>(keys);
        bucket.endpoint().call(S3Operation.DELETE, 0, (client, progress) -> {
            List<S3Error> errors = client.deleteObjects(request(left)).errors().stream()
                    .filter(error -> !"NoSuchKey".equals(error.code()))
                    .toList();
            if (errors.isEmpty()) {
                return true;
            }
            left.retainAll(errors.stream().map(S3Error::key).toList());
            throw failure(errors);
        });
    }

    private DeleteObjectsRequest request(List<String> keys) {
        ExecutionAttributes attributes = new ExecutionAttributes();
        attributes.putAttribute(SdkClients.CONTENT_MD5, contentMd5);
        return DeleteObjectsRequest.builder()
                .bucket(bucket.name())
                .delete(Delete.builder()
                        .objects(keys.stream()
                                .map(key -> ObjectIdentifier.builder().key(key).build())
                                .toList())
                        .build())
                .overrideConfiguration(override -> override.executionAttributes(attributes))
                .build();
    }

    /** One refusal among them and trying again is useless. */
    private S3Failure failure(List<S3Error> errors) {
        Optional<S3Error> refused =
                errors.stream().filter(error -> !PASSING.contains(error.code())).findFirst();
        StringBuilder message = new StringBuilder(errors.size() + " of the keys were not deleted");
        for (S3Error error : errors.subList(0, Math.min(NAMED_IN_MESSAGE, errors.size()))) {
            message.append("; ").append(error.key()).append(": ").append(error.code());
            if (error.message() != null) {
                message.append(' ').append(error.message());
            }
        }
        log.atDebug().addKeyValue("bucket", bucket.name()).log(message.toString());
        String code = refused.orElse(errors.get(0)).code();
        return new S3Failure(
                refused.isPresent() ? S3Failure.Kind.REFUSED : S3Failure.Kind.TRANSIENT,
                code == null ? "DeleteError" : code,
                message.toString(),
                null);
    }
}
