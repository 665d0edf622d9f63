package io.loomstream.perf.writer;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/**
 * What writers record, in the database itself: {@code chain} has a row for each row ever written, with a hash over its
 * predecessor's; {@code body} holds the rows' contents, repetitions of their hash, as far as they were not deleted.
 */
public final class History {
    /** Makes the tables of a new database. */
    public static final String SCHEMA = """
            create table chain (seq integer primary key, tx integer not null, size integer not null, hash blob not null);
            create table body (seq integer primary key, data blob not null);
            """;

    static final int HASH_BYTES = 32;

    private History() {}

    /** The hash of a row. */
    public static byte[] link(byte[] previous, long seq, int size) {
        try {
            MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
            sha256.update(previous);
            return sha256.digest((seq + ":" + size).getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The hash before the first row. */
    public static byte[] start() {
        return new byte[HASH_BYTES];
    }

    /** The content of a row. */
    public static byte[] body(byte[] link, int size) {
        byte[] body = Arrays.copyOf(link, size);
        for (int i = HASH_BYTES; i < size; i++) {
            body[i] = link[i % HASH_BYTES];
        }
        return body;
    }
}
