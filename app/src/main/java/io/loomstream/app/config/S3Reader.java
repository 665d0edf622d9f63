package io.loomstream.app.config;

import io.loomstream.engine.replica.s3.S3Credentials;
import io.loomstream.engine.replica.s3.S3Encryption;
import io.loomstream.engine.replica.s3.S3HttpClient;
import io.loomstream.engine.replica.s3.S3Location;
import io.loomstream.engine.replica.s3.S3Settings;
import io.loomstream.engine.replica.s3.S3SettingsBuilder;
import io.loomstream.engine.replica.s3.S3Transfer;
import io.loomstream.engine.replica.s3.Secret;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Turns the keys and the URL of an S3 replica into settings. What YAML says wins over what the URL says, the replica's own
 * keys win over those at the top of the file.
 */
final class S3Reader {
    private static final String BUCKET = "bucket";
    private static final String REGION = "region";
    private static final String ENDPOINT = "endpoint";
    private static final String PART_SIZE = "part-size";
    private static final String KMS = "sse-kms-key-id";
    private static final String CUSTOMER_KEY = "sse-customer-key";
    private static final String CUSTOMER_KEY_PATH = "sse-customer-key-path";
    private static final String CUSTOMER_ALGORITHM = "sse-customer-algorithm";

    /** A choice of encryption is one: a replica's own is not completed from the keys at the top. */
    private static final List<String> ENCRYPTION = List.of(KMS, CUSTOMER_KEY, CUSTOMER_KEY_PATH);

    /** A key in base64 is 44 bytes; a larger file is not one. */
    private static final int KEY_FILE_BYTES_MAX = 4096;

    private final Environment environment;
    private final Problems problems;

    S3Reader(Environment environment, Problems problems) {
        this.environment = environment;
        this.problems = problems;
    }

    /**
     * The settings of a replica.
     *
     * @param own the replica's mapping
     * @param top the keys at the top, which stand in for missing ones
     * @param name the replica in messages
     */
    S3Settings read(Fields own, Fields top, String name) throws ConfigException {
        Optional<String> url = own.text("url");
        for (String key : List.of("path", BUCKET)) {
            if (url.isPresent() && own.text(key).isPresent()) {
                throw problems.error(own.lineOf(key), name + ": cannot specify url & " + key + " for s3 replica");
            }
        }
        Layers yaml = Layers.of(own, top);
        if (url.isEmpty()) {
            String bucket = yaml.text(BUCKET)
                    .orElseThrow(() -> problems.error(own.line(), name + ": bucket required for s3 replica"));
            return settings(bucket, own.text("path").orElse(""), yaml, yaml.in(BUCKET));
        }
        // A bucket at the top is for replicas that have none of their own: a URL always has one.
        S3Url parsed = parse(own, url.get());
        int line = own.lineOf("url");
        parsed.warnings().forEach(warning -> problems.warn(line, name + ".url: " + warning));
        Fields inUrl = fields(parsed, name + ".url: ", line);
        warnOfOverridden(parsed, yaml, name, line);
        return settings(parsed.bucket(), parsed.path(), yaml.then(inUrl), own);
    }

    /** The settings of a replica that a command line names by its URL. */
    S3Settings read(String url) throws ConfigException {
        S3Url parsed;
        try {
            parsed = S3Url.parse(url);
        } catch (IllegalArgumentException e) {
            throw problems.error(0, String.valueOf(e.getMessage()));
        }
        parsed.warnings().forEach(warning -> problems.warn(0, warning));
        Fields inUrl = fields(parsed, "", 0);
        return settings(parsed.bucket(), parsed.path(), Layers.of(inUrl), inUrl);
    }

    private static S3Url parse(Fields own, String url) throws ConfigException {
        try {
            return S3Url.parse(url);
        } catch (IllegalArgumentException e) {
            throw own.error("url", String.valueOf(e.getMessage()), UrlMask.mask(url));
        }
    }

    private Fields fields(S3Url url, String prefix, int line) {
        Map<String, Node.Entry> entries = new LinkedHashMap<>();
        url.values()
                .forEach((key, value) -> entries.put(key, new Node.Entry(new Node.Scalar(value, false, line), line)));
        return new Fields(new Node.Mapping(entries, line), prefix, problems);
    }

    /** Litestream lets even a key at the top win over a URL; whoever wrote the URL should hear of it. */
    private void warnOfOverridden(S3Url url, Layers yaml, String name, int line) throws ConfigException {
        for (var entry : url.values().entrySet()) {
            Optional<String> winner = yaml.text(entry.getKey());
            if (winner.isPresent() && !winner.get().equals(entry.getValue())) {
                problems.warn(
                        line,
                        name + ".url: its " + entry.getKey() + " counts for nothing, the key in line "
                                + yaml.in(entry.getKey()).lineOf(entry.getKey()) + " wins");
            }
        }
    }

