package io.loomstream.engine.fleet;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * Names a database in URLs: its path's bytes in base64url without padding, so that it stays the same over restarts and on
 * every host with the same paths, and needs no table to be resolved. Immutable.
 */
public final class DatabaseId {
    /** Linux's longest path, encoded. */
    private static final int LENGTH_MAX = 5_464;

    private final byte[] path;

    private DatabaseId(byte[] path) {
        this.path = path;
    }

    /**
     * Reads an id.
     *
     * @throws IllegalArgumentException when the text is none, whether or not there is such a database
     */
    public static DatabaseId parse(String text) {
        if (text.isEmpty() || text.length() > LENGTH_MAX) {
            throw notAnId(null);
        }
        try {
            DatabaseId id = new DatabaseId(Base64.getUrlDecoder().decode(text));
            if (id.text().equals(text)) {
                return id;
            }
        } catch (IllegalArgumentException notBase64) {
            throw notAnId(notBase64);
        }
        throw notAnId(null); // one path has one id: no other spelling of the same bytes counts
    }

    private static IllegalArgumentException notAnId(@Nullable IllegalArgumentException cause) {
        return new IllegalArgumentException("not the id of a database", cause);
    }

    /**
     * The id of a path.
     *
     * @throws IllegalArgumentException when no path can be so long, or it is empty
     */
    public static DatabaseId of(byte[] path) {
        if (path.length == 0 || path.length > LENGTH_MAX / 4 * 3) {
            throw notAnId(null);
        }
        return new DatabaseId(path.clone());
    }

    /** The id of a path. */
    public static DatabaseId of(String path) {
        return of(path.getBytes(StandardCharsets.UTF_8));
    }

    /** The id as it stands in URLs. */
    public String text() {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(path);
    }

    byte[] pathBytes() {
        return path.clone();
    }

    /** The path, for people: bytes that are not UTF-8 are replaced. */
    public String path() {
        return new String(path, StandardCharsets.UTF_8);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof DatabaseId id && Arrays.equals(path, id.path);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(path);
    }

    @Override
    public String toString() {
        return path();
    }
}
