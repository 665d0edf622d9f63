package io.loomstream.admin;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * A free place below the directory that restores may write to. The directory is its owner's: who else may write to it while
 * a restore runs could exchange parts of a path after they were looked at.
 *
 * @param root the directory, without links
 * @param output the file to make
 */
record RestorePlace(Path root, Path output) {
    private static final int LENGTH_MAX = 1_024;
    private static final int NAME_BYTES_MAX = 200;
    private static final List<String> SIDES = List.of("", "-wal", "-shm", "-journal");

    /**
     * What a caller's text means.
     *
     * @param directory below which everything has to be
     * @throws Problem when it leads elsewhere, or something is there
     */
    static RestorePlace of(Path directory, String text) {
        List<String> names = names(text);
        Path root;
        try {
            root = directory.toRealPath();
        } catch (IOException e) {
            throw new Problem(
                    409, "admin.restore-dir cannot be used: there is no such directory, or it cannot be read");
        }
        Path at = root;
        for (String name : names.subList(0, names.size() - 1)) {
            at = at.resolve(name);
            if (Files.isSymbolicLink(at)) {
                throw Problem.badRequest("output: leads through a symbolic link, and links are not followed");
            }
            if (Files.exists(at, LinkOption.NOFOLLOW_LINKS) && !Files.isDirectory(at, LinkOption.NOFOLLOW_LINKS)) {
                throw new Problem(409, "output: leads through a file");
            }
        }
        RestorePlace place = new RestorePlace(root, at.resolve(names.getLast()));
        place.requireFree();
        return place;
    }

    private static List<String> names(String text) {
        if (text.isEmpty() || text.length() > LENGTH_MAX) {
            throw Problem.badRequest("output: must be a relative path of 1 to " + LENGTH_MAX + " characters");
        }
        if (text.codePoints().anyMatch(RestorePlace::isOdd)) {
            throw Problem.badRequest("output: must not hold control characters, line ends or halves of characters");
        }
        if (text.startsWith("/")) {
            throw Problem.badRequest("output: must be a path relative to admin.restore-dir");
        }
        List<String> names = List.of(text.split("/", -1));
        for (String name : names) {
            if (name.isEmpty() || name.equals(".") || name.equals("..")) {
                throw Problem.badRequest("output: must not hold empty parts, \".\" or \"..\"");
            }
            if (name.getBytes(StandardCharsets.UTF_8).length > NAME_BYTES_MAX) {
                throw Problem.badRequest("output: a part is longer than " + NAME_BYTES_MAX + " bytes");
            }
        }
        return names;
    }

    private static boolean isOdd(int c) {
        int type = Character.getType(c);
        return type == Character.CONTROL
                || type == Character.LINE_SEPARATOR
                || type == Character.PARAGRAPH_SEPARATOR
                || type == Character.SURROGATE;
    }

    /** @throws Problem when something has the name, be it a link that leads nowhere, or stands where SQLite would look */
    void requireFree() {
        for (String side : SIDES) {
            Path file = output.resolveSibling(output.getFileName() + side);
            if (!Files.notExists(file, LinkOption.NOFOLLOW_LINKS)) {
                throw new Problem(409, "output: there is something at this place, and nothing is ever replaced");
            }
        }
    }

    /** Directories on the way that are not there yet, the outermost first. */
    List<Path> missingDirectories() {
        Deque<Path> missing = new ArrayDeque<>();
        for (Path at = output.getParent(); at != null && !at.equals(root); at = at.getParent()) {
            if (Files.notExists(at, LinkOption.NOFOLLOW_LINKS)) {
                missing.addFirst(at);
            }
        }
        return List.copyOf(missing);
    }

    /** The output as callers know it. */
    String shown() {
        return root.relativize(output).toString();
    }
}
