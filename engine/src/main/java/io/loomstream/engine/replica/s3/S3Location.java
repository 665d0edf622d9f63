package io.loomstream.engine.replica.s3;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Where in a store a replica is.
 *
 * @param bucket a bucket's name, or the ARN of an access point
 * @param path what all keys start with: without a slash at either end, without empty, {@code .} or {@code ..} elements;
 *     empty for the bucket's root
 * @param written the path as it was written: Litestream puts YAML's {@code path} into its keys uncleaned, so that its files
 *     of {@code /app} are {@code /app/0000/...}
 */
public record S3Location(String bucket, String path, String written) {
    /** S3's limit is 1,024 bytes a key; level, name and slashes need 43, what we keep beside the files at most 200. */
    private static final int PATH_BYTES_MAX = 1024 - 200;

    /** The location that a path as it was written means. */
    public S3Location(String bucket, String written) {
        this(bucket, written, written);
    }

    public S3Location {
        if (bucket.isBlank()) {
            throw new IllegalArgumentException("bucket is empty");
        }
        path = clean(path);
        if (path.getBytes(StandardCharsets.UTF_8).length > PATH_BYTES_MAX) {
            throw new IllegalArgumentException("path is longer than " + PATH_BYTES_MAX + " bytes: " + path);
        }
    }

    /** As Litestream cleans a path: {@code a//b/./c/} is {@code a/b/c}, and nothing climbs above the root. */
    private static String clean(String path) {
        Deque<String> elements = new ArrayDeque<>();
        for (String element : path.split("/", -1)) {
            switch (element) {
                case "", "." -> {}
                case ".." -> elements.pollLast();
                default -> elements.add(element);
            }
        }
        return String.join("/", elements);
    }

    @Override
    public String toString() {
        return "s3://" + bucket + (path.isEmpty() ? "" : "/" + path);
    }
}
