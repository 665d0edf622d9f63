package io.loomstream.app.config;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A YAML document, aliases and merge keys resolved. Lines count from 1 and stay those of the file. */
sealed interface Node {
    int line();

    /** How an error message shows this value. */
    String shown();

    /** Whether the file gives no value here: Litestream then keeps its default. */
    default boolean isNull() {
        return false;
    }

    /**
     * A single value. The text is the file's, whatever YAML thinks its type is: {@code 0600} stays {@code 0600}.
     *
     * @param isNull for nothing, {@code ~}, {@code null} and the empty string, which keep the default alike
     */
    record Scalar(String text, boolean isNull, int line) implements Node {
        @Override
        public String shown() {
            return isNull ? "null" : text;
        }
    }

    /** A list. */
    record Sequence(List<Node> items, int line) implements Node {
        public Sequence {
            items = List.copyOf(items);
        }

        @Override
        public String shown() {
            return "a list";
        }
    }

    /** A mapping; the order is that of the file. */
    record Mapping(Map<String, Entry> entries, int line) implements Node {
        public Mapping {
            entries = Collections.unmodifiableMap(new LinkedHashMap<>(entries));
        }

        @Override
        public String shown() {
            return "a mapping";
        }
    }

    /** A value with the line of its key. */
    record Entry(Node value, int line) {}
}
