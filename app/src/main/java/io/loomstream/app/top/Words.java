package io.loomstream.app.top;

import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Locale;

/** Text that may be printed on a terminal, whatever it came from, and its width there. */
final class Words {
    private static final String CUT = "..";

    private Words() {}

    /**
     * The text with everything escaped that a terminal could take for an order, or that would hide or turn around other
     * text: control characters (a database's name may hold an escape sequence), format characters, line ends, and halves
     * of characters.
     */
    static String safe(String text) {
        StringBuilder safe = new StringBuilder();
        text.codePoints().forEach(c -> {
            boolean plain = switch (Character.getType(c)) {
                case Character.CONTROL,
                        Character.FORMAT,
                        Character.LINE_SEPARATOR,
                        Character.PARAGRAPH_SEPARATOR,
                        Character.SURROGATE,
                        Character.PRIVATE_USE,
                        Character.UNASSIGNED -> false;
                default -> true;
            };
            if (plain) {
                safe.appendCodePoint(c);
            } else {
                safe.append(String.format(Locale.ROOT, c < 0x100 ? "\\x%02x" : "\\u{%x}", c));
            }
        });
        return safe.toString();
    }

    /** Columns that a safe text takes. */
    static int width(String text) {
        return text.codePoints().map(Words::width).sum();
    }

    private static int width(int c) {
        int type = Character.getType(c);
        if (type == Character.NON_SPACING_MARK || type == Character.ENCLOSING_MARK) {
            return 0;
        }
        // The blocks of wide characters (Unicode's EastAsianWidth W and F), coarsely: one too many only costs a space.
        boolean wide = (c >= 0x1100 && c <= 0x115f)
                || (c >= 0x2e80 && c <= 0xa4cf)
                || (c >= 0xac00 && c <= 0xd7a3)
                || (c >= 0xf900 && c <= 0xfaff)
                || (c >= 0xfe30 && c <= 0xfe6f)
                || (c >= 0xff00 && c <= 0xff60)
                || (c >= 0xffe0 && c <= 0xffe6)
                || (c >= 0x1f300 && c <= 0x1faff)
                || (c >= 0x20000 && c <= 0x3fffd);
        return wide ? 2 : 1;
    }

    /** At most so wide; the end is cut off. */
    static String cut(String text, int width) {
        if (width(text) <= width) {
            return text;
        }
        StringBuilder kept = new StringBuilder();
        int room = width - CUT.length();
        for (int c : text.codePoints().toArray()) {
            room -= width(c);
            if (room < 0) {
                break;
            }
            kept.appendCodePoint(c);
        }
        return width < CUT.length() ? ".".repeat(Math.max(0, width)) : kept + CUT;
    }

    /** At most so wide; the beginning is cut off: the end of a path says more. */
    static String cutHead(String text, int width) {
        if (width(text) <= width) {
            return text;
        }
        int room = width - CUT.length();
        int[] all = text.codePoints().toArray();
        int from = all.length;
        while (from > 0 && room - width(all[from - 1]) >= 0) {
            room -= width(all[--from]);
        }
        return width < CUT.length() ? ".".repeat(Math.max(0, width)) : CUT + new String(all, from, all.length - from);
    }

    /** Filled up to so many columns. */
    static String padded(String text, int width) {
        return text + " ".repeat(Math.max(0, width - width(text)));
    }

    static String duration(double seconds) {
        if (seconds < 120) {
            return Math.round(seconds) + " s";
        }
        if (seconds < 7_200) {
            return Math.round(seconds / 60) + " min";
        }
        return seconds < 172_800 ? Math.round(seconds / 3_600) + " h" : Math.round(seconds / 86_400) + " d";
    }

    static String ago(String moment, Instant now) {
        try {
            double seconds = Duration.between(Instant.parse(moment), now).toMillis() / 1e3;
            return seconds < 1 ? "now" : duration(seconds) + " ago";
        } catch (DateTimeParseException none) {
            return "-";
        }
    }

    static String number(double value) {
        return String.format(Locale.ROOT, "%,d", Math.round(value));
    }

    static String tenths(double value) {
        return String.format(Locale.ROOT, "%,.1f", value);
    }
}
