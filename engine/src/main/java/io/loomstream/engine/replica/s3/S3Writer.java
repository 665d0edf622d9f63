package io.loomstream.engine.replica.s3;

import io.loomstream.engine.concurrent.TaskScope;
import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.replica.SourceFile;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.s3.model.AbortMultipartUploadRequest;
import software.amazon.awssdk.services.s3.model.ChecksumAlgorithm;
import software.amazon.awssdk.services.s3.model.CompleteMultipartUploadRequest;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.CreateMultipartUploadRequest;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.HeadObjectRequest;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.UploadPartRequest;

/**
 * Brings local files to a bucket, never over other bytes. An object that is there already, be it another writer's or our own
 * whose answer was lost, is read and compared byte by byte: equal is success, anything else a conflict that names the
 * owner. Thread-safe.
 */
final class S3Writer {
    /** Litestream's name: the LTX header's timestamp. */
    static final String TIMESTAMP = "litestream-timestamp";

    /** Unknown on some systems: then nobody's run has ended before. */
    private static final Instant BEGAN =
            ProcessHandle.current().info().startInstant().orElse(Instant.EPOCH);

    /** Ours: who wrote the object. */
    static final String OWNER = "loomstream-owner";

    private static final Logger log = LoggerFactory.getLogger(S3Writer.class);

    /** S3's limits. */
    private static final int PARTS_MAX = 10_000;

    private final S3Bucket bucket;
    private final S3Transfer transfer;
    private final Encryption encryption;
    private final String probeKey;
    private final boolean checksums;

    /** @param checksums AWS: each part carries a CRC32, which the upload must announce when it begins */
    S3Writer(S3Bucket bucket, S3Transfer transfer, Encryption encryption, String probeKey, boolean checksums) {
        this.checksums = checksums;
        this.bucket = bucket;
        this.transfer = transfer;
        this.encryption = encryption;
        this.probeKey = probeKey;
    }

    /** One file to bring. */
    private record Upload(S3Endpoint endpoint, String key, Path source, SourceFile header, boolean conditional) {}

    /** @throws ConflictException when the key has other bytes */
    void write(String key, Path source, SourceFile header) throws S3Failure, IOException, InterruptedException {
        S3Endpoint endpoint = bucket.endpoint();
        boolean conditional = bucket.honoursConditions(probeKey);
        if (!conditional && exists(endpoint, key)) {
            confirmSame(endpoint, key, source);
            return;
        }
        Upload upload = new Upload(endpoint, key, source, header, conditional);
        try {
            if (header.sizeBytes() <= transfer.partSizeBytes()) {
                put(upload);
            } else {
                putInParts(upload);
            }
        } catch (S3Failure failure) {
            if (failure.kind() != S3Failure.Kind.PRECONDITION) {
                throw failure;
            }
            confirmSame(endpoint, key, source);
        }
    }

    private boolean exists(S3Endpoint endpoint, String key) throws S3Failure, InterruptedException {
        HeadObjectRequest.Builder head =
                HeadObjectRequest.builder().bucket(bucket.name()).key(key);
        encryption.apply(head);
        try {
            endpoint.call(S3Operation.HEAD, 0, (client, progress) -> client.headObject(head.build()));
            return true;
        } catch (S3Failure failure) {
            if (failure.kind() == S3Failure.Kind.MISSING) {
                return false;
            }
            throw failure;
        }
    }

    private Map<String, String> metadata(SourceFile header) {
        return Map.of(
                TIMESTAMP, timestamp(header.createdAt()), OWNER, bucket.owner().asMetadata());
    }

    /** As Go's RFC 3339 with nanoseconds: no trailing zeros in the fraction. */
    static String timestamp(Instant at) {
        String text = at.toString();
        int dot = text.indexOf('.');
        return dot < 0
                ? text
                : text.substring(0, dot)
                        + text.substring(dot, text.length() - 1).replaceAll("0+$", "") + "Z";
    }

