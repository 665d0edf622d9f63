package io.loomstream.engine.fleet;

import java.util.HexFormat;

/** A path for people: one line, whatever bytes are in it. */
public final class PathText {
    private PathText() {}

    /** The path with control characters, backslashes and bytes that are not UTF-8 as {@code \xx} in hexadecimal. */
    public static String of(byte[] path) {
        StringBuilder text = new StringBuilder(path.length);
        int at = 0;
        while (at < path.length) {
            int length = CodePoints.lengthAt(path, at, path.length);
            int codePoint = CodePoints.at(path, at, path.length);
            if (CodePoints.isInvalid(codePoint) || Character.isISOControl(codePoint) || codePoint == '\\') {
                for (int i = at; i < at + length; i++) {
                    text.append('\\').append(HexFormat.of().toHexDigits(path[i]));
                }
            } else {
                text.appendCodePoint(codePoint);
            }
            at += length;
        }
        return text.toString();
    }
}
