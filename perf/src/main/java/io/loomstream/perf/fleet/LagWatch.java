package io.loomstream.perf.fleet;

import io.loomstream.engine.ltx.CodecResources;
import io.loomstream.engine.ltx.LtxDecoder;
import io.loomstream.engine.ltx.LtxHeader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * How long commits take to be on the replica, by the replica alone: a new L0 file is decoded for the rows in it, each of
 * which says when its transaction began, and the file's ctime says when it got its name. Looking is not timed, so it may be
 * slow. Not thread-safe.
 */
final class LagWatch {
    private final List<Path> directories;
    private final long sinceMicros;
    private final Map<Path, Seen> seen = new HashMap<>();
    private final List<Long> lagsMicros = new ArrayList<>();

    private static final class Seen {
        private final Set<String> names = new HashSet<>();
        private long newestMark;
    }

    /**
     * Begins to watch.
     *
     * @param directories where the L0 files of some databases appear
     */
    LagWatch(List<Path> directories, Instant since) {
        this.directories = List.copyOf(directories);
        this.sinceMicros = ChronoUnit.MICROS.between(Instant.EPOCH, since);
        directories.forEach(directory -> seen.put(directory, new Seen()));
    }

    /** Takes note of what is new. */
    void look() throws IOException, InterruptedException {
        for (Map.Entry<Path, Seen> entry : seen.entrySet()) {
            List<Path> fresh = new ArrayList<>();
            try (DirectoryStream<Path> files = Files.newDirectoryStream(entry.getKey(), "*.ltx")) {
                for (Path file : files) {
                    if (entry.getValue().names.add(file.getFileName().toString())) {
                        fresh.add(file);
                    }
                }
            } catch (NoSuchFileException notYet) {
                continue;
            }
            Collections.sort(fresh);
            for (Path file : fresh) {
                take(file, entry.getValue());
            }
        }
    }

    private void take(Path file, Seen of) throws IOException, InterruptedException {
        long visibleMicros;
        List<Long> marks;
        try {
            FileTime changed = (FileTime) Files.getAttribute(file, "unix:ctime");
            visibleMicros = ChronoUnit.MICROS.between(Instant.EPOCH, changed.toInstant());
            marks = marks(file);
        } catch (NoSuchFileException deleted) {
            return;
        }
        for (long mark : marks) {
            if (mark > of.newestMark) {
                of.newestMark = mark;
                if (mark >= sinceMicros) {
                    lagsMicros.add(visibleMicros - mark);
                }
            }
        }
    }

    private static List<Long> marks(Path file) throws IOException, InterruptedException {
        List<Long> marks = new ArrayList<>();
        try (InputStream in = Files.newInputStream(file);
                LtxDecoder decoder = new LtxDecoder(in, file.toString(), CodecResources.shared())) {
            LtxHeader header = decoder.header();
            byte[] page = new byte[header.pageSize()];
            while (decoder.nextPage(page, 0) != 0) {
                String text = new String(page, StandardCharsets.ISO_8859_1);
                for (int at = text.indexOf(FleetWriter.MARK); at >= 0; at = text.indexOf(FleetWriter.MARK, at + 1)) {
                    if (at + 18 <= text.length() && isHex(text, at + 2, at + 18)) {
                        marks.add(Long.parseLong(text, at + 2, at + 18, 16));
                    }
                }
            }
        }
        Collections.sort(marks);
        return marks;
    }

    private static boolean isHex(String text, int from, int to) {
        for (int i = from; i < to; i++) {
            if (Character.digit(text.charAt(i), 16) < 0) {
                return false;
            }
        }
        return true;
    }

    /** Commits whose lag is known. */
    int count() {
        return lagsMicros.size();
    }

    /** A lag that so much of all lags are below, milliseconds; NaN when none is known. */
    double percentileMillis(double part) {
        if (lagsMicros.isEmpty()) {
            return Double.NaN;
        }
        Collections.sort(lagsMicros);
        return lagsMicros.get((int) Math.min(lagsMicros.size() - 1.0, part * lagsMicros.size())) / 1000.0;
    }

    /** How many databases are watched. */
    int databases() {
        return directories.size();
    }
}
