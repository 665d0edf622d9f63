package io.loomstream.app.config;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations as Go writes them: {@code 300ms}, {@code 1.5h}, {@code 1h30m}, {@code -2s}. */
public final class GoDuration {
    private static final Pattern TERM = Pattern.compile("([0-9]+\\.?[0-9]*|\\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)");
    private static final BigDecimal NANOS_MAX = BigDecimal.valueOf(Long.MAX_VALUE);

    private GoDuration() {}

    /**
     * Reads a duration; {@code 0} is one, any other number needs a unit.
     *
     * @throws IllegalArgumentException with a message that says what is missing, without the text itself
     */
    public static Duration parse(String text) {
        boolean negative = text.startsWith("-");
        String body = negative || text.startsWith("+") ? text.substring(1) : text;
        if (body.equals("0")) {
            return Duration.ZERO;
        }
        BigDecimal nanos = BigDecimal.ZERO;
        Matcher term = TERM.matcher(body);
        int end = 0;
        while (end < body.length() && term.find(end) && term.start() == end) {
            nanos = nanos.add(new BigDecimal(term.group(1)).multiply(BigDecimal.valueOf(unitNanos(term.group(2)))));
            end = term.end();
        }
        if (body.isEmpty() || end < body.length()) {
            throw new IllegalArgumentException(
                    body.matches("[0-9_.]+")
                            ? "a duration needs a unit: ns, us, ms, s, m or h"
                            : "must be a duration such as 500ms, 10s or 1h30m (units: ns, us, ms, s, m, h)");
        }
        if (nanos.compareTo(NANOS_MAX) > 0) {
            throw new IllegalArgumentException("is longer than a duration can be, 292 years");
        }
        return Duration.ofNanos(negative ? -nanos.longValue() : nanos.longValue());
    }

    private static long unitNanos(String unit) {
        return switch (unit) {
            case "ns" -> 1;
            case "ms" -> 1_000_000;
            case "s" -> 1_000_000_000;
            case "m" -> 60_000_000_000L;
            case "h" -> 3_600_000_000_000L;
            default -> 1_000;
        };
    }

    /** The text that Go prints: {@code 1h0m0s}, {@code 1.5s}, {@code 250ms}, {@code 0s}. */
    public static String format(Duration duration) {
        if (duration.isNegative()) {
            return "-" + format(duration.negated());
        }
        if (duration.isZero()) {
            return "0s";
        }
        long nanos = duration.toNanos();
        if (nanos < 1_000) {
            return nanos + "ns";
        }
        if (nanos < 1_000_000) {
            return decimal(nanos, 3) + "µs";
        }
        if (nanos < 1_000_000_000) {
            return decimal(nanos, 6) + "ms";
        }
        long hours = duration.toHours();
        long minutes = duration.toMinutes();
        String seconds = decimal(nanos - minutes * 60_000_000_000L, 9) + "s";
        return hours > 0 ? hours + "h" + minutes % 60 + "m" + seconds : minutes > 0 ? minutes + "m" + seconds : seconds;
    }

    private static String decimal(long value, int scale) {
        BigDecimal exact = BigDecimal.valueOf(value, scale).stripTrailingZeros();
        return exact.toPlainString();
    }
}
