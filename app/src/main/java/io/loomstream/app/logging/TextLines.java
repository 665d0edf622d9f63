package io.loomstream.app.logging;

/** {@code time=… level=INFO msg="…" key=value}: what Go's {@code slog.TextHandler} writes, times in UTC. */
final class TextLines implements LineFormat {
    @Override
    public String format(Line line) {
        var out = new StringBuilder(160);
        out.append("time=")
                .append(line.timeText())
                .append(" level=")
                .append(line.body().level());
        if (!line.source().isEmpty()) {
            append(out, "source", line.source());
        }
        append(out, "msg", line.body().message());
        for (Line.Attribute attribute : line.body().attributes()) {
            append(out, attribute.key(), attribute.value().toString());
        }
        return out.toString();
    }

    static void append(StringBuilder out, String key, String value) {
        out.append(' ');
        appendQuotedIfNeeded(out, key);
        out.append('=');
        appendQuotedIfNeeded(out, value);
    }

    private static void appendQuotedIfNeeded(StringBuilder out, String text) {
        if (!text.isEmpty() && text.codePoints().allMatch(TextLines::isPlain)) {
            out.append(text);
        } else {
            appendEscaped(out.append('"'), text);
            out.append('"');
        }
    }

    private static boolean isPlain(int c) {
        return c > ' ' && c != '"' && c != '=' && c != '\\' && isPrintable(c);
    }

    /** Everything a terminal may act on, such as an escape or a change of writing direction, is not. */
    private static boolean isPrintable(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            default -> true;
        };
    }

    /** Appends with everything escaped that is not printable; quotes and backslashes too. */
    static void appendEscaped(StringBuilder out, String text) {
        text.codePoints().forEach(c -> {
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                default -> {
                    if (isPrintable(c)) {
                        out.appendCodePoint(c);
                    } else {
                        for (char unit : Character.toChars(c)) {
                            String hex = Integer.toHexString(unit);
                            out.append("\\u").repeat('0', 4 - hex.length()).append(hex);
                        }
                    }
                }
            }
        });
    }
}
