package io.loomstream.app.config;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;

/**
 * The {@code file} URLs of replicas. Percent escapes are decoded, so a URL that another program made (a space as
 * {@code %20}) means the directory it means there; Litestream keeps them encoded.
 */
public final class FileUrl {
    private FileUrl() {}

    /** The scheme of a URL, lower-case; empty when the text is a path. */
    public static Optional<String> scheme(String text) {
        int end = text.indexOf("://");
        boolean word = end > 0
                && text.substring(0, end).chars().allMatch(c -> c == '_' || (c < 128 && Character.isLetterOrDigit(c)));
        return word ? Optional.of(text.substring(0, end).toLowerCase(Locale.ROOT)) : Optional.empty();
    }

    /**
     * The path that a {@code file} URL names. A host part counts as the first folder, as in Litestream.
     *
     * @throws IllegalArgumentException when it names none
     */
    public static String path(String url) {
        String rest = url.substring(url.indexOf("://") + 3);
        if (rest.contains("?") || rest.contains("#")) {
            throw new IllegalArgumentException(
                    "a file URL takes no query and no fragment; in a name write %3F for ? and %23 for #");
        }
        String path = rest.startsWith("/") ? rest : "/" + rest;
        if (path.equals("/")) {
            throw new IllegalArgumentException("the URL names no directory");
        }
        return path.indexOf('%') < 0 ? path : decoded(path);
    }

    private static String decoded(String path) {
        byte[] in = path.getBytes(StandardCharsets.UTF_8);
        var out = ByteBuffer.allocate(in.length);
        for (int i = 0; i < in.length; i++) {
            if (in[i] != '%') {
                out.put(in[i]);
                continue;
            }
            int value = i + 2 < in.length ? Character.digit(in[i + 1], 16) * 16 + Character.digit(in[i + 2], 16) : -1;
            if (value < 0 || Character.digit(in[i + 2], 16) < 0) {
                throw new IllegalArgumentException("a bad percent escape in the URL; write %25 for %");
            }
            out.put((byte) value);
            i += 2;
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(out.flip()).toString();
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("the percent escapes in the URL are not UTF-8", e);
        }
    }
}
