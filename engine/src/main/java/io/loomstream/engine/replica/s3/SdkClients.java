package io.loomstream.engine.replica.s3;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.client.config.ClientOverrideConfiguration;
import software.amazon.awssdk.core.client.config.SdkAdvancedClientOption;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttribute;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpConfigurationOption;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;
import software.amazon.awssdk.http.auth.spi.scheme.AuthSchemeOption;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;
import software.amazon.awssdk.services.s3.auth.scheme.S3AuthSchemeProvider;
import software.amazon.awssdk.services.s3.model.DeleteObjectsRequest;
import software.amazon.awssdk.utils.AttributeMap;

/** Builds the SDK's clients: everything that the SDK would do by itself and we do better is switched off. */
final class SdkClients {
    /** Set on a request whose body gets a Content-MD5. */
    static final ExecutionAttribute<Boolean> CONTENT_MD5 = new ExecutionAttribute<>("LoomstreamContentMd5");

    /** What {@code HttpURLConnection} keeps open for reuse, per host; its own default is 5. */
    private static final String KEEP_ALIVE_MAX = "http.maxConnections";

    /** For how long, where the server does not say; its own default is 5. */
    private static final String KEEP_ALIVE_SECONDS = "http.keepAlive.time.server";

    /** S3 itself closes a connection that was idle for somewhat longer. */
    private static final Duration IDLE_CONNECTION = Duration.ofSeconds(15);

    /** Which client the SDK takes for its own requests, for example to STS; it refuses to choose between two. */
    private static final String SDK_OWN_CLIENT = "software.amazon.awssdk.http.service.impl";

    /** Ours is the stall limit; this one only backs it up where a thread cannot be interrupted. */
    private static final Duration SOCKET_TIMEOUT = Duration.ofMinutes(10);

    private SdkClients() {}

    /**
     * A client.
     *
     * @param region where there is one in {@code connection} this is the same
     * @param connectionsMax how many requests run at once: as many connections are kept for reuse
     */
    static S3Client create(
            S3Connection connection, String region, S3Credentials credentials, S3Timing timing, int connectionsMax) {
        boolean aws = connection.provider() == S3Provider.AWS;
        S3ClientBuilder builder = S3Client.builder()
                .region(Region.of(region))
                .credentialsProvider(provider(credentials))
                .forcePathStyle(connection.pathStyle())
                .httpClient(http(connection, timing, connectionsMax))
                .authSchemeProvider(signing(connection.signPayload()))
                // AWS checks a CRC of the body. Many other stores refuse the trailer that it travels in.
                .requestChecksumCalculation(
                        aws ? RequestChecksumCalculation.WHEN_SUPPORTED : RequestChecksumCalculation.WHEN_REQUIRED)
                .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
                .serviceConfiguration(config -> config.chunkedEncodingEnabled(aws)
                        // An ARN says its region itself.
                        .useArnRegionEnabled(true)
                        // It costs a round trip a request, and a store's refusal reaches us without it, too.
                        .expectContinueEnabled(false))
                .overrideConfiguration(overrides(connection.provider()));
        connection.endpoint().ifPresent(builder::endpointOverride);
        return builder.build();
    }

    private static ClientOverrideConfiguration overrides(S3Provider provider) {
        ClientOverrideConfiguration.Builder overrides = ClientOverrideConfiguration.builder()
                .retryStrategy(AwsRetryStrategy.doNotRetry())
                .putAdvancedOption(SdkAdvancedClientOption.USER_AGENT_PREFIX, "loomstream")
                .addExecutionInterceptor(new ContentMd5());
        if (provider == S3Provider.TIGRIS) {
            // Without it Tigris answers from the nearest copy, which may be old.
            overrides.putHeader("X-Tigris-Consistent", "true");
        }
        return overrides.build();
    }

