package io.loomstream.engine.testing.s3;

import java.io.InputStream;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.gaul.s3proxy.blobstore.BlobStore;
import org.gaul.s3proxy.blobstore.ForwardingBlobStore;
import org.gaul.s3proxy.blobstore.domain.MultipartUpload;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.services.s3.model.CompleteMultipartUploadRequest;
import software.amazon.awssdk.services.s3.model.CompleteMultipartUploadResponse;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.PutObjectResponse;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** One writer of a key at a time, so that the look at the object and its writing are one step. */
final class AtomicConditions extends ForwardingBlobStore {
    private final Lock[] stripes =
            Stream.generate(ReentrantLock::new).limit(256).toArray(Lock[]::new);

    AtomicConditions(BlobStore store) {
        super(store);
    }

    private Lock stripe(String key) {
        return stripes[Math.floorMod(key.hashCode(), stripes.length)];
    }

    /** S3Proxy compares before it calls {@link #putBlob}, where another writer may come between. */
    private void requireVersion(PutObjectRequest request) {
        String expected = request.ifMatch();
        if (expected == null) {
            return;
        }
        HeadObjectResponse found = blobMetadataIfPresent(request.bucket(), request.key());
        if (found == null || !unquoted(expected).equals(unquoted(found.eTag()))) {
            throw S3Exception.builder()
                    .statusCode(412)
                    .awsErrorDetails(AwsErrorDetails.builder()
                            .errorCode("PreconditionFailed")
                            .errorMessage("another writer came between")
                            .build())
                    .build();
        }
    }

    private static String unquoted(String etag) {
        return etag.replace("\"", "");
    }

    @Override
    public PutObjectResponse putBlob(PutObjectRequest request, InputStream body) {
        Lock stripe = stripe(request.key());
        stripe.lock();
        try {
            requireVersion(request);
            return super.putBlob(request, body);
        } finally {
            stripe.unlock();
        }
    }

    @Override
    public CompleteMultipartUploadResponse completeMultipartUpload(
            MultipartUpload upload, CompleteMultipartUploadRequest request) {
        Lock stripe = stripe(request.key());
        stripe.lock();
        try {
            return super.completeMultipartUpload(upload, request);
        } finally {
            stripe.unlock();
        }
    }
}
