package io.loomstream.engine.replica.s3;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import software.amazon.awssdk.services.s3.model.CompleteMultipartUploadRequest;
import software.amazon.awssdk.services.s3.model.CreateMultipartUploadRequest;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.HeadObjectRequest;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.ServerSideEncryption;
import software.amazon.awssdk.services.s3.model.UploadPartRequest;

/** Puts the encryption settings on requests: SSE-C on every one that touches a body, SSE-KMS only where one is begun. */
final class Encryption {
    private static final String ALGORITHM = "AES256";

    private final S3Encryption settings;
    private final String customerKey;
    private final String customerKeyMd5;

    Encryption(S3Encryption settings) {
        this.settings = settings;
        this.customerKey = settings instanceof S3Encryption.CustomerKey key
                ? key.keyBase64().value()
                : "";
        this.customerKeyMd5 = customerKey.isEmpty() ? "" : md5(customerKey);
    }

    private static String md5(String keyBase64) {
        try {
            byte[] key = Base64.getDecoder().decode(keyBase64);
            return Base64.getEncoder()
                    .encodeToString(MessageDigest.getInstance("MD5").digest(key));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has MD5", e);
        }
    }

    void apply(PutObjectRequest.Builder request) {
        switch (settings) {
            case S3Encryption.StoreDefault none -> {}
            case S3Encryption.Kms kms ->
                request.serverSideEncryption(ServerSideEncryption.AWS_KMS).ssekmsKeyId(kms.keyId());
            case S3Encryption.CustomerKey key ->
                request.sseCustomerAlgorithm(ALGORITHM)
                        .sseCustomerKey(customerKey)
                        .sseCustomerKeyMD5(customerKeyMd5);
        }
    }

    void apply(CreateMultipartUploadRequest.Builder request) {
        switch (settings) {
            case S3Encryption.StoreDefault none -> {}
            case S3Encryption.Kms kms ->
                request.serverSideEncryption(ServerSideEncryption.AWS_KMS).ssekmsKeyId(kms.keyId());
            case S3Encryption.CustomerKey key ->
                request.sseCustomerAlgorithm(ALGORITHM)
                        .sseCustomerKey(customerKey)
                        .sseCustomerKeyMD5(customerKeyMd5);
        }
    }

    void apply(UploadPartRequest.Builder request) {
        if (!customerKey.isEmpty()) {
            request.sseCustomerAlgorithm(ALGORITHM).sseCustomerKey(customerKey).sseCustomerKeyMD5(customerKeyMd5);
        }
    }

    void apply(CompleteMultipartUploadRequest.Builder request) {
        if (!customerKey.isEmpty()) {
            request.sseCustomerAlgorithm(ALGORITHM).sseCustomerKey(customerKey).sseCustomerKeyMD5(customerKeyMd5);
        }
    }

    void apply(GetObjectRequest.Builder request) {
        if (!customerKey.isEmpty()) {
            request.sseCustomerAlgorithm(ALGORITHM).sseCustomerKey(customerKey).sseCustomerKeyMD5(customerKeyMd5);
        }
    }

    void apply(HeadObjectRequest.Builder request) {
        if (!customerKey.isEmpty()) {
            request.sseCustomerAlgorithm(ALGORITHM).sseCustomerKey(customerKey).sseCustomerKeyMD5(customerKeyMd5);
        }
    }
}