    private static AwsCredentialsProvider provider(S3Credentials credentials) {
        return switch (credentials) {
            case S3Credentials.ProviderChain chain -> {
                if (System.getProperty(SDK_OWN_CLIENT) == null) {
                    System.setProperty(
                            SDK_OWN_CLIENT, "software.amazon.awssdk.http.urlconnection.UrlConnectionSdkHttpService");
                }
                yield DefaultCredentialsProvider.builder().build();
            }
            case S3Credentials.Keys keys ->
                StaticCredentialsProvider.create(
                        keys.sessionToken().isPresent()
                                ? AwsSessionCredentials.create(
                                        keys.accessKeyId(),
                                        keys.secretAccessKey().value(),
                                        keys.sessionToken().get().value())
                                : AwsBasicCredentials.create(
                                        keys.accessKeyId(),
                                        keys.secretAccessKey().value()));
        };
    }

    private static SdkHttpClient http(S3Connection connection, S3Timing timing, int connectionsMax) {
        AttributeMap options = AttributeMap.builder()
                .put(SdkHttpConfigurationOption.TRUST_ALL_CERTIFICATES, connection.skipVerify())
                .build();
        return switch (connection.httpClient()) {
            case URL_CONNECTION -> {
                keepAlive(connectionsMax);
                yield UrlConnectionHttpClient.builder()
                        .connectionTimeout(timing.connect())
                        .socketTimeout(SOCKET_TIMEOUT)
                        .buildWithDefaults(options);
            }
            case APACHE5 ->
                Apache5HttpClient.builder()
                        .connectionTimeout(timing.connect())
                        .socketTimeout(SOCKET_TIMEOUT)
                        .maxConnections(connectionsMax)
                        .connectionMaxIdleTime(IDLE_CONNECTION)
                        .buildWithDefaults(options);
        };
    }

    /** Both are read once by the JDK, when the first connection is kept. */
    private static void keepAlive(int connectionsMax) {
        if (System.getProperty(KEEP_ALIVE_SECONDS) == null) {
            System.setProperty(KEEP_ALIVE_SECONDS, Long.toString(IDLE_CONNECTION.toSeconds()));
        }
        if (Integer.getInteger(KEEP_ALIVE_MAX, 0) < connectionsMax) {
            System.setProperty(KEEP_ALIVE_MAX, Integer.toString(connectionsMax));
        }
    }

    private static S3AuthSchemeProvider signing(boolean signPayload) {
        S3AuthSchemeProvider standard = S3AuthSchemeProvider.defaultProvider();
        return params -> standard.resolveAuthScheme(params).stream()
                .map(option -> withPayload(option, signPayload))
                .toList();
    }

    private static AuthSchemeOption withPayload(AuthSchemeOption option, boolean signPayload) {
        return option.toBuilder()
                .putSignerProperty(AwsV4HttpSigner.PAYLOAD_SIGNING_ENABLED, signPayload)
                .build();
    }

    /** Adds the MD5 of a deletion's body, which many stores ask for and the SDK has replaced by newer checksums. */
    private static final class ContentMd5 implements ExecutionInterceptor {
        @Override
        public SdkHttpRequest modifyHttpRequest(
                Context.ModifyHttpRequest context, ExecutionAttributes executionAttributes) {
            Optional<RequestBody> body = context.requestBody();
            if (!(context.request() instanceof DeleteObjectsRequest)
                    || body.isEmpty()
                    || !Boolean.TRUE.equals(executionAttributes.getAttribute(CONTENT_MD5))) {
                return context.httpRequest();
            }
            return context.httpRequest().toBuilder()
                    .putHeader("Content-MD5", List.of(md5(body.get())))
                    .build();
        }

        private static String md5(RequestBody body) {
            try (InputStream in = body.contentStreamProvider().newStream()) {
                byte[] digest = MessageDigest.getInstance("MD5").digest(in.readAllBytes());
                return Base64.getEncoder().encodeToString(digest);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException("every JDK has MD5", e);
            }
        }
    }
}
