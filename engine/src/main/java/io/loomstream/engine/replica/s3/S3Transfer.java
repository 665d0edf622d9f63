package io.loomstream.engine.replica.s3;

import java.util.Optional;

/**
 * How files are sent.
 *
 * @param partSizeBytes a file larger than this is sent in parts of this size, or larger ones where 10,000 would not do
 * @param concurrency parts of one file in flight at once
 * @param storageClass empty: the store's default
 * @param requireContentMd5 deletions carry a Content-MD5
 */
public record S3Transfer(
        long partSizeBytes, int concurrency, Optional<String> storageClass, boolean requireContentMd5) {
    public static final long PART_SIZE_BYTES_MIN = 5L << 20;
    public static final long PART_SIZE_BYTES_MAX = 5L << 30;
    public static final int CONCURRENCY_MAX = 1000;

    public S3Transfer {
        if (partSizeBytes < PART_SIZE_BYTES_MIN || partSizeBytes > PART_SIZE_BYTES_MAX) {
            throw new IllegalArgumentException("part-size is " + partSizeBytes + " bytes, allowed are "
                    + PART_SIZE_BYTES_MIN + " (5 MiB) to " + PART_SIZE_BYTES_MAX + " (5 GiB)");
        }
        if (concurrency < 1 || concurrency > CONCURRENCY_MAX) {
            throw new IllegalArgumentException(
                    "concurrency is " + concurrency + ", allowed are 1 to " + CONCURRENCY_MAX);
        }
    }
}
