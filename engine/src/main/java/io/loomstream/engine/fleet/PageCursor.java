package io.loomstream.engine.fleet;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;

/** Where a page begins. Its text means nothing to others; anything that is not one is refused. */
sealed interface PageCursor {
    /** In the order of the table: a section and a row of it. */
    record Row(int section, int row) implements PageCursor {}

    /** In a sorted list: after this one. Smaller numbers come first, then paths by their bytes. */
    @SuppressWarnings("ArrayRecordComponent") // compared by its bytes below; nobody changes them
    record After(long number, byte[] path) implements PageCursor, Comparable<After> {
        @Override
        public int compareTo(After other) {
            int byNumber = Long.compare(number, other.number);
            return byNumber != 0 ? byNumber : Arrays.compareUnsigned(path, other.path);
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof After after && compareTo(after) == 0;
        }

        @Override
        public int hashCode() {
            return Long.hashCode(number) * 31 + Arrays.hashCode(path);
        }
    }

    /** The text of a cursor, safe in a URL. */
    default String text() {
        return switch (this) {
            case Row(int section, int row) -> "r" + section + "." + row;
            case After(long number, byte[] path) ->
                "a" + number + "." + Base64.getUrlEncoder().withoutPadding().encodeToString(path);
        };
    }

    /**
     * Reads a text back.
     *
     * @throws IllegalArgumentException when it is not a cursor of this order
     */
    static PageCursor parse(String text, boolean sorted) {
        int dot = text.indexOf('.');
        if (dot < 2 || text.charAt(0) != (sorted ? 'a' : 'r') || text.length() > 6_000) {
            throw new IllegalArgumentException("not a cursor of this list");
        }
        try {
            long number = Long.parseLong(text.substring(1, dot));
            String rest = text.substring(dot + 1);
            PageCursor parsed = sorted
                    ? new After(number, Base64.getUrlDecoder().decode(rest.getBytes(StandardCharsets.ISO_8859_1)))
                    : new Row(Math.toIntExact(number), Integer.parseInt(rest));
            if (parsed instanceof Row(int section, int row) && (section < 0 || row < 0)) {
                throw new IllegalArgumentException("negative");
            }
            return parsed;
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new IllegalArgumentException("not a cursor of this list", e);
        }
    }
}
