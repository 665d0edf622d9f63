package io.loomstream.engine.replica.s3;

/** Everything an S3 replica is told, nothing left open. {@link #builder()} fills in what depends on the provider. */
public record S3Settings(
        S3Location location,
        S3Connection connection,
        S3Credentials credentials,
        S3Transfer transfer,
        S3Encryption encryption) {
    /** Settings with everything unset but the credentials, which are the environment's. */
    public static S3SettingsBuilder builder() {
        return new S3SettingsBuilder();
    }

    /** The same store, another path in the bucket. */
    public S3Settings at(String path) {
        return new S3Settings(new S3Location(location.bucket(), path), connection, credentials, transfer, encryption);
    }
}
