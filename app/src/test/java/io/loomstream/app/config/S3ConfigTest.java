package io.loomstream.app.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomstream.engine.replica.s3.S3Credentials;
import io.loomstream.engine.replica.s3.S3Encryption;
import io.loomstream.engine.replica.s3.S3HttpClient;
import io.loomstream.engine.replica.s3.S3Location;
import io.loomstream.engine.replica.s3.S3Settings;
import io.loomstream.engine.replica.s3.S3SettingsBuilder;
import io.loomstream.engine.replica.s3.Secret;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class S3ConfigTest {
    private static final String KEY =
            Base64.getEncoder().encodeToString("canary-canary-canary-canary-1234".getBytes(StandardCharsets.US_ASCII));
    private static final String OTHER_KEY = Base64.getEncoder().encodeToString(new byte[32]);

    @TempDir
    private Path directory;

    private ConfigHarness harness;

    @BeforeEach
    void makeHarness() {
        harness = new ConfigHarness(directory);
    }

    /** A file whose one database's replica is given, after whatever stands above it. */
    private static String file(String replica, String... top) {
        return String.join("\n", top) + (top.length > 0 ? "\n" : "") + "dbs:\n  - path: /data/app.db\n    replica: "
                + replica + "\n";
    }

    private S3Settings settings(String yaml) throws IOException {
        return only(harness.load(yaml));
    }

    private static S3Settings only(LoadedConfig loaded) {
        return ((ReplicaConfig.S3) loaded.config().databases().getFirst().replica()).settings();
    }

    private List<String> warnings(String yaml) throws IOException {
        return harness.load(yaml).warnings().stream().map(harness::shortened).toList();
    }

    private static S3SettingsBuilder wanted() {
        return S3Settings.builder().bucket("bucket").path("app");
    }

    @Test
    void everyKeyReachesItsSetting() throws IOException {
        LoadedConfig loaded = harness.load(file("""

                      type: s3
                      bucket: bucket
                      path: app
                      access-key-id: AKIAEXAMPLE
                      secret-access-key: canary
                      region: eu-west-1
                      endpoint: http://localhost:9000
                      force-path-style: no
                      skip-verify: yes
                      sign-payload: off
                      require-content-md5: false
                      storage-class: STANDARD_IA
                      part-size: 10MB
                      concurrency: 3
                      http-client: apache5
                      sse-kms-key-id: alias/k
                      sync-interval: 250ms
                """));

        assertEquals(
                wanted().credentials(new S3Credentials.Keys("AKIAEXAMPLE", new Secret("canary"), Optional.empty()))
                        .region("eu-west-1")
                        .endpoint("http://localhost:9000")
                        .pathStyle(false)
                        .skipVerify(true)
                        .signPayload(false)
                        .requireContentMd5(false)
                        .storageClass("STANDARD_IA")
                        .partSizeBytes(10_000_000L)
                        .concurrency(3)
                        .httpClient(S3HttpClient.APACHE5)
                        .encryption(new S3Encryption.Kms("alias/k"))
                        .build(),
                only(loaded));
        assertEquals(
                Duration.ofMillis(250),
                loaded.config().databases().getFirst().options().syncInterval());
        assertEquals(List.of(), loaded.warnings());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            {type: s3, path: app}        | bucket: bucket
            {url: "s3://bucket/app"}     | bucket: somebody-elses
            """)
    void everyKeyAtTheTopIsInheritedAndAGlobalBucketLeavesUrlsAlone(String replica, String bucket) throws IOException {
        S3Settings inherited = settings(file(
                replica,
                bucket,
                "access-key-id: AKIAEXAMPLE",
                "secret-access-key: canary",
                "region: us-west-2",
                "endpoint: https://s3.example.org",
                "force-path-style: false",
                "skip-verify: true",
                "sign-payload: false",
                "require-content-md5: false",
                "storage-class: GLACIER_IR",
                "part-size: 6MiB",
                "concurrency: 7",
                "http-client: apache5",
                "sse-customer-key: " + KEY,
                "sse-customer-algorithm: AES256"));

        assertEquals(
                wanted().credentials(new S3Credentials.Keys("AKIAEXAMPLE", new Secret("canary"), Optional.empty()))
                        .region("us-west-2")
                        .endpoint("https://s3.example.org")
                        .pathStyle(false)
                        .skipVerify(true)
                        .signPayload(false)
                        .requireContentMd5(false)
                        .storageClass("GLACIER_IR")
                        .partSizeBytes(6L << 20)
                        .concurrency(7)
                        .httpClient(S3HttpClient.APACHE5)
                        .encryption(new S3Encryption.CustomerKey(new Secret(KEY)))
                        .build(),
                inherited);
    }

    @Test
    void replicasOwnKeysWinOverThoseAtTheTop() throws IOException {
        S3Settings own = settings(file(
                "{type: s3, bucket: bucket, path: app, skip-verify: false, part-size: 7MiB, concurrency: 2,"
                        + " sign-payload: true, http-client: url-connection, sse-kms-key-id: k}",
                "bucket: b",
                "skip-verify: true",
                "part-size: 6MiB",
                "concurrency: 7",
                "sign-payload: false",
                "http-client: apache5",
                "sse-customer-key: " + KEY));

        assertEquals(
                wanted().partSizeBytes(7L << 20)
                        .concurrency(2)
                        .encryption(new S3Encryption.Kms("k"))
                        .build(),
                own);
    }

    @Test
    void yamlWinsOverTheUrlAndSaysSo() throws IOException {
        String yaml = file(
                "{url: \"s3://bucket/app?region=a&endpoint=https://url.example.org&skipVerify=true&partSize=6000000\","
                        + " skip-verify: false, part-size: 7MiB}",
                "region: b");

        assertEquals(
                wanted().region("b")
                        .endpoint("https://url.example.org")
                        .partSizeBytes(7L << 20)
                        .build(),
                settings(yaml));
        List<String> warnings = warnings(yaml);
        assertEquals(3, warnings.size(), warnings.toString());
        assertTrue(
                warnings.contains("dbs[/data/app.db].replica.url: its region counts for nothing,"
                        + " the key in line 1 wins at f.yml:4"),
                warnings.toString());
    }

    @Test
    void minioAtAnAddressIsNamedInFourWays() throws IOException {
        S3Settings minio = wanted().endpoint("http://127.0.0.1:9000").build();

        for (String replica : List.of(
                "{url: \"s3://127.0.0.1:9000/bucket/app\"}",
                "{url: \"s3://bucket.127.0.0.1:9000/app\"}",
                "{url: \"s3://bucket/app?endpoint=127.0.0.1:9000\"}",
                "{type: s3, bucket: bucket, path: app, endpoint: \"http://127.0.0.1:9000\"}")) {
            assertEquals(minio, settings(file(replica)), replica);
        }
        assertTrue(minio.connection().pathStyle());
    }

    @Test
    void pathOfYamlIsKeptAsWrittenSinceLitestreamPutsItIntoItsKeys() throws IOException {
        S3Location location =
                settings(file("{type: s3, bucket: bucket, path: /a//b/}")).location();

        assertEquals("a/b", location.path());
        assertEquals("/a//b/", location.written());
        assertEquals(
                "a/b",
                settings(file("{url: \"s3://bucket//a//b/\"}")).location().written());
    }

    @Test
    void arnAsABucketSaysItsRegion() throws IOException {
        S3Settings settings =
                settings(file("{type: s3, bucket: \"arn:aws:s3:eu-west-1:123456789012:accesspoint/ap\", path: app}"));

        assertEquals(Optional.of("eu-west-1"), settings.connection().region());
    }

    @Test
    void customersKeyIsReadFromAFileWhichWinsOverTheKey() throws IOException {
        Path file = Files.writeString(directory.resolve("key"), "\n " + KEY + " \n");

        S3Settings settings = settings(file("{url: \"s3://bucket/app\", sse-customer-key: \"" + OTHER_KEY
                + "\", sse-customer-key-path: " + file + "}"));

        assertEquals(new S3Encryption.CustomerKey(new Secret(KEY)), settings.encryption());
    }

    @Test
    void customersKeyPathStartsAtTheHomeDirectoryAfterATilde() throws IOException {
        Files.writeString(directory.resolve("key"), KEY);
        var environment = new Environment(Map.of(), directory, Path.of("/"), 1);

        assertEquals(
                new S3Encryption.CustomerKey(new Secret(KEY)),
                only(load(file("{url: \"s3://bucket/app\", sse-customer-key-path: ~/key}"), environment))
                        .encryption());
    }

    @Test
    void encryptionOfTheUrlIsHonoured() throws IOException {
        String query = "sseCustomerAlgorithm=AES256&sseCustomerKey=" + KEY;

        assertEquals(
                new S3Encryption.CustomerKey(new Secret(KEY)),
                settings(file("{url: \"s3://bucket/app?" + query + "\"}")).encryption());
        assertEquals(
                new S3Encryption.Kms("k"),
                settings(file("{url: \"s3://bucket/app?sse-kms-key-id=k\"}")).encryption());
    }

    private static LoadedConfig load(String yaml, Environment environment) throws IOException {
        Path file = Files.writeString(Files.createTempFile("loomstream-s3", ".yml"), yaml);
        try {
            return ConfigFile.load(file, new ConfigFile.Rules(true, false), environment);
        } finally {
            Files.delete(file);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=s AWS_SESSION_TOKEN=t        | chain
            LITESTREAM_ACCESS_KEY_ID=a LITESTREAM_SECRET_ACCESS_KEY=s              | a/s
            LITESTREAM_ACCESS_KEY_ID=a LITESTREAM_SECRET_ACCESS_KEY=s AWS_SESSION_TOKEN=t | a/s/t
            LITESTREAM_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=s                     | a/s
            LITESTREAM_ACCESS_KEY_ID=a LITESTREAM_SECRET_ACCESS_KEY=s AWS_ACCESS_KEY_ID=b AWS_SECRET_ACCESS_KEY=u | chain
            LITESTREAM_ACCESS_KEY_ID=a LITESTREAM_SECRET_ACCESS_KEY=s AWS_ACCESS_KEY_ID= | chain
            LITESTREAM_ACCESS_KEY_ID=a                                             | chain
            X=x                                                                    | chain
            """)
    void litestreamsVariablesStandInForThoseOfAwsThatAreNotSet(String variables, String credentials)
            throws IOException {
        Map<String, String> values = new HashMap<>();
        for (String variable : variables.split(" +", -1)) {
            String[] pair = variable.split("=", -1);
            values.put(pair[0], pair[1]);
        }
        Environment environment = new Environment(values, Path.of("/h"), Path.of("/w"), 1);

        S3Settings ofFile = only(load(file("{url: \"s3://bucket/app\"}"), environment));
        var ofUrl = (ReplicaConfig.S3)
                ReplicaUrl.parse("s3://bucket/app", environment).replica();

        assertEquals(credentials, shown(ofFile.credentials()));
        assertEquals(ofFile, ofUrl.settings());
    }

    private static String shown(S3Credentials credentials) {
        return switch (credentials) {
            case S3Credentials.ProviderChain chain -> "chain";
            case S3Credentials.Keys keys ->
                keys.accessKeyId() + "/" + keys.secretAccessKey().value()
                        + keys.sessionToken().map(token -> "/" + token.value()).orElse("");
        };
    }

    @Test
    void temporaryKeysThatTheFileTakesFromTheEnvironmentKeepTheirToken() throws IOException {
        var environment = new Environment(
                Map.of("AWS_ACCESS_KEY_ID", "ASIA1", "AWS_SECRET_ACCESS_KEY", "s", "AWS_SESSION_TOKEN", "t"),
                Path.of("/h"),
                Path.of("/w"),
                1);
        String keys = ", access-key-id: %s, secret-access-key: $AWS_SECRET_ACCESS_KEY}";

        assertEquals(
                "ASIA1/s/t",
                shown(only(load(file("{url: \"s3://bucket\"" + keys.formatted("$AWS_ACCESS_KEY_ID")), environment))
                        .credentials()));
        assertEquals(
                "AKIA2/s",
                shown(only(load(file("{url: \"s3://bucket\"" + keys.formatted("AKIA2")), environment))
                        .credentials()));
    }

    @Test
    void halfAKeyPairIsWarnedOf() throws IOException {
        assertEquals(
                List.of("dbs[/data/app.db].replica.access-key-id: counts for nothing without secret-access-key;"
                        + " the environment's credentials are used at f.yml:3"),
                warnings(file("{url: \"s3://bucket\", access-key-id: a}")));
    }

    @Test
    void keysThatDoNothingAreWarnedOf() throws IOException {
        assertEquals(
                List.of(
                        "auto-recover: does nothing: Loomstream always goes on from the replica's position by itself"
                                + " at f.yml:1",
                        "dbs[/data/app.db].replica.bucket: does nothing in a file replica at f.yml:4"),
                warnings(file("{path: /r, bucket: b, auto-recover: false}", "auto-recover: true")));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            {type: s3, path: x}                                    | dbs[/data/app.db].replica: bucket required for s3 replica at f.yml:3
            {url: "s3://b/p", path: x}                             | dbs[/data/app.db].replica: cannot specify url & path for s3 replica at f.yml:3
            {url: "s3://b/p", bucket: b}                           | dbs[/data/app.db].replica: cannot specify url & bucket for s3 replica at f.yml:3
            {type: s3, bucket: "b/c"}                              | dbs[/data/app.db].replica.bucket: must be a bucket's name or an access point's ARN (got b/c) at f.yml:3
            {type: s3, bucket: "arn:aws:s3"}                       | dbs[/data/app.db].replica.bucket: must be arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME (got arn:aws:s3) at f.yml:3
            {url: "s3://b/p", part-size: 10XB}                     | dbs[/data/app.db].replica.part-size: must be a size such as 10MB or 8MiB (units: B, KB, MB, GB, TB, PB, EB, KiB, MiB, GiB, TiB, PiB, EiB) (got 10XB) at f.yml:3
            {url: "s3://b/p", part-size: 5MB}                      | dbs[/data/app.db].replica.part-size: must be between 5MiB (5242880 bytes) and 5GiB (got 5MB, 5000000 bytes) at f.yml:3
            {url: "s3://b/p?partSize=1"}                           | dbs[/data/app.db].replica.url: part-size: must be between 5MiB (5242880 bytes) and 5GiB (got 1, 1 bytes) at f.yml:3
            {url: "s3://b/p?partSize=abc"}                         | dbs[/data/app.db].replica.url: invalid value for query parameter "partSize": "abc" (must be a positive integer) (got s3://b/p?partSize=abc) at f.yml:3
            {url: "s3://b/p", concurrency: 0}                      | dbs[/data/app.db].replica.concurrency: must be greater than 0 (got 0) at f.yml:3
            {url: "s3://b/p", sign-payload: maybe}                 | dbs[/data/app.db].replica.sign-payload: must be true or false (got maybe) at f.yml:3
            {url: "s3://b/p", http-client: netty}                  | dbs[/data/app.db].replica.http-client: http-client is url-connection or apache5, not netty (got netty) at f.yml:3
            {url: "s3://b/p", endpoint: "https://u:canary@h"}      | dbs[/data/app.db].replica.endpoint: endpoint holds a user name; credentials belong into access-key-id and secret-access-key at f.yml:3
            {url: "s3://u:canary@b/p"}                             | dbs[/data/app.db].replica.url: the URL holds a user name; credentials belong into access-key-id and secret-access-key, or into the environment (got s3://********@b/p) at f.yml:3
            {url: "s3://b/p", sse-customer-key: "canary"}          | dbs[/data/app.db].replica.sse-customer-key: sse-customer-key is base64 of 4 bytes, it must be 32 at f.yml:3
            {url: "s3://b/p", sse-customer-key: "canary!"}         | dbs[/data/app.db].replica.sse-customer-key: sse-customer-key is not base64 at f.yml:3
            {url: "s3://b/p", sse-customer-key: KEY, sse-kms-key-id: k} | dbs[/data/app.db].replica.sse-kms-key-id: cannot be combined with sse-customer-key and sse-customer-key-path at f.yml:3
            {url: "s3://b/p", sse-customer-key: KEY, sse-customer-algorithm: AES128} | dbs[/data/app.db].replica.sse-customer-algorithm: must be AES256 (got AES128) at f.yml:3
            {url: "s3://b/p", sse-customer-algorithm: AES256}      | dbs[/data/app.db].replica.sse-customer-algorithm: is given without sse-customer-key or sse-customer-key-path at f.yml:3
            {url: "s3://b/p?sseCustomerKey=KEY&sseCustomerKeyMD5=x"} | dbs[/data/app.db].replica.url: sse-customer-key-md5: is not the MD5 of sse-customer-key at f.yml:3
            {url: "s3://b/p", sse-customer-key-path: /none/key}    | dbs[/data/app.db].replica.sse-customer-key-path: cannot be read: java.nio.file.NoSuchFileException: /none/key at f.yml:3
            {url: "s3://b/p", endpoint: "http://s3.example.org", sse-customer-key: KEY} | dbs[/data/app.db].replica.endpoint: sse-customer-key would be sent unencrypted to http://s3.example.org: use https at f.yml:3
            {url: "s3://b/p", account-name: x}                     | dbs[/data/app.db].replica.account-name: this version of Loomstream does not serve this key yet at f.yml:3
            {type: gs, bucket: b}                                  | dbs[/data/app.db].replica: this version of Loomstream does not serve replicas of type gs yet, only file and s3 at f.yml:3
            """)
    void badValueIsRefusedWithFieldValueAndLineAndNoSecret(String replica, String error) {
        String answer = harness.errorOf(file(replica.replace("KEY", KEY)));

        assertEquals(error, answer);
        assertFalse(answer.contains("canary") || answer.contains(KEY), answer);
    }

    @Test
    void badValueAtTheTopIsReportedThere() {
        assertEquals(
                "part-size: must be between 5MiB (5242880 bytes) and 5GiB (got 1MB, 1000000 bytes) at f.yml:1",
                harness.errorOf(file("{url: \"s3://b/p\"}", "part-size: 1MB")));
    }
}
