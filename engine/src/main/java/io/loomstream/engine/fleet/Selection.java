package io.loomstream.engine.fleet;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Which files are databases of a fleet, by their paths alone: some patterns less some excludes. SQLite's own side files
 * ({@code -wal}, {@code -shm}, {@code -journal}) never are, and what lies in a meta directory is not looked at.
 *
 * <p>Immutable, thread-safe.
 */
public final class Selection {
    static final byte[] WAL = "-wal".getBytes(StandardCharsets.US_ASCII);
    static final byte[] JOURNAL = "-journal".getBytes(StandardCharsets.US_ASCII);
    static final byte[] SHM = "-shm".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] META_DIRECTORY = "-litestream".getBytes(StandardCharsets.US_ASCII);

    /** Not selected. */
    static final int NONE = -1;

    /** A row of the path table keeps the number of its pattern in a short. */
    private static final int PATTERNS_MAX = Short.MAX_VALUE;

    private final List<PathPattern> patterns;
    private final List<PathPattern> excludes;
    private final boolean followingLinks;

    private Selection(List<PathPattern> patterns, List<PathPattern> excludes, boolean followingLinks) {
        if (patterns.isEmpty() || patterns.size() > PATTERNS_MAX) {
            throw new IllegalArgumentException(
                    "a fleet needs 1 to " + PATTERNS_MAX + " patterns, not " + patterns.size());
        }
        this.patterns = List.copyOf(patterns);
        this.excludes = List.copyOf(excludes);
        this.followingLinks = followingLinks;
    }

    /**
     * What {@code multi-db} selects. Directories that are symbolic links are entered.
     *
     * @throws IllegalArgumentException naming a malformed pattern
     */
    public static Selection ofPatterns(List<String> patterns, List<String> excludes) {
        List<PathPattern> included = new ArrayList<>();
        patterns.forEach(text -> included.addAll(PathPattern.compile(text)));
        List<PathPattern> excluded = new ArrayList<>();
        excludes.forEach(text -> excluded.addAll(PathPattern.compileExclude(text)));
        return new Selection(included, excluded, true);
    }

    /**
     * What a {@code dir} entry selects, as Litestream does: links are not followed.
     *
     * @throws IllegalArgumentException when the directory is not absolute or the pattern is malformed
     */
    public static Selection ofDirectory(String directory, String pattern, boolean recursive) {
        return new Selection(List.of(PathPattern.ofDirectory(directory, pattern, recursive)), List.of(), false);
    }

    /** The patterns, braces filled in; a row's pattern is its position here. */
    public List<PathPattern> patterns() {
        return patterns;
    }

    /** Whether directories that are symbolic links are entered. */
    public boolean followsLinks() {
        return followingLinks;
    }

    /** Where to begin; none is below another. */
    public List<String> roots() {
        Set<String> all = new LinkedHashSet<>();
        patterns.forEach(pattern -> all.add(pattern.root()));
        return all.stream()
                .filter(root -> all.stream().noneMatch(other -> !other.equals(root) && isBelow(root, other)))
                .toList();
    }

    private static boolean isBelow(String path, String directory) {
        return path.startsWith(directory.endsWith("/") ? directory : directory + "/");
    }

    /** The number of the first pattern that selects the file at an absolute path, whether it exists or not. */
    public OptionalInt select(String path) {
        byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
        byte[] name = path.substring(path.lastIndexOf('/') + 1).getBytes(StandardCharsets.UTF_8);
        int pattern = name.length == 0 || isSideFile(name, name.length) ? NONE : patternOf(bytes, bytes.length);
        return pattern == NONE || isInMetaDirectory(path, patterns.get(pattern).root())
                ? OptionalInt.empty()
                : OptionalInt.of(pattern);
    }

    private static boolean isInMetaDirectory(String path, String root) {
        String[] segments = path.substring(root.length()).split("/", -1);
        for (int i = 0; i < segments.length - 1; i++) {
            byte[] segment = segments[i].getBytes(StandardCharsets.UTF_8);
            if (segment.length > 0 && isMetaDirectory(segment, segment.length)) {
                return true;
            }
        }
        return false;
    }

    /** The first pattern that selects the file at a path, or -1. */
    int patternOf(byte[] path, int length) {
        for (int i = 0; i < patterns.size(); i++) {
            if (patterns.get(i).matches(path, length)) {
                return isExcluded(path, length) ? NONE : i;
            }
        }
        return NONE;
    }

    private boolean isExcluded(byte[] path, int length) {
        for (PathPattern exclude : excludes) {
            if (exclude.matches(path, length)) {
                return true;
            }
        }
        return false;
    }

    /** Whether a directory is worth looking into. */
    boolean mayHoldMatches(byte[] directory, int length) {
        for (PathPattern exclude : excludes) {
            if (exclude.coversDirectory(directory, length)) {
                return false;
            }
        }
        for (PathPattern pattern : patterns) {
            if (pattern.couldMatchBelow(directory, length)) {
                return true;
            }
        }
        return false;
    }

    /** Whether a name is that of a meta directory, ours or Litestream's: full of files, none of them a database. */
    static boolean isMetaDirectory(byte[] name, int length) {
        return name[0] == '.' && endsWith(name, length, META_DIRECTORY);
    }

    static boolean isSideFile(byte[] name, int length) {
        return endsWith(name, length, WAL) || endsWith(name, length, SHM) || endsWith(name, length, JOURNAL);
    }

    static boolean endsWith(byte[] name, int length, byte[] suffix) {
        return length > suffix.length && Arrays.equals(name, length - suffix.length, length, suffix, 0, suffix.length);
    }
}
