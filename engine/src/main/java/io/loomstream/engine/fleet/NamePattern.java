package io.loomstream.engine.fleet;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A glob over one file name: {@code *} any characters, {@code ?} one character, {@code [a-z]} one of a set, {@code \x} the
 * character x itself. A leading dot is a character like any other. Matching takes time in proportion to pattern times name.
 *
 * <p>Immutable, thread-safe.
 */
final class NamePattern {
    /** What negates a set: Litestream's patterns (Go's path.Match) know {@code [^a]} only, shells {@code [!a]} too. */
    enum Dialect {
        LITESTREAM,
        SHELL
    }

    private static final Element ANY = name -> true;

    /** Matches any number of characters; its test is never asked. */
    private static final Element STAR = name -> true;

    private interface Element {
        boolean matches(int codePoint);
    }

    private final String text;
    private final Element[] elements;
    private final boolean[] literal;

    /** When the pattern is a star and then literal characters, as nearly all are: the bytes to end with. */
    private final byte[] suffix;

    private final boolean suffixOnly;

    private NamePattern(String text, List<Element> elements, List<Integer> literals) {
        this.text = text;
        this.elements = elements.toArray(Element[]::new);
        this.literal = new boolean[elements.size()];
        StringBuilder plain = new StringBuilder();
        int stars = 0;
        for (int i = 0; i < literal.length; i++) {
            literal[i] = literals.get(i) >= 0;
            if (literal[i]) {
                plain.appendCodePoint(literals.get(i));
            } else if (this.elements[i] == STAR) {
                stars++;
            }
        }
        this.suffix = plain.toString().getBytes(StandardCharsets.UTF_8);
        this.suffixOnly = stars == 1 && !literal[0] && this.elements[0] == STAR && allLiteralAfterFirst();
    }

    private boolean allLiteralAfterFirst() {
        for (int i = 1; i < literal.length; i++) {
            if (!literal[i]) {
                return false;
            }
        }
        return true;
    }

    /**
     * Reads a pattern.
     *
     * @throws IllegalArgumentException naming the pattern and what is wrong with it
     */
    static NamePattern compile(String text, Dialect dialect) {
        return new Parser(text, dialect).parse();
    }

    /** Whether the pattern has no special characters and matches one name only. */
    boolean isLiteral() {
        for (boolean one : literal) {
            if (!one) {
                return false;
            }
        }
        return true;
    }

    /** The one name that a literal pattern matches. */
    String literalName() {
        return new String(suffix, StandardCharsets.UTF_8);
    }

    /** Whether the whole of a name matches. */
    boolean matches(byte[] name, int from, int to) {
        if (suffixOnly) {
            int start = to - suffix.length;
            return start >= from && Arrays.equals(name, start, to, suffix, 0, suffix.length);
        }
        int element = 0;
        int at = from;
        int retryElement = -1;
        int retryAt = from;
        while (at < to) {
            if (element < elements.length && elements[element] == STAR) {
                retryElement = ++element;
                retryAt = at;
            } else if (element < elements.length && elements[element].matches(CodePoints.at(name, at, to))) {
                element++;
                at += CodePoints.lengthAt(name, at, to);
            } else if (retryElement >= 0) {
                // Let the last star take one more character; an earlier star need never be asked again.
                retryAt += CodePoints.lengthAt(name, retryAt, to);
                at = retryAt;
                element = retryElement;
            } else {
                return false;
            }
        }
        while (element < elements.length && elements[element] == STAR) {
            element++;
        }
        return element == elements.length;
    }

    @Override
    public String toString() {
        return text;
    }

    private static final class Parser {
        private final String text;
        private final Dialect dialect;
        private final int[] input;
        private final List<Element> elements = new ArrayList<>();
        private final List<Integer> literals = new ArrayList<>();
        private int at;

        Parser(String text, Dialect dialect) {
            this.text = text;
            this.dialect = dialect;
            this.input = text.codePoints().toArray();
        }

        NamePattern parse() {
            if (input.length == 0) {
                throw wrong("it is empty");
            }
            while (at < input.length) {
                int c = input[at++];
                switch (c) {
                    case '*' -> star();
                    case '?' -> add(ANY, -1);
                    case '[' -> add(set(), -1);
                    case '\\' -> character(escaped());
                    default -> character(c);
                }
            }
            return new NamePattern(text, elements, literals);
        }

        private void star() {
            if (elements.isEmpty() || elements.getLast() != STAR) {
                add(STAR, -1);
            }
        }

        private void character(int c) {
            if (c == '/' || c == 0) {
                throw wrong("a file name has no '/' and no NUL");
            }
            add(name -> name == c, c);
        }

        private void add(Element element, int literal) {
            elements.add(element);
            literals.add(literal);
        }

        private int escaped() {
            if (at == input.length) {
                throw wrong("nothing follows its last backslash");
            }
            return input[at++];
        }

        private Element set() {
            boolean negated = at < input.length && (input[at] == '^' || (input[at] == '!' && dialect == Dialect.SHELL));
            if (negated) {
                at++;
            }
            List<int[]> ranges = new ArrayList<>();
            while (true) {
                if (at == input.length) {
                    throw wrong("a '[' is not closed");
                }
                if (input[at] == ']' && !ranges.isEmpty()) {
                    at++;
                    break;
                }
                int low = member();
                int high = low;
                if (at < input.length && input[at] == '-') {
                    at++;
                    high = member();
                }
                if (low > high) {
                    throw wrong("the range " + Character.toString(low) + "-" + Character.toString(high)
                            + " is the wrong way round");
                }
                ranges.add(new int[] {low, high});
            }
            int[][] all = ranges.toArray(int[][]::new);
            return codePoint -> contains(all, codePoint) != negated;
        }

        private int member() {
            if (at == input.length) {
                throw wrong("a '[' is not closed");
            }
            int c = input[at++];
            if (c == '\\') {
                return escaped();
            }
            if (c == '-' || c == ']') {
                throw wrong("inside [ ] write '" + Character.toString(c) + "' with a backslash before it");
            }
            return c;
        }

        private static boolean contains(int[][] ranges, int codePoint) {
            for (int[] range : ranges) {
                if (codePoint >= range[0] && codePoint <= range[1]) {
                    return true;
                }
            }
            return false;
        }

        private IllegalArgumentException wrong(String what) {
            return new IllegalArgumentException("pattern \"" + text + "\": " + what);
        }
    }
}
