package io.loomstream.engine.fleet;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.posix.Posix;
import io.loomstream.engine.sqlite.DatabaseHeader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** What a selection finds at one moment, for commands that serve nothing. Blocks on the disk. */
public final class FoundDatabases {
    private static final Duration NEVER_AGAIN = Duration.ofDays(1);

    private FoundDatabases() {}

    /** A file that is selected; whether it is a database is not known. */
    public record Found(Path path, int pattern) {}

    /** Looks once, in the order of paths. Files whose names are not UTF-8 are left out: Java cannot name them. */
    public static List<Found> in(Selection selection) throws InterruptedException {
        PathTable table = new PathTable();
        Scanner.of(table, selection, Posix.load(), Time.system(), new Silent(), NEVER_AGAIN)
                .pass();
        List<Found> found = new ArrayList<>();
        for (int row : table.rows(Tier.DISCOVERED)) {
            table.path(row).ifPresent(path -> found.add(new Found(path, table.pattern(row))));
        }
        found.sort(Comparator.comparing(
                one -> one.path().toString().getBytes(StandardCharsets.UTF_8), (a, b) -> Arrays.compareUnsigned(a, b)));
        return found;
    }

    /**
     * Whether a file begins as a database does. Only for files that this process has no locks on: closing any descriptor of a
     * file drops them.
     */
    public static boolean isDatabase(Path file) throws IOException {
        byte[] header = new byte[DatabaseHeader.SIZE_BYTES];
        try (InputStream in = Files.newInputStream(file)) {
            return DatabaseHeader.parse(header, in.readNBytes(header, 0, header.length))
                    .isPresent();
        } catch (NoSuchFileException gone) {
            return false;
        }
    }

    private static final class Silent implements ScanListener {
        @Override
        public void appeared(int row) {}

        @Override
        public void written(int row, boolean replaced) {}

        @Override
        public void gone(int row) {}

        @Override
        public void unknown(int row, String why) {}

        @Override
        public void unreadable(byte[] path, String why) {}

        @Override
        public void refused(byte[] path, Refusal why, int row) {}

        @Override
        public void incident(int missing, int known) {}

        @Override
        public void finished(PassReport report) {}
    }
}
