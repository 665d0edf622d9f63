package io.loomstream.engine.fleet;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;

/**
 * Names a database in URLs: its path's bytes in base64url without padding, so that it stays the same over restarts and on
 * every host with the same paths, and needs no table to be resolved.
 *
 * @param text the id
 */
public record DatabaseId(String text) {
    /** Linux's longest path, encoded. */
    private static final int LENGTH_MAX = 5_464;

    /**
     * Checks the form.
     *
     * @throws IllegalArgumentException when it is no id, whether or not there is such a database
     */
    public DatabaseId {
        if (text.isEmpty() || text.length() > LENGTH_MAX || !isCanonical(text)) {
            throw new IllegalArgumentException("not the id of a database");
        }
    }

    /** The id of a path. */
    public static DatabaseId of(byte[] path) {
        return new DatabaseId(Base64.getUrlEncoder().withoutPadding().encodeToString(path));
    }

    /** The id of a path. */
    public static DatabaseId of(String path) {
        return of(path.getBytes(StandardCharsets.UTF_8));
    }

    /** One path has one id: no other spelling of the same bytes counts. */
    private static boolean isCanonical(String text) {
        try {
            byte[] path = Base64.getUrlDecoder().decode(text);
            return Arrays.equals(
                    Base64.getUrlEncoder().withoutPadding().encode(path), text.getBytes(StandardCharsets.ISO_8859_1));
        } catch (IllegalArgumentException notBase64) {
            return false;
        }
    }

    byte[] pathBytes() {
        return Base64.getUrlDecoder().decode(text);
    }

    /** The path, for people: bytes that are not UTF-8 are replaced. */
    public String path() {
        return new String(pathBytes(), StandardCharsets.UTF_8);
    }
}
