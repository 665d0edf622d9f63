package io.loomstream.engine.ltx;

import java.util.Comparator;
import java.util.Optional;

/** The TXIDs an LTX file covers, both ends included, and the file name they make: {@code <min>-<max>.ltx}. */
public record TxidRange(Txid min, Txid max) implements Comparable<TxidRange> {
    private static final Comparator<TxidRange> ORDER =
            Comparator.comparing(TxidRange::min).thenComparing(TxidRange::max);
    private static final int NAME_LENGTH = 16 + 1 + 16 + ".ltx".length();

    public TxidRange {
        if (min.isZero() || min.isAfter(max)) {
            throw new IllegalArgumentException("not a TXID range: " + min + "-" + max);
        }
    }

    public static TxidRange of(Txid single) {
        return new TxidRange(single, single);
    }

    /** The range a file name stands for; empty when it is not exactly the name of an LTX file. */
    public static Optional<TxidRange> parseFileName(String name) {
        if (name.length() != NAME_LENGTH || name.charAt(16) != '-' || !name.endsWith(".ltx")) {
            return Optional.empty();
        }
        try {
            return Optional.of(new TxidRange(Txid.parse(name.substring(0, 16)), Txid.parse(name.substring(17, 33))));
        } catch (IllegalArgumentException notAnLtxName) {
            return Optional.empty();
        }
    }

    public String fileName() {
        return min + "-" + max + ".ltx";
    }

    public boolean contains(Txid txid) {
        return min.compareTo(txid) <= 0 && txid.compareTo(max) <= 0;
    }

    @Override
    public int compareTo(TxidRange other) {
        return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
        return min + "-" + max;
    }
}
