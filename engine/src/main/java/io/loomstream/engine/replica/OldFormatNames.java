package io.loomstream.engine.replica;

import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The names that Litestream v0.3 gave; whatever else lies beside them is passed over. */
public final class OldFormatNames {
    public static final String GENERATIONS = "generations";
    public static final String SNAPSHOTS = "snapshots";
    public static final String WAL = "wal";

    private static final Pattern GENERATION = Pattern.compile("[0-9a-f]{16}");
    private static final Pattern SNAPSHOT = Pattern.compile("([0-9a-f]{8})\\.snapshot\\.lz4");
    private static final Pattern SEGMENT = Pattern.compile("([0-9a-f]{8})_([0-9a-f]{8,16})\\.wal\\.lz4");
    private static final HexFormat HEX = HexFormat.of();
    private static final int INDEX_DIGITS = 8;

    private OldFormatNames() {}

    /** Index of a WAL, and the offset of a piece of it. */
    public record Place(long index, long offset) {}

    public static boolean isGeneration(String name) {
        return GENERATION.matcher(name).matches();
    }

    /** The index that a snapshot's name stands for. */
    public static Optional<Long> snapshotIndex(String name) {
        Matcher matcher = SNAPSHOT.matcher(name);
        return matcher.matches() ? Optional.of(HexFormat.fromHexDigitsToLong(matcher.group(1))) : Optional.empty();
    }

    /** What a segment's name stands for. */
    public static Optional<Place> segmentPlace(String name) {
        Matcher matcher = SEGMENT.matcher(name);
        return matcher.matches()
                ? Optional.of(new Place(
                        HexFormat.fromHexDigitsToLong(matcher.group(1)),
                        HexFormat.fromHexDigitsToLong(matcher.group(2))))
                : Optional.empty();
    }

    public static String snapshotName(long index) {
        return HEX.toHexDigits(index, INDEX_DIGITS) + ".snapshot.lz4";
    }

    /**
     * The name of a segment.
     *
     * @param offsetDigits 8, as v0.3.13 writes it, or 16 as other releases did
     */
    public static String segmentName(long index, long offset, int offsetDigits) {
        return HEX.toHexDigits(index, INDEX_DIGITS) + "_" + HEX.toHexDigits(offset, offsetDigits) + ".wal.lz4";
    }
}