    private S3Settings settings(String bucket, String path, Layers keys, Fields owner) throws ConfigException {
        S3Location location = location(bucket, path, owner);
        S3SettingsBuilder builder = S3Settings.builder()
                .bucket(location.bucket())
                .path(location.written())
                .region(keys.text(REGION).orElse(regionOf(bucket)))
                .endpoint(endpoint(keys.in(ENDPOINT)))
                .pathStyle(optional(keys, "force-path-style"))
                .signPayload(optional(keys, "sign-payload"))
                .requireContentMd5(optional(keys, "require-content-md5"))
                .skipVerify(keys.in("skip-verify").bool("skip-verify", false))
                .storageClass(keys.text("storage-class").orElse(null))
                .credentials(credentials(keys))
                .encryption(encryption(keys));
        keys.in("http-client").parsed("http-client", S3HttpClient::parse).ifPresent(builder::httpClient);
        partSize(keys.in(PART_SIZE)).ifPresent(builder::partSizeBytes);
        long concurrency = keys.in("concurrency").integer("concurrency", 0, 1, S3Transfer.CONCURRENCY_MAX);
        builder.concurrency(concurrency == 0 ? null : (int) concurrency);
        try {
            return builder.build();
        } catch (IllegalArgumentException e) {
            // Each value is good; what is left is a customer's key that would travel unencrypted.
            throw keys.in(ENDPOINT).error(ENDPOINT, String.valueOf(e.getMessage()));
        }
    }

    /** An access point's ARN says its region, unless the access point is in several. */
    private static @Nullable String regionOf(String bucket) {
        String region = bucket.startsWith("arn:") ? bucket.split(":", 6)[3] : "";
        return region.isEmpty() ? null : region;
    }

    private static S3Location location(String bucket, String path, Fields owner) throws ConfigException {
        if (!bucket.startsWith("arn:") && !bucket.matches("[A-Za-z0-9][A-Za-z0-9._-]*")) {
            throw owner.error(BUCKET, "must be a bucket's name or an access point's ARN", UrlMask.mask(bucket));
        }
        if (bucket.startsWith("arn:") && bucket.split(":", 6).length < 6) {
            throw owner.error(BUCKET, "must be arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME", bucket);
        }
        try {
            return new S3Location(bucket, path);
        } catch (IllegalArgumentException e) {
            throw owner.error("path", String.valueOf(e.getMessage()));
        }
    }

    private static @Nullable Boolean optional(Layers keys, String key) throws ConfigException {
        Fields holder = keys.in(key);
        return holder.gives(key) ? holder.bool(key, false) : null;
    }

    private static @Nullable String endpoint(Fields holder) throws ConfigException {
        Optional<String> endpoint = holder.text(ENDPOINT);
        if (endpoint.isEmpty()) {
            return null;
        }
        try {
            S3Settings.builder().bucket("any").endpoint(endpoint.get()).build();
            return endpoint.get();
        } catch (IllegalArgumentException e) {
            throw holder.error(ENDPOINT, String.valueOf(e.getMessage()));
        }
    }

    private static Optional<Long> partSize(Fields holder) throws ConfigException {
        Optional<Long> bytes = holder.parsed(PART_SIZE, ByteSize::parse);
        if (bytes.isPresent()
                && (bytes.get() < S3Transfer.PART_SIZE_BYTES_MIN || bytes.get() > S3Transfer.PART_SIZE_BYTES_MAX)) {
            throw holder.error(
                    PART_SIZE,
                    "must be between 5MiB (" + S3Transfer.PART_SIZE_BYTES_MIN + " bytes) and 5GiB",
                    holder.text(PART_SIZE).orElse("") + ", " + bytes.get() + " bytes");
        }
        return bytes;
    }

    private S3Credentials credentials(Layers keys) throws ConfigException {
        Optional<String> id = keys.text("access-key-id");
        Optional<String> secret = keys.text("secret-access-key");
        if (id.isPresent() && secret.isPresent()) {
            // Temporary keys that a file takes from the environment are of no use without their token.
            boolean environments = id.get().equals(environment.variable("AWS_ACCESS_KEY_ID"));
            return new S3Credentials.Keys(
                    id.get(),
                    new Secret(secret.get()),
                    environments ? secret(environment.variable("AWS_SESSION_TOKEN")) : Optional.empty());
        }
        if (id.isPresent() || secret.isPresent()) {
            String given = id.isPresent() ? "access-key-id" : "secret-access-key";
            String missing = id.isPresent() ? "secret-access-key" : "access-key-id";
            keys.in(given)
                    .warn(given, "counts for nothing without " + missing + "; the environment's credentials are used");
        }
        return ofEnvironment();
    }

