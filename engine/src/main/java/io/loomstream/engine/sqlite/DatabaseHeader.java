package io.loomstream.engine.sqlite;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/**
 * The fields of a database file's first 100 bytes that matter to a replicator (sqlite.org/fileformat2.html, "The
 * Database Header"). The change counter is left out on purpose: in WAL mode it proves nothing.
 *
 * @param pageSize bytes
 * @param walMode both format versions are 2: readers and writers use a WAL
 */
public record DatabaseHeader(int pageSize, boolean walMode) {
    public static final int SIZE_BYTES = 100;

    private static final byte[] MAGIC = "SQLite format 3\0".getBytes(StandardCharsets.US_ASCII);

    /** Empty when the bytes are not the header of an SQLite 3 database. */
    public static Optional<DatabaseHeader> parse(byte[] bytes, int length) {
        if (length < SIZE_BYTES || !Arrays.equals(bytes, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
            return Optional.empty();
        }
        int stored = Byte.toUnsignedInt(bytes[16]) << 8 | Byte.toUnsignedInt(bytes[17]);
        int pageSize = stored == 1 ? 65536 : stored;
        if (pageSize < 512 || Integer.bitCount(pageSize) != 1) {
            return Optional.empty();
        }
        return Optional.of(new DatabaseHeader(pageSize, bytes[18] == 2 && bytes[19] == 2));
    }
}
