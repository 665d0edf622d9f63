package io.loomstream.app.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class S3UrlTest {
    /** The URL's meaning in one line: bucket, path, what else it says. */
    private static String meaning(String url) {
        S3Url parsed = S3Url.parse(url);
        var values = new TreeMap<>(parsed.values());
        return parsed.bucket() + " '" + parsed.path() + "'" + (values.isEmpty() ? "" : " " + values);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            s3://bucket                              | bucket ''
            s3://bucket/                             | bucket ''
            s3://bucket/a/b                          | bucket 'a/b'
            S3://bucket//a/./b/                      | bucket 'a/b'
            s3://my.dotted.bucket/a                  | my.dotted.bucket 'a'
            s3://bucket/a%20b+c%25                   | bucket 'a b+c%'
            s3://b.s3.amazonaws.com/p                | b 'p'
            s3://b.s3.eu-west-1.amazonaws.com/p      | b 'p' {region=eu-west-1}
            s3://b.s3-eu-west-1.amazonaws.com/p      | b 'p' {region=eu-west-1}
            s3://b.s3.eu-west-1.amazonaws.com:443/p  | b 'p' {region=eu-west-1}
            s3://b.s3.cn-north-1.amazonaws.com.cn/p  | b 'p' {region=cn-north-1}
            s3://s3.eu-west-1.amazonaws.com/b/p      | b 'p' {region=eu-west-1}
            s3://b.fra1.digitaloceanspaces.com/p     | b 'p' {endpoint=https://fra1.digitaloceanspaces.com, force-path-style=false, region=fra1}
            s3://fra1.digitaloceanspaces.com/b/p     | b 'p' {endpoint=https://fra1.digitaloceanspaces.com, force-path-style=false, region=fra1}
            s3://b.s3.us-west-1.backblazeb2.com/p    | b 'p' {endpoint=https://s3.us-west-1.backblazeb2.com, force-path-style=true, region=us-west-1}
            s3://b.s3.filebase.com/p                 | b 'p' {endpoint=https://s3.filebase.com, force-path-style=true}
            s3://b.s3.fr-par.scw.cloud/p             | b 'p' {endpoint=https://s3.fr-par.scw.cloud, force-path-style=false, region=fr-par}
            """)
    void bucketIsTheHostOrStandsBeforeTheProvidersHost(String url, String meaning) {
        assertEquals(meaning, meaning(url));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            s3://127.0.0.1:9000/bucket/a/b               | bucket 'a/b' http://127.0.0.1:9000
            s3://127.0.0.1:9000/bucket                   | bucket '' http://127.0.0.1:9000
            s3://[::1]:9000/bucket/a                     | bucket 'a' http://[::1]:9000
            s3://localhost:9000/bucket/a                 | bucket 'a' http://localhost:9000
            s3://minio:9000/bucket/a                     | bucket 'a' http://minio:9000
            s3://minio.local:9000/bucket/a               | bucket 'a' http://minio.local:9000
            s3://host.docker.internal:9000/bucket/a      | bucket 'a' http://host.docker.internal:9000
            s3://minio.ns.svc.cluster.local:9000/b/a     | b 'a' http://minio.ns.svc.cluster.local:9000
            s3://bucket.127.0.0.1:9000/a/b               | bucket 'a/b' http://127.0.0.1:9000
            s3://bucket.localhost:9000/a                 | bucket 'a' http://localhost:9000
            s3://bucket.localhost:9000                   | bucket '' http://localhost:9000
            s3://bucket.minio:9000/a                     | bucket 'a' http://minio:9000
            s3://bucket.minio.local:9000/a               | bucket 'a' http://minio.local:9000
            s3://bucket.s3.example.org:9000/a            | bucket 'a' http://s3.example.org:9000
            s3://bucket.s3.example.org:443/a             | bucket 'a' https://s3.example.org:443
            """)
    void hostWithAPortIsAStoreWithTheBucketBeforeItsFirstDotOrFirstInThePath(String url, String meaning) {
        S3Url parsed = S3Url.parse(url);

        assertEquals(
                meaning,
                parsed.bucket() + " '" + parsed.path() + "' " + parsed.values().get("endpoint"));
        assertEquals("true", parsed.values().get("force-path-style"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/ap          | arn:aws:s3:eu-west-1:123456789012:accesspoint/ap '' {region=eu-west-1}
            s3://ARN:aws:s3:eu-west-1:123456789012:accesspoint/ap/a//b/?x= | arn:aws:s3:eu-west-1:123456789012:accesspoint/ap 'a/b' {region=eu-west-1}
            s3://arn:aws:s3::123456789012:accesspoint/x.mrap/a             | arn:aws:s3::123456789012:accesspoint/x.mrap 'a'
            """)
    void accessPointStandsInTheBucketsPlaceAndSaysItsRegion(String url, String meaning) {
        assertEquals(meaning, meaning(url));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            endpoint=localhost:9000            | {endpoint=http://localhost:9000}
            endpoint=172.200.0.1:9000          | {endpoint=https://172.200.0.1:9000}
            endpoint=https%3A%2F%2Fs3.x.org    | {endpoint=https://s3.x.org}
            region=eu&region=us                | {region=us}
            forcePathStyle=true                | {force-path-style=true}
            force-path-style=YES               | {force-path-style=true}
            skipVerify=t&skip-verify=0         | {skip-verify=false}
            signPayload=f                      | {sign-payload=false}
            requireContentMD5=no               | {require-content-md5=false}
            require-content-md5=1              | {require-content-md5=true}
            storageClass=STANDARD_IA           | {storage-class=STANDARD_IA}
            partSize=10485760&concurrency=3    | {concurrency=3, part-size=10485760}
            sseKmsKeyId=alias%2Fk              | {sse-kms-key-id=alias/k}
            sseCustomerAlgorithm=AES256        | {sse-customer-algorithm=AES256}
            sseCustomerKey=a+b%2Fc=            | {sse-customer-key=a+b/c=}
            sse-customer-key-md5=x             | {sse-customer-key-md5=x}
            sseCustomerKeyMD5=x                | {sse-customer-key-md5=x}
            region=&partSize=&forcePathStyle   | {}
            """)
    void parametersAreKnownInBothSpellings(String query, String values) {
        assertEquals(values, new TreeMap<>(S3Url.parse("s3://b/p?" + query).values()).toString());
    }

    @Test
    void endpointOfTheQueryReplacesTheHostsAndItsPathStyle() {
        S3Url parsed = S3Url.parse("s3://b.fra1.digitaloceanspaces.com/p?endpoint=https://x.org");

        assertEquals("https://x.org", parsed.values().get("endpoint"));
        assertFalse(parsed.values().containsKey("force-path-style"));
    }

    @Test
    void unknownParametersAreWarnedOf() {
        assertEquals(
                List.of("unknown query parameter \"regoin\""),
                S3Url.parse("s3://b/p?regoin=eu").warnings());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            s3://                                | names no bucket
            s3:///p                              | names no bucket
            s3://127.0.0.1:9000                  | write s3://127.0.0.1:9000/BUCKET/PATH
            s3://localhost:9000//                | write s3://localhost:9000/BUCKET/PATH
            s3://s3.fr-par.scw.cloud             | write s3://s3.fr-par.scw.cloud/BUCKET/PATH
            s3://minio.example.com:9000/b/p      | write s3://BUCKET/PATH?endpoint=http://minio.example.com:9000
            s3://b.nbg1.your-objectstorage.com/p | names the store b.nbg1.your-objectstorage.com
            s3://127.0.0.1/b                     | write s3://BUCKET/PATH?endpoint=127.0.0.1
            s3://localhost/b                     | write s3://BUCKET/PATH?endpoint=localhost
            s3://b:port/p                        | neither a bucket nor HOST:PORT
            s3://b c/p                           | characters that no bucket has
            s3://id:canary@b/p                   | holds a user name
            s3://b/p#x                           | no fragment
            s3://b/p%zz                          | a bad percent escape
            s3://arn:aws:s3:eu:1:bucket/b/p      | not one of an access point
            s3://b/p?partSize=abc                | invalid value for query parameter "partSize": "abc" (must be a positive integer)
            s3://b/p?concurrency=0               | (must be a positive integer)
            s3://b/p?forcePathStyle=maybe        | (must be true or false)
            """)
    void whatCouldMeanSomethingElseIsRefusedWithTheFormToWrite(String url, String part) {
        var refusal = assertThrows(IllegalArgumentException.class, () -> S3Url.parse(url));

        assertTrue(String.valueOf(refusal.getMessage()).contains(part), refusal.getMessage());
        assertFalse(refusal.toString().contains("canary"), refusal.toString());
    }
}
