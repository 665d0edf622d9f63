package io.loomstream.engine.fleet;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A glob over absolute paths, as in {@code multi-db.patterns}. Between slashes: {@code *} any characters, {@code ?} one,
 * {@code [a-z]} one of a set, {@code [!a-z]} or {@code [^a-z]} one not of it, {@code \x} the character x itself. A segment
 * {@code **} stands for any number of directories, none included. {@code {a,b}} is short for two patterns and may hold
 * slashes and further braces. A leading dot is a character like any other. Case matters.
 *
 * <p>Paths are bytes, without "." and ".." and doubled slashes, as the scanner makes them. Immutable, thread-safe.
 */
public final class PathPattern {
    /** A state for each segment and one for "done", in one long. */
    private static final int SEGMENTS_MAX = 62;

    private static final int ALTERNATIVES_MAX = 256;
    private static final NamePattern ANY_DEPTH = NamePattern.compile("**", NamePattern.Dialect.SHELL);

    /** What a last "**" stands for: something below the directory, at any depth, not the directory itself. */
    private static final NamePattern ANY_NAME = NamePattern.compile("*", NamePattern.Dialect.SHELL);

    private final String text;
    private final NamePattern[] segments;
    private final String root;

    private PathPattern(String text, List<NamePattern> segments) {
        if (segments.size() > SEGMENTS_MAX) {
            throw wrong(text, "it has " + segments.size() + " segments, more than " + SEGMENTS_MAX);
        }
        this.text = text;
        this.segments = segments.toArray(NamePattern[]::new);
        this.root = staticPrefix();
    }

    /**
     * Reads a pattern of absolute paths.
     *
     * @return one for each way to fill its braces
     * @throws IllegalArgumentException naming the pattern and what is wrong with it
     */
    public static List<PathPattern> compile(String text) {
        return compile(text, false);
    }

    /**
     * Reads an exclude: a pattern that begins with "/", or with a segment {@code **} for "anywhere".
     *
     * @throws IllegalArgumentException naming the pattern and what is wrong with it
     */
    public static List<PathPattern> compileExclude(String text) {
        return compile(text, true);
    }

    private static List<PathPattern> compile(String text, boolean exclude) {
        List<PathPattern> patterns = new ArrayList<>();
        for (String alternative : braces(text)) {
            String absolute = exclude && (alternative.equals("**") || alternative.startsWith("**/"))
                    ? "/" + alternative
                    : alternative;
            if (!absolute.startsWith("/")) {
                throw wrong(text, exclude ? "it must begin with \"/\" or \"**/\"" : "it must begin with \"/\"");
            }
            patterns.add(new PathPattern(alternative, segments(text, absolute)));
        }
        return patterns;
    }

    /**
     * What Litestream's {@code dir}, {@code pattern} and {@code recursive} select: base names by its simpler globs, braces
     * and {@code [!a]} having no meaning, in one directory or in all below it.
     *
     * @throws IllegalArgumentException when the directory is not absolute or the pattern is malformed
     */
    public static PathPattern ofDirectory(String directory, String pattern, boolean recursive) {
        if (!directory.startsWith("/")) {
            throw new IllegalArgumentException("directory \"" + directory + "\" is not an absolute path");
        }
        List<NamePattern> segments = new ArrayList<>();
        for (String name : directory.split("/", -1)) {
            if (name.equals("..")) {
                throw new IllegalArgumentException("directory \"" + directory + "\" has a segment \"..\"");
            }
            if (!name.isEmpty() && !name.equals(".")) {
                segments.add(NamePattern.compile(escape(name), NamePattern.Dialect.SHELL));
            }
        }
        if (recursive) {
            segments.add(ANY_DEPTH);
        }
        segments.add(NamePattern.compile(pattern, NamePattern.Dialect.LITESTREAM));
        return new PathPattern(directory + (recursive ? "/**/" : "/") + pattern, segments);
    }

    private static String escape(String name) {
        return name.replaceAll("([\\\\*?\\[\\]])", "\\\\$1");
    }

    private static List<NamePattern> segments(String text, String absolute) {
        List<NamePattern> segments = new ArrayList<>();
        for (String segment : absolute.substring(1).split("/", -1)) {
            switch (segment) {
                case "" -> throw wrong(text, "it has an empty segment: a doubled or a last \"/\"");
                case ".", ".." -> throw wrong(text, "it has a segment \"" + segment + "\"");
                case "**" -> {
                    // A second one in a row adds nothing.
                    if (segments.isEmpty() || segments.getLast() != ANY_DEPTH) {
                        segments.add(ANY_DEPTH);
                    }
                }
                default -> {
                    if (segment.replace("\\\\", "").replace("\\*", "").contains("**")) {
                        throw wrong(text, "\"**\" must be a whole segment, which \"" + segment + "\" is not");
                    }
                    segments.add(NamePattern.compile(segment, NamePattern.Dialect.SHELL));
                }
            }
        }
        if (segments.getLast() == ANY_DEPTH) {
            segments.add(ANY_NAME);
        }
        return segments;
    }

