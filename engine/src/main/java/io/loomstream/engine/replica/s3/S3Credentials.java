package io.loomstream.engine.replica.s3;

import java.util.Optional;

/** Who we are for the store. */
public sealed interface S3Credentials {
    /** What the environment, the profile files or the machine's role give, in the SDK's order; refreshed by the SDK. */
    record ProviderChain() implements S3Credentials {}

    /**
     * A key pair.
     *
     * @param sessionToken given with temporary keys
     */
    record Keys(String accessKeyId, Secret secretAccessKey, Optional<Secret> sessionToken) implements S3Credentials {
        public Keys {
            if (accessKeyId.isEmpty()) {
                throw new IllegalArgumentException("access-key-id is empty");
            }
        }

        /** The key id in short, the rest masked: it goes into logs of the effective configuration. */
        @Override
        public String toString() {
            String shown = accessKeyId.substring(0, Math.min(4, accessKeyId.length() / 2));
            return "Keys[" + shown + Secret.MASK + ", " + secretAccessKey
                    + (sessionToken.isPresent() ? ", session" : "") + "]";
        }
    }
}
