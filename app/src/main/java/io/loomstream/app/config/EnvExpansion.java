package io.loomstream.app.config;

import java.util.function.Function;

/**
 * Replaces {@code $NAME} and <code>${NAME}</code>, by the rules of Go's {@code os.Expand}, which Litestream applies to
 * the raw text before it is YAML. A single special character or digit is a name too, so {@code $$} vanishes;
 * <code>${A:-b}</code> looks up a variable of that very name; <code>${}</code> and an unclosed <code>${</code> are eaten.
 */
final class EnvExpansion {
    private static final String SPECIAL_NAMES = "*#$@!?-0123456789";

    private EnvExpansion() {}

    /** Expands with what {@code variables} gives for a name; the empty string stands for one that is not set. */
    static String expand(String text, Function<String, String> variables) {
        int dollar = text.indexOf('$');
        if (dollar < 0) {
            return text;
        }
        var out = new StringBuilder(text.length());
        int copied = 0;
        while (dollar >= 0 && dollar + 1 < text.length()) {
            out.append(text, copied, dollar);
            copied = dollar + 1 + replace(text, dollar + 1, variables, out);
            dollar = text.indexOf('$', copied);
        }
        return out.append(text, copied, text.length()).toString();
    }

    /** Appends what stands for the name at {@code start}; returns how many characters the name took. */
    private static int replace(String text, int start, Function<String, String> variables, StringBuilder out) {
        char first = text.charAt(start);
        if (first == '{') {
            return replaceBraced(text, start, variables, out);
        }
        if (SPECIAL_NAMES.indexOf(first) >= 0) {
            out.append(variables.apply(String.valueOf(first)));
            return 1;
        }
        int end = start;
        while (end < text.length() && isNameCharacter(text.charAt(end))) {
            end++;
        }
        if (end == start) {
            out.append('$');
            return 0;
        }
        out.append(variables.apply(text.substring(start, end)));
        return end - start;
    }

    private static int replaceBraced(String text, int start, Function<String, String> variables, StringBuilder out) {
        int close = text.indexOf('}', start);
        if (close < 0) {
            return 1;
        }
        if (close > start + 1) {
            out.append(variables.apply(text.substring(start + 1, close)));
        }
        return close + 1 - start;
    }

    private static boolean isNameCharacter(char c) {
        return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }
}
