package io.loomstream.app.config;

/** The keys of S3 replicas that more than one class names. */
final class S3Keys {
    static final String ALL = """
            access-key-id secret-access-key region bucket endpoint force-path-style sign-payload require-content-md5
            skip-verify storage-class part-size concurrency http-client
            sse-customer-algorithm sse-customer-key sse-customer-key-path sse-kms-key-id
            """;

    /** Only in URLs: what the store is going to compute from the key, given for a check. */
    static final String CUSTOMER_KEY_MD5 = "sse-customer-key-md5";

    private S3Keys() {}
}
