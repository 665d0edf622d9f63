package io.loomstream.engine.fleet;

/**
 * File names are bytes, most of them UTF-8. A byte that is no part of a valid character is a character of its own here, one
 * that no text equals, so that two names never become one.
 */
final class CodePoints {
    private static final int INVALID = 0x110000;

    private CodePoints() {}

    /** Decodes one character; {@link #lengthAt} says how many bytes it took. */
    static int at(byte[] text, int from, int to) {
        int length = lengthAt(text, from, to);
        int first = text[from] & 0xFF;
        return switch (length) {
            case 1 -> first < 0x80 ? first : INVALID + first;
            case 2 -> (first & 0x1F) << 6 | bits(text, from + 1);
            case 3 -> (first & 0x0F) << 12 | bits(text, from + 1) << 6 | bits(text, from + 2);
            default ->
                (first & 0x07) << 18 | bits(text, from + 1) << 12 | bits(text, from + 2) << 6 | bits(text, from + 3);
        };
    }

    /** Whether a decoded character stands for a byte that is not UTF-8. */
    static boolean isInvalid(int codePoint) {
        return codePoint >= INVALID;
    }

    /** Bytes of the character at a position: 1 for ASCII and for a byte that is not UTF-8. */
    static int lengthAt(byte[] text, int from, int to) {
        int first = text[from] & 0xFF;
        int length = first < 0xC2 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 1;
        if (from + length > to) {
            return 1;
        }
        for (int i = 1; i < length; i++) {
            if ((text[from + i] & 0xC0) != 0x80) {
                return 1;
            }
        }
        if (length >= 3 && !wellFormed(first, text[from + 1] & 0xFF)) {
            return 1;
        }
        return length;
    }

    /** No overlong forms, no surrogates, nothing above U+10FFFF (Unicode, table 3-7). */
    private static boolean wellFormed(int first, int second) {
        return switch (first) {
            case 0xE0 -> second >= 0xA0;
            case 0xED -> second < 0xA0;
            case 0xF0 -> second >= 0x90;
            case 0xF4 -> second < 0x90;
            default -> true;
        };
    }

    private static int bits(byte[] text, int at) {
        return text[at] & 0x3F;
    }
}
