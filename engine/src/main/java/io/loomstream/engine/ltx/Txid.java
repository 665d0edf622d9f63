package io.loomstream.engine.ltx;

import java.util.HexFormat;

/**
 * A transaction id: the position of a copy in a database's history. Counts copies, not SQLite transactions. Unsigned;
 * 0 means "no position yet". The text form is 16 lower-case hexadecimal digits.
 */
public record Txid(long value) implements Comparable<Txid> {
    public static final Txid ZERO = new Txid(0);
    public static final Txid ONE = new Txid(1);

    /**
     * Reads the text form back.
     *
     * @param text 16 lower-case hexadecimal digits
     * @throws IllegalArgumentException naming the text when it is anything else
     */
    public static Txid parse(String text) {
        if (text.length() != 16 || !text.chars().allMatch(c -> (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            throw new IllegalArgumentException("a TXID is 16 lower-case hexadecimal digits, not \"" + text + "\"");
        }
        return new Txid(HexFormat.fromHexDigitsToLong(text));
    }

    public boolean isZero() {
        return value == 0;
    }

    public Txid next() {
        return new Txid(value + 1);
    }

    public Txid previous() {
        return new Txid(value - 1);
    }

    public boolean isAfter(Txid other) {
        return compareTo(other) > 0;
    }

    public Txid max(Txid other) {
        return isAfter(other) ? this : other;
    }

    @Override
    public int compareTo(Txid other) {
        return Long.compareUnsigned(value, other.value);
    }

    @Override
    public String toString() {
        return HexFormat.of().toHexDigits(value);
    }
}
