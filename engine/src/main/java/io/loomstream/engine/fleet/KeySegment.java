package io.loomstream.engine.fleet;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * One segment of a replica path made from a file name. Letters and digits of every script and a few signs stay, everything
 * else, the percent sign included, becomes {@code %XX} byte by byte: no two names give one segment, and none can leave its
 * place in the path. Combining marks are encoded, so that names which a store might normalize alike stay apart.
 */
final class KeySegment {
    private static final String SAFE_SIGNS = "-_.~!'()+=@,";

    private KeySegment() {}

    /**
     * Encodes a name.
     *
     * @throws IllegalArgumentException when it is empty, "." or "..", or holds half a surrogate pair
     */
    static String encode(String name) {
        if (name.isEmpty() || name.equals(".") || name.equals("..")) {
            throw new IllegalArgumentException("\"" + name + "\" cannot be part of a replica path");
        }
        StringBuilder encoded = new StringBuilder(name.length());
        name.codePoints().forEach(codePoint -> {
            if (codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE) {
                throw new IllegalArgumentException("\"" + name + "\" is not valid Unicode");
            }
            if (isSafe(codePoint)) {
                encoded.appendCodePoint(codePoint);
            } else {
                for (byte b : Character.toString(codePoint).getBytes(StandardCharsets.UTF_8)) {
                    encoded.append('%').append(HexFormat.of().withUpperCase().toHexDigits(b));
                }
            }
        });
        return encoded.toString();
    }

    private static boolean isSafe(int codePoint) {
        return codePoint < 0x80
                ? (codePoint >= 'a' && codePoint <= 'z')
                        || (codePoint >= 'A' && codePoint <= 'Z')
                        || (codePoint >= '0' && codePoint <= '9')
                        || SAFE_SIGNS.indexOf(codePoint) >= 0
                : Character.isLetterOrDigit(codePoint);
    }
}
