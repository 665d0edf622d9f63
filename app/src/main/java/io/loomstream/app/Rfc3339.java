package io.loomstream.app;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;

/** Points in time as command lines and results carry them. */
final class Rfc3339 {
    private Rfc3339() {}

    /** In UTC, to the second, as Litestream's tables have it. */
    static String format(Instant moment) {
        return moment.truncatedTo(ChronoUnit.SECONDS).toString();
    }

    /**
     * Reads a moment with its offset from UTC.
     *
     * @throws UsageException when the text is none
     */
    static Instant parse(String text, String flag) throws UsageException {
        try {
            return OffsetDateTime.parse(text).toInstant();
        } catch (DateTimeException e) {
            throw new UsageException("invalid " + flag + ", must specify in ISO 8601 format, such as "
                    + "2026-01-02T15:04:05Z or 2026-01-02T15:04:05.250+01:00 (got " + text + ")");
        }
    }
}