    /** The directory to begin a walk at: every match is below it. */
    public String root() {
        return root;
    }

    /** Whether a file at this path is selected. */
    public boolean matches(byte[] path, int length) {
        return (statesAfter(path, length) & done()) != 0;
    }

    public boolean matches(String path) {
        byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
        return matches(bytes, bytes.length);
    }

    /** Whether a file somewhere below this directory can be selected: false prunes the walk. */
    public boolean couldMatchBelow(byte[] directory, int length) {
        return (statesAfter(directory, length) & ~done()) != 0;
    }

    public boolean couldMatchBelow(String directory) {
        byte[] bytes = directory.getBytes(StandardCharsets.UTF_8);
        return couldMatchBelow(bytes, bytes.length);
    }

    /** As an exclude: whether this directory and so all below it is meant, by itself or by "everything in it". */
    boolean coversDirectory(byte[] directory, int length) {
        long states = statesAfter(directory, length);
        int last = segments.length - 1;
        boolean everythingBelow = last > 0 && segments[last] == ANY_NAME && segments[last - 1] == ANY_DEPTH;
        return (states & done()) != 0 || (everythingBelow && (states & 1L << (last - 1)) != 0);
    }

    /** Bit i: the first i segments have taken all names so far. */
    private long statesAfter(byte[] path, int length) {
        long states = pastAnyDepth(1);
        int at = 0;
        while (at < length && states != 0) {
            int from = at + 1;
            int to = from;
            while (to < length && path[to] != '/') {
                to++;
            }
            at = to;
            // "/" alone has no segment.
            if (to > from) {
                states = pastAnyDepth(step(states, path, from, to));
            }
        }
        return states;
    }

    private long step(long states, byte[] path, int from, int to) {
        long next = 0;
        for (int i = 0; i < segments.length; i++) {
            if ((states & 1L << i) == 0) {
                continue;
            }
            if (segments[i] == ANY_DEPTH) {
                next |= 1L << i;
            } else if (segments[i].matches(path, from, to)) {
                next |= 1L << (i + 1);
            }
        }
        return next;
    }

    private long pastAnyDepth(long states) {
        long all = states;
        for (int i = 0; i < segments.length; i++) {
            if (segments[i] == ANY_DEPTH && (all & 1L << i) != 0) {
                all |= 1L << (i + 1);
            }
        }
        return all;
    }

    private long done() {
        return 1L << segments.length;
    }

    private String staticPrefix() {
        StringBuilder prefix = new StringBuilder();
        for (int i = 0; i < segments.length - 1 && segments[i] != ANY_DEPTH && segments[i].isLiteral(); i++) {
            prefix.append('/').append(segments[i].literalName());
        }
        return prefix.isEmpty() ? "/" : prefix.toString();
    }

    /** Fills the braces in every way. */
    private static List<String> braces(String text) {
        int open = indexOf(text, '{', 0);
        if (open < 0) {
            return List.of(text);
        }
        List<String> all = new ArrayList<>();
        int depth = 0;
        int from = open + 1;
        for (int i = open; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\\') {
                i++;
            } else if (c == '{') {
                depth++;
            } else if ((c == ',' && depth == 1) || (c == '}' && --depth == 0)) {
                all.addAll(braces(text.substring(0, open) + text.substring(from, i) + rest(text, i)));
                if (all.size() > ALTERNATIVES_MAX) {
                    throw wrong(text, "its braces stand for more than " + ALTERNATIVES_MAX + " patterns");
                }
                if (c == '}') {
                    return all;
                }
                from = i + 1;
            }
        }
        throw wrong(text, "a '{' is not closed");
    }

    /** What follows the brace that is open at a position. */
    private static String rest(String text, int from) {
        int depth = 1;
        for (int i = from; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\\') {
                i++;
            } else if (c == '{') {
                depth++;
            } else if (c == '}' && --depth == 0) {
                return text.substring(i + 1);
            }
        }
        throw wrong(text, "a '{' is not closed");
    }

    private static int indexOf(String text, char wanted, int from) {
        for (int i = from; i < text.length(); i++) {
            if (text.charAt(i) == '\\') {
                i++;
            } else if (text.charAt(i) == wanted) {
                return i;
            }
        }
        return -1;
    }

    private static IllegalArgumentException wrong(String text, String what) {
        return new IllegalArgumentException("pattern \"" + text + "\": " + what);
    }

    @Override
    public String toString() {
        return text;
    }
}
