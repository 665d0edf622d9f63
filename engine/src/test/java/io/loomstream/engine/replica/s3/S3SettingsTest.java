package io.loomstream.engine.replica.s3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.util.Base64;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class S3SettingsTest {
    private static final String KEY = Base64.getEncoder().encodeToString(new byte[32]);

    @ParameterizedTest
    @CsvSource({
        "https://nbg1.your-objectstorage.com, HETZNER",
        "https://fly.storage.tigris.dev, TIGRIS",
        "https://t3.storage.dev:443, TIGRIS",
        "https://fra1.digitaloceanspaces.com, DIGITAL_OCEAN",
        "https://s3.us-west-1.backblazeb2.com:443, BACKBLAZE",
        "https://s3.filebase.com, FILEBASE",
        "https://s3.fr-par.scw.cloud, SCALEWAY",
        "https://ACCOUNT.r2.cloudflarestorage.com:443, CLOUDFLARE_R2",
        "https://abc.supabase.co/storage/v1/s3, SUPABASE",
        "https://storage.googleapis.com, GOOGLE",
        "https://storage.googleapis.com.:443, GOOGLE",
        "https://bucket.storage.googleapis.com, OTHER",
        "https://eu-storage.x.googleapis.com, GOOGLE",
        "https://s3.eu-central-1.amazonaws.com:443, AWS",
        "http://127.0.0.1:9000, MINIO",
        "https://minio.example.com, OTHER",
    })
    void providerIsFoundByHostWhateverThePort(URI endpoint, S3Provider provider) {
        assertEquals(provider, S3Provider.of(endpoint));
    }

    @ParameterizedTest
    @CsvSource({
        "localhost:9000, http://localhost:9000",
        "127.0.0.1, http://127.0.0.1",
        "[::1]:9000, http://[::1]:9000",
        "172.16.0.1:9000, http://172.16.0.1:9000",
        "172.31.255.1, http://172.31.255.1",
        "172.2.0.1, https://172.2.0.1",
        "172.200.0.1, https://172.200.0.1",
        "10.example.com, https://10.example.com",
        "store.local, http://store.local",
        "s3.example.com, https://s3.example.com",
        "http://s3.example.com, http://s3.example.com",
    })
    void onlyLocalHostsAreReachedWithoutTlsBySayingNothing(String endpoint, String completed) {
        assertEquals(completed, S3Provider.withScheme(endpoint));
    }

    @Test
    void unsetValuesAreTheProviders() {
        S3Settings aws = S3Settings.builder().bucket("b").build();
        assertFalse(aws.connection().pathStyle());
        assertTrue(aws.connection().signPayload());
        assertEquals(new S3Transfer(5 << 20, 5, Optional.empty(), true), aws.transfer());

        S3Settings r2 = S3Settings.builder()
                .bucket("b")
                .endpoint("a.r2.cloudflarestorage.com")
                .build();
        assertEquals(2, r2.transfer().concurrency());
        assertTrue(r2.connection().pathStyle());
        assertEquals(
                "https://a.r2.cloudflarestorage.com",
                r2.connection().endpoint().orElseThrow().toString());

        S3Settings tigris =
                S3Settings.builder().bucket("b").endpoint("t3.storage.dev").build();
        assertFalse(tigris.transfer().requireContentMd5());
    }

    @Test
    void explicitValuesWinOverTheProviders() {
        S3Settings settings = S3Settings.builder()
                .bucket("b")
                .endpoint("https://s3.eu.backblazeb2.com")
                .pathStyle(false)
                .signPayload(false)
                .requireContentMd5(false)
                .concurrency(9)
                .partSizeBytes(6L << 20)
                .build();

        assertFalse(settings.connection().pathStyle());
        assertFalse(settings.connection().signPayload());
        assertEquals(new S3Transfer(6 << 20, 9, Optional.empty(), false), settings.transfer());
    }

    @ParameterizedTest
    @CsvSource({"'', ''", "., ''", "/, ''", "a/b, a/b", "/a//b/./c/, a/b/c", "a/../../b, b"})
    void pathsAreCleanedAndNeverClimb(String written, String path) {
        assertEquals(path, new S3Location("b", written).path());
    }

    @ParameterizedTest
    @ValueSource(strings = {"ftp://host", "https://user:canary@host", "https://", "http://ho st"})
    void endpointsThatAreNoneAreRefusedWithoutRepeatingAPassword(String endpoint) {
        IllegalArgumentException refusal = assertThrows(
                IllegalArgumentException.class,
                () -> S3Settings.builder().bucket("b").endpoint(endpoint).build());

        assertTrue(refusal.getMessage().contains("endpoint"), refusal.getMessage());
        assertFalse(refusal.toString().contains("canary"), refusal.toString());
    }

    @Test
    void customerKeyMustBeWholeAndTravelsEncrypted() {
        assertThrows(
                IllegalArgumentException.class, () -> new S3Encryption.CustomerKey(new Secret(KEY.substring(0, 40))));
        S3SettingsBuilder builder =
                S3Settings.builder().bucket("b").encryption(new S3Encryption.CustomerKey(new Secret(KEY)));
        assertThrows(
                IllegalArgumentException.class,
                () -> builder.endpoint("http://s3.example.com").build());
        builder.endpoint("http://127.0.0.1:9000").build();
        builder.endpoint("https://s3.example.com").build();
    }

    @Test
    void secretsAreMaskedHoweverTheSettingsArePrinted() {
        S3Settings settings = S3Settings.builder()
                .bucket("b")
                .credentials(new S3Credentials.Keys(
                        "AKIAIOSFODNN7EXAMPLE", new Secret("canary-secret"), Optional.of(new Secret("canary-token"))))
                .encryption(new S3Encryption.CustomerKey(new Secret(KEY)))
                .build();

        assertFalse(settings.toString().contains("canary"), settings.toString());
        assertFalse(settings.toString().contains(KEY), settings.toString());
        assertFalse(settings.toString().contains("FODNN7EXAMPLE"), settings.toString());
    }

    @Test
    void sizesOutsideTheStoresLimitsAreRefused() {
        for (long bytes : new long[] {(5L << 20) - 1, (5L << 30) + 1, 0, -1}) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> S3Settings.builder().bucket("b").partSizeBytes(bytes).build());
        }
        assertThrows(
                IllegalArgumentException.class,
                () -> S3Settings.builder().bucket("b").concurrency(0).build());
        assertThrows(IllegalArgumentException.class, () -> S3Settings.builder().build());
    }
}
