package io.loomstream.engine.replica.s3;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Collects settings as configuration and URLs give them; null leaves a setting unset, and the later call wins. {@link
 * #build()} fills what is unset with the provider's defaults. Not thread-safe.
 */
public final class S3SettingsBuilder {
    private String bucket = "";
    private String path = "";
    private @Nullable String region;
    private @Nullable String endpoint;
    private @Nullable Boolean pathStyle;
    private @Nullable Boolean signPayload;
    private boolean skipVerify;
    private S3HttpClient httpClient = S3HttpClient.URL_CONNECTION;
    private S3Credentials credentials = new S3Credentials.ProviderChain();
    private @Nullable Long partSizeBytes;
    private @Nullable Integer concurrency;
    private @Nullable String storageClass;
    private @Nullable Boolean requireContentMd5;
    private S3Encryption encryption = new S3Encryption.StoreDefault();

    S3SettingsBuilder() {}

    public S3SettingsBuilder bucket(String value) {
        bucket = value;
        return this;
    }

    public S3SettingsBuilder path(String value) {
        path = value;
        return this;
    }

    public S3SettingsBuilder region(@Nullable String value) {
        region = value;
        return this;
    }

    /** Host, host and port, or a URL; without a scheme it is reached by https. See {@link S3Provider#withScheme}. */
    public S3SettingsBuilder endpoint(@Nullable String value) {
        endpoint = value;
        return this;
    }

    /** Unset: yes where there is an endpoint, except where a provider wants otherwise. */
    public S3SettingsBuilder pathStyle(@Nullable Boolean value) {
        pathStyle = value;
        return this;
    }

    public S3SettingsBuilder signPayload(@Nullable Boolean value) {
        signPayload = value;
        return this;
    }

    public S3SettingsBuilder skipVerify(boolean value) {
        skipVerify = value;
        return this;
    }

    public S3SettingsBuilder httpClient(S3HttpClient value) {
        httpClient = value;
        return this;
    }

    public S3SettingsBuilder credentials(S3Credentials value) {
        credentials = value;
        return this;
    }

    public S3SettingsBuilder partSizeBytes(@Nullable Long value) {
        partSizeBytes = value;
        return this;
    }

    public S3SettingsBuilder concurrency(@Nullable Integer value) {
        concurrency = value;
        return this;
    }

    public S3SettingsBuilder storageClass(@Nullable String value) {
        storageClass = value;
        return this;
    }

    public S3SettingsBuilder requireContentMd5(@Nullable Boolean value) {
        requireContentMd5 = value;
        return this;
    }

    public S3SettingsBuilder encryption(S3Encryption value) {
        encryption = value;
        return this;
    }

    /**
     * The settings, complete.
     *
     * @throws IllegalArgumentException naming the key, its value (unless secret) and what is allowed
     */
    public S3Settings build() {
        Optional<URI> uri =
                Optional.ofNullable(endpoint).filter(text -> !text.isBlank()).map(S3SettingsBuilder::uri);
        S3Provider provider = uri.map(S3Provider::of).orElse(S3Provider.AWS);
        if (encryption instanceof S3Encryption.CustomerKey) {
            uri.ifPresent(S3SettingsBuilder::requireTlsOrLocal);
        }
        return new S3Settings(
                new S3Location(bucket, path),
                new S3Connection(
                        Optional.ofNullable(region).filter(name -> !name.isBlank()),
                        uri,
                        pathStyle != null ? pathStyle : uri.isPresent() || provider.forcesPathStyle(),
                        signPayload == null || signPayload,
                        skipVerify,
                        httpClient),
                credentials,
                new S3Transfer(
                        partSizeBytes == null ? S3Transfer.PART_SIZE_BYTES_MIN : partSizeBytes,
                        concurrency == null ? provider.defaultConcurrency() : concurrency,
                        Optional.ofNullable(storageClass).filter(name -> !name.isBlank()),
                        requireContentMd5 == null ? provider.wantsContentMd5() : requireContentMd5),
                encryption);
    }

    private static URI uri(String endpoint) {
        String text = endpoint.strip();
        URI uri;
        try {
            uri = new URI(text.contains("://") ? text : "https://" + text);
        } catch (URISyntaxException e) {
            // The text may hold a password: it is not repeated.
            throw new IllegalArgumentException("endpoint is not a URL: " + e.getReason());
        }
        if (uri.getUserInfo() != null) {
            throw new IllegalArgumentException(
                    "endpoint holds a user name; credentials belong into access-key-id and secret-access-key");
        }
        if (uri.getHost() == null || !("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))) {
            throw new IllegalArgumentException("endpoint is not an http or https URL with a host: " + text);
        }
        return uri;
    }

    private static void requireTlsOrLocal(URI endpoint) {
        if ("http".equals(endpoint.getScheme()) && !S3Provider.isLocal(endpoint.getHost())) {
            throw new IllegalArgumentException(
                    "sse-customer-key would be sent unencrypted to " + endpoint + ": use https");
        }
    }
}
