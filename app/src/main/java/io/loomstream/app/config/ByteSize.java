package io.loomstream.app.config;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes as Litestream reads them: {@code 10MB}, {@code 8 MiB}, {@code 1.5G}, {@code 5,242,880}. */
final class ByteSize {
    private static final Pattern FORM = Pattern.compile("([0-9.,]+) *([a-zA-Z]*)");
    private static final String PREFIXES = "kmgtpe";
    private static final BigDecimal BYTES_MAX = BigDecimal.valueOf(Long.MAX_VALUE);

    private ByteSize() {}

    /**
     * Reads a number of bytes; a fraction of a byte is dropped. {@code K} and {@code KB} are 1,000, {@code Ki} and {@code
     * KiB} are 1,024, and so on; case does not matter, nor do commas.
     *
     * @throws IllegalArgumentException with a message that says what is wanted, without the text itself
     */
    static long parse(String text) {
        Matcher form = FORM.matcher(text.strip());
        if (!form.matches()) {
            throw new IllegalArgumentException(wanted());
        }
        BigDecimal number;
        try {
            number = new BigDecimal(form.group(1).replace(",", ""));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(wanted(), e);
        }
        BigDecimal bytes =
                number.multiply(new BigDecimal(unitBytes(form.group(2).toLowerCase(Locale.ROOT))));
        if (bytes.compareTo(BYTES_MAX) > 0) {
            throw new IllegalArgumentException("is more bytes than any file can have");
        }
        return bytes.longValue();
    }

    private static BigInteger unitBytes(String unit) {
        if (unit.isEmpty() || unit.equals("b")) {
            return BigInteger.ONE;
        }
        int power = PREFIXES.indexOf(unit.charAt(0)) + 1;
        int base = switch (unit.substring(1)) {
            case "", "b" -> 1000;
            case "i", "ib" -> 1024;
            default -> 0;
        };
        if (power == 0 || base == 0) {
            throw new IllegalArgumentException(wanted());
        }
        return BigInteger.valueOf(base).pow(power);
    }

    private static String wanted() {
        return "must be a size such as 10MB or 8MiB (units: B, KB, MB, GB, TB, PB, EB, KiB, MiB, GiB, TiB, PiB, EiB)";
    }
}
