package io.loomstream.app.logging;

/** For people: time of day (UTC), level, message, then keys and values. */
final class ShortLines implements LineFormat {
    @Override
    public String format(Line line) {
        var out = new StringBuilder(120);
        String time = line.timeText();
        out.append(time, time.indexOf('T') + 1, time.indexOf('Z'))
                .append(' ')
                .append(line.body().level())
                .append(line.body().level().name().length() < 5 ? "  " : " ");
        TextLines.appendEscaped(out, line.body().message());
        for (Line.Attribute attribute : line.body().attributes()) {
            TextLines.append(out, attribute.key(), attribute.value().toString());
        }
        if (!line.source().isEmpty()) {
            TextLines.append(out, "source", line.source());
        }
        return out.toString();
    }
}
