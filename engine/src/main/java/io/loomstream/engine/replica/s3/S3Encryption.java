package io.loomstream.engine.replica.s3;

import java.util.Base64;

/** What the store encrypts files with, beyond its own default. */
public sealed interface S3Encryption {
    int KEY_BYTES = 32;

    /** Whatever the bucket does by itself. */
    record StoreDefault() implements S3Encryption {}

    /** SSE-KMS with this key. */
    record Kms(String keyId) implements S3Encryption {
        public Kms {
            if (keyId.isBlank()) {
                throw new IllegalArgumentException("sse-kms-key-id is empty");
            }
        }
    }

    /**
     * SSE-C, algorithm AES256: the store forgets the key, so every request carries it.
     *
     * @param keyBase64 base64 of exactly 32 bytes
     */
    record CustomerKey(Secret keyBase64) implements S3Encryption {
        public CustomerKey {
            byte[] key;
            try {
                key = Base64.getDecoder().decode(keyBase64.value());
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("sse-customer-key is not base64", e);
            }
            if (key.length != KEY_BYTES) {
                throw new IllegalArgumentException(
                        "sse-customer-key is base64 of " + key.length + " bytes, it must be " + KEY_BYTES);
            }
        }
    }
}
