package io.loomstream.perf.check;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.Optional;

/**
 * Compares a restored database with its source page for page, when nobody writes to the source. What the source's WAL or
 * rollback journal holds is applied to a copy first, as any next reader would do. Every byte counts: a checkpoint and a
 * rollback change nothing else, so no exception is made for the change counter or any other field of page 1.
 */
public final class PageCompare {
    private PageCompare() {}

    /** The first difference, in words; empty when there is none. */
    public static Optional<String> difference(Path source, Path restored) throws IOException, SQLException {
        Path directory = Files.createTempDirectory("compare");
        try {
            Path copy = directory.resolve("copy.db");
            copyDatabase(source, copy);
            return compare(copy, restored);
        } finally {
            try (var files = Files.list(directory)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(directory);
        }
    }

    static void copyDatabase(Path source, Path copy) throws IOException, SQLException {
        Files.copy(source, copy);
        boolean side = false;
        for (String suffix : new String[] {"-wal", "-journal"}) {
            Path beside = source.resolveSibling(source.getFileName() + suffix);
            if (Files.exists(beside)) {
                Files.copy(
                        beside, copy.resolveSibling(copy.getFileName() + suffix), StandardCopyOption.REPLACE_EXISTING);
                side = true;
            }
        }
        if (!side) {
            return;
        }
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + copy);
                Statement statement = connection.createStatement();
                ResultSet answer = statement.executeQuery("pragma wal_checkpoint(truncate)")) {
            answer.next();
            if (answer.getInt(1) != 0) {
                throw new IllegalStateException("the copy of " + source + " cannot be checkpointed");
            }
        }
    }

    static Optional<String> compare(Path left, Path right) throws IOException {
        try (FileChannel one = FileChannel.open(left);
                FileChannel other = FileChannel.open(right)) {
            if (one.size() != other.size()) {
                return Optional.of(one.size() + " bytes and " + other.size());
            }
            int pageSize = pageSize(one);
            byte[] first = new byte[pageSize];
            byte[] second = new byte[pageSize];
            for (long page = 0; page * pageSize < one.size(); page++) {
                read(one, page * pageSize, first);
                read(other, page * pageSize, second);
                int mismatch = Arrays.mismatch(first, second);
                if (mismatch >= 0) {
                    return Optional.of("page " + (page + 1) + " of " + one.size() / pageSize + " differs at byte "
                            + mismatch + ": " + (first[mismatch] & 0xff) + " and " + (second[mismatch] & 0xff));
                }
            }
            return Optional.empty();
        }
    }

    private static int pageSize(FileChannel database) throws IOException {
        ByteBuffer field = ByteBuffer.allocate(2);
        if (database.read(field, 16) < 2) {
            return 512;
        }
        int size = field.getShort(0) & 0xffff;
        return size == 1 ? 65_536 : size;
    }

    private static void read(FileChannel file, long position, byte[] into) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(into);
        while (buffer.hasRemaining() && file.read(buffer, position + buffer.position()) >= 0) {
            // Until it is full or the file ends.
        }
    }
}
