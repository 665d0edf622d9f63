package io.loomstream.engine.replica.s3;

import java.net.URI;
import java.util.Optional;

/**
 * How a store is reached; together with the credentials it decides which replicas share one client.
 *
 * @param region empty: asked of the bucket when there is no endpoint, else {@code us-east-1}
 * @param endpoint scheme, host and port of a store other than AWS
 * @param pathStyle the bucket is in the path rather than in the host name
 * @param signPayload the signature covers the body
 * @param skipVerify TLS certificates are not verified
 */
public record S3Connection(
        Optional<String> region,
        Optional<URI> endpoint,
        boolean pathStyle,
        boolean signPayload,
        boolean skipVerify,
        S3HttpClient httpClient) {
    /** Whose store it is, as far as the endpoint tells. */
    public S3Provider provider() {
        return endpoint.map(S3Provider::of).orElse(S3Provider.AWS);
    }
}