    private void put(Upload upload) throws S3Failure, InterruptedException {
        PutObjectRequest.Builder request = PutObjectRequest.builder()
                .bucket(bucket.name())
                .key(upload.key())
                .contentType(FileBody.CONTENT_TYPE)
                .metadata(metadata(upload.header()));
        if (upload.conditional()) {
            request.ifNoneMatch("*");
        }
        transfer.storageClass().ifPresent(request::storageClass);
        encryption.apply(request);
        long sizeBytes = upload.header().sizeBytes();
        upload.endpoint().call(S3Operation.PUT, sizeBytes, (client, progress) -> {
            // Opened anew by each attempt: interrupting one that stalled closes its channel.
            try (FileChannel file = FileChannel.open(upload.source(), StandardOpenOption.READ)) {
                return client.putObject(request.build(), FileBody.of(file, 0, sizeBytes, progress));
            }
        });
    }

    private void putInParts(Upload upload) throws S3Failure, InterruptedException {
        CreateMultipartUploadRequest.Builder create = CreateMultipartUploadRequest.builder()
                .bucket(bucket.name())
                .key(upload.key())
                .contentType(FileBody.CONTENT_TYPE)
                .metadata(metadata(upload.header()));
        transfer.storageClass().ifPresent(create::storageClass);
        if (checksums) {
            create.checksumAlgorithm(ChecksumAlgorithm.CRC32);
        }
        encryption.apply(create);
        String id = upload.endpoint()
                .call(
                        S3Operation.CREATE_MULTIPART,
                        0,
                        (client, progress) -> client.createMultipartUpload(create.build()))
                .uploadId();
        boolean complete = false;
        try {
            complete(upload, id, sendParts(upload, id));
            complete = true;
        } finally {
            if (!complete) {
                abort(upload, id);
            }
        }
    }

    /** Parts as large as configured, or as 10,000 of them must be. */
    static long partBytes(long sizeBytes, long configured) {
        return Math.max(configured, Math.ceilDiv(sizeBytes, (long) PARTS_MAX));
    }

    private List<CompletedPart> sendParts(Upload upload, String id) throws S3Failure, InterruptedException {
        long sizeBytes = upload.header().sizeBytes();
        long partBytes = partBytes(sizeBytes, transfer.partSizeBytes());
        int parts = (int) Math.ceilDiv(sizeBytes, partBytes);
        AtomicInteger next = new AtomicInteger(1);
        CompletedPart[] sent = new CompletedPart[parts];
        try (TaskScope scope = TaskScope.open("parts")) {
            for (int fork = 0; fork < Math.min(parts, transfer.concurrency()); fork++) {
                scope.fork(() -> {
                    for (int number = next.getAndIncrement(); number <= parts; number = next.getAndIncrement()) {
                        long offset = (number - 1) * partBytes;
                        long bytes = Math.min(partBytes, sizeBytes - offset);
                        sent[number - 1] = sendPart(upload, id, number, offset, bytes);
                    }
                    return null;
                });
            }
            scope.join();
        } catch (TaskScope.FailedException e) {
            throw S3Failure.of(e.getCause() == null ? e : e.getCause());
        }
        return List.of(sent);
    }

    private CompletedPart sendPart(Upload upload, String id, int number, long offset, long bytes)
            throws S3Failure, InterruptedException {
        UploadPartRequest.Builder request = UploadPartRequest.builder()
                .bucket(bucket.name())
                .key(upload.key())
                .uploadId(id)
                .partNumber(number);
        if (checksums) {
            request.checksumAlgorithm(ChecksumAlgorithm.CRC32);
        }
        encryption.apply(request);
        var answer = upload.endpoint().call(S3Operation.UPLOAD_PART, bytes, (client, progress) -> {
            try (FileChannel file = FileChannel.open(upload.source(), StandardOpenOption.READ)) {
                return client.uploadPart(request.build(), FileBody.of(file, offset, bytes, progress));
            }
        });
        return CompletedPart.builder()
                .partNumber(number)
                .eTag(answer.eTag())
                .checksumCRC32(answer.checksumCRC32())
                .build();
    }

    private void complete(Upload upload, String id, List<CompletedPart> parts) throws S3Failure, InterruptedException {
        CompleteMultipartUploadRequest.Builder request = CompleteMultipartUploadRequest.builder()
                .bucket(bucket.name())
                .key(upload.key())
                .uploadId(id)
                .multipartUpload(all -> all.parts(parts));
        if (upload.conditional()) {
            request.ifNoneMatch("*");
        }
        encryption.apply(request);
        try {
            upload.endpoint()
                    .call(
                            S3Operation.COMPLETE_MULTIPART,
                            0,
                            (client, progress) -> client.completeMultipartUpload(request.build()));
        } catch (S3Failure failure) {
            // "No such upload": an earlier attempt completed it and its answer was lost. The bytes will tell.
            if (failure.kind() == S3Failure.Kind.MISSING && exists(upload.endpoint(), upload.key())) {
                throw failure.as(S3Failure.Kind.PRECONDITION);
            }
            if (failure.kind() == S3Failure.Kind.MISSING) {
                throw failure.as(S3Failure.Kind.TRANSIENT);
            }
            throw failure;
        }
    }