    /** Litestream's own variables stand in for those of AWS that are not set at all, as if copied at the start. */
    private S3Credentials ofEnvironment() {
        boolean ownId = !environment.isSet("AWS_ACCESS_KEY_ID") && environment.isSet("LITESTREAM_ACCESS_KEY_ID");
        boolean ownSecret =
                !environment.isSet("AWS_SECRET_ACCESS_KEY") && environment.isSet("LITESTREAM_SECRET_ACCESS_KEY");
        String id = environment
                .variable(ownId ? "LITESTREAM_ACCESS_KEY_ID" : "AWS_ACCESS_KEY_ID")
                .strip();
        Optional<Secret> secret =
                secret(environment.variable(ownSecret ? "LITESTREAM_SECRET_ACCESS_KEY" : "AWS_SECRET_ACCESS_KEY"));
        if ((!ownId && !ownSecret) || id.isEmpty() || secret.isEmpty()) {
            return new S3Credentials.ProviderChain();
        }
        return new S3Credentials.Keys(id, secret.get(), secret(environment.variable("AWS_SESSION_TOKEN")));
    }

    private static Optional<Secret> secret(String text) {
        return Optional.of(text.strip()).filter(bare -> !bare.isEmpty()).map(Secret::new);
    }

    private S3Encryption encryption(Layers keys) throws ConfigException {
        Optional<Fields> holder = keys.withAny(ENCRYPTION);
        Optional<String> algorithm = keys.text(CUSTOMER_ALGORITHM);
        if (algorithm.isPresent() && !algorithm.get().equals("AES256")) {
            throw keys.in(CUSTOMER_ALGORITHM).error(CUSTOMER_ALGORITHM, "must be AES256", algorithm.get());
        }
        if (holder.isEmpty()) {
            if (algorithm.isPresent()) {
                throw keys.in(CUSTOMER_ALGORITHM)
                        .error(CUSTOMER_ALGORITHM, "is given without " + CUSTOMER_KEY + " or " + CUSTOMER_KEY_PATH);
            }
            return new S3Encryption.StoreDefault();
        }
        Fields own = holder.get();
        boolean customers = own.gives(CUSTOMER_KEY) || own.gives(CUSTOMER_KEY_PATH);
        if (customers && own.gives(KMS)) {
            throw own.error(KMS, "cannot be combined with " + CUSTOMER_KEY + " and " + CUSTOMER_KEY_PATH);
        }
        return customers
                ? customerKey(own)
                : own.parsed(KMS, S3Encryption.Kms::new).orElseThrow();
    }

    private S3Encryption customerKey(Fields own) throws ConfigException {
        Optional<Path> path = own.parsed(CUSTOMER_KEY_PATH, environment::path);
        String key = path.isPresent() ? CUSTOMER_KEY_PATH : CUSTOMER_KEY;
        String text = path.isPresent()
                ? contents(own, path.get())
                : own.text(CUSTOMER_KEY).orElseThrow();
        try {
            var encryption = new S3Encryption.CustomerKey(new Secret(text.strip()));
            Optional<String> digest = own.text(S3Keys.CUSTOMER_KEY_MD5);
            if (digest.isPresent() && !digest.get().equals(md5(text.strip()))) {
                throw own.error(S3Keys.CUSTOMER_KEY_MD5, "is not the MD5 of " + CUSTOMER_KEY);
            }
            return encryption;
        } catch (IllegalArgumentException e) {
            // Neither this message nor its causes repeat the key.
            throw own.error(key, String.valueOf(e.getMessage()));
        }
    }

    private static String contents(Fields own, Path file) throws ConfigException {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(KEY_FILE_BYTES_MAX + 1);
            if (bytes.length > KEY_FILE_BYTES_MAX) {
                throw own.error(CUSTOMER_KEY_PATH, "holds more than a key", file.toString());
            }
            return new String(bytes, StandardCharsets.US_ASCII);
        } catch (ConfigException e) {
            throw e;
        } catch (IOException e) {
            throw own.error(CUSTOMER_KEY_PATH, "cannot be read: " + e);
        }
    }

    private static String md5(String keyBase64) {
        try {
            byte[] digest =
                    MessageDigest.getInstance("MD5").digest(Base64.getDecoder().decode(keyBase64));
            return Base64.getEncoder().encodeToString(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has MD5", e);
        }
    }
}