    /** Parts of an upload that is neither completed nor aborted are paid for, unseen. */
    private void abort(Upload upload, String id) {
        boolean interrupted = Thread.interrupted();
        try {
            upload.endpoint()
                    .call(
                            S3Operation.ABORT_MULTIPART,
                            0,
                            (client, progress) -> client.abortMultipartUpload(AbortMultipartUploadRequest.builder()
                                    .bucket(bucket.name())
                                    .key(upload.key())
                                    .uploadId(id)
                                    .build()));
        } catch (S3Failure failure) {
            if (failure.kind() != S3Failure.Kind.MISSING) {
                log.atWarn()
                        .addKeyValue("bucket", bucket.name())
                        .addKeyValue("key", upload.key())
                        .addKeyValue("upload", id)
                        .log(
                                "a multipart upload could not be aborted; its parts stay until the bucket's lifecycle rule"
                                        + " removes them: {}",
                                failure.getMessage());
            }
        } catch (InterruptedException e) {
            interrupted = true;
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void confirmSame(S3Endpoint endpoint, String key, Path source)
            throws S3Failure, IOException, InterruptedException {
        GetObjectRequest.Builder request =
                GetObjectRequest.builder().bucket(bucket.name()).key(key);
        encryption.apply(request);
        String name = "s3://" + bucket.name() + "/" + key;
        try (S3Body stored = S3Body.open(endpoint, request.build(), name)) {
            if (stored.endsAt() != Files.size(source)) {
                throw conflict(name, stored, "is " + stored.endsAt() + " bytes long, not " + Files.size(source));
            }
            try (InputStream ours = new BufferedInputStream(Files.newInputStream(source), S3Body.BUFFER_BYTES)) {
                long differsAt = mismatch(ours, stored);
                if (differsAt >= 0) {
                    throw conflict(name, stored, "differs at byte " + differsAt);
                }
            }
        } catch (S3Failure failure) {
            if (failure.kind() == S3Failure.Kind.MISSING) {
                // Somebody deleted it between two requests: the next try will write it.
                throw new TransientStorageException(name + " was there, and is gone", failure);
            }
            throw failure;
        }
    }

    private static long mismatch(InputStream ours, InputStream stored) throws IOException {
        byte[] left = new byte[64 << 10];
        byte[] right = new byte[left.length];
        for (long at = 0; ; ) {
            int count = ours.readNBytes(left, 0, left.length);
            int other = stored.readNBytes(right, 0, right.length);
            int difference = Arrays.mismatch(left, 0, count, right, 0, other);
            if (difference >= 0) {
                return at + difference;
            }
            if (count == 0) {
                return -1;
            }
            at += count;
        }
    }

    private static Optional<Instant> capturedAt(S3Body stored) {
        String timestamp = stored.metadata().get(TIMESTAMP);
        try {
            return timestamp == null ? Optional.empty() : Optional.of(Instant.parse(timestamp));
        } catch (DateTimeParseException unreadable) {
            return Optional.empty();
        }
    }

    /** Who stored an object: an instance and its process; empty when it was not Loomstream. */
    static Optional<String> ownerOf(Map<String, String> metadata) {
        return Optional.ofNullable(metadata.get(OWNER));
    }

    private ConflictException conflict(String name, S3Body stored, String difference) {
        String owner = ownerOf(stored.metadata()).orElse(null);
        String message = name + " already exists and " + difference + ": "
                + (owner == null
                        ? "another writer, not Loomstream, uses this replica"
                        : "another writer uses this replica, " + owner)
                + "; we are " + bucket.owner().asMetadata();
        return owner == null || bucket.owner().isOrWas(owner, capturedAt(stored), BEGAN)
                ? new ConflictException(message)
                : ConflictException.withAnotherServer(message);
    }
}
