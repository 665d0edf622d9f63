package io.loomstream.app.config;

import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** Typed reading of one mapping; every refusal names field, value and line. A null value counts as not given. */
final class Fields {
    /** The words of YAML 1.1, in the spellings it allows. */
    private static final Set<String> YES = Set.of("y Y yes Yes YES true True TRUE on On ON".split(" "));

    private static final Set<String> NO = Set.of("n N no No NO false False FALSE off Off OFF".split(" "));

    private final Node.Mapping mapping;
    private final String prefix;
    private final Problems problems;

    /** @param prefix what stands before a key in messages, such as {@code "logging."} */
    Fields(Node.Mapping mapping, String prefix, Problems problems) {
        this.mapping = mapping;
        this.prefix = prefix;
        this.problems = problems;
    }

    int line() {
        return mapping.line();
    }

    /** Refuses used keys that this version does not serve, warns of those that do nothing or that nobody knows. */
    void check(KnownKeys keys) throws ConfigException {
        for (var entry : mapping.entries().entrySet()) {
            String key = entry.getKey();
            int line = entry.getValue().line();
            if (keys.unserved().contains(key)
                    && asksForSomething(entry.getValue().value())) {
                throw problems.error(line, prefix + key + ": this version of Loomstream does not serve this key yet");
            }
            String idle = keys.idle().get(key);
            if (idle != null && asksForSomething(entry.getValue().value())) {
                problems.warn(line, prefix + key + ": " + idle);
            }
            if (!keys.contains(key) && !isHolderOfAnchors(key)) {
                String hint = keys.nearest(key)
                        .map(known -> "; did you mean \"" + known + "\"?")
                        .orElse("");
                problems.warn(line, prefix + key + ": unknown key" + hint);
            }
        }
    }

    /** Keys starting with {@code x-} are where files keep what they alias elsewhere. */
    private boolean isHolderOfAnchors(String key) {
        return prefix.isEmpty() && (key.equals("x") || key.startsWith("x-"));
    }

    private static boolean asksForSomething(Node value) {
        return switch (value) {
            case Node.Scalar scalar -> !scalar.isNull() && !scalar.text().isEmpty() && !isNo(scalar.text());
            case Node.Sequence sequence -> !sequence.items().isEmpty();
            case Node.Mapping map -> !map.entries().isEmpty();
        };
    }

    Optional<Node> node(String key) {
        Node.Entry entry = mapping.entries().get(key);
        return entry == null || entry.value().isNull() ? Optional.empty() : Optional.of(entry.value());
    }

    /** Whether a key has a value here that is not empty. */
    boolean gives(String key) {
        return node(key)
                .filter(value ->
                        !(value instanceof Node.Scalar scalar) || !scalar.text().isEmpty())
                .isPresent();
    }

    /** The line of a key; that of the mapping when the key is not there. */
    int lineOf(String key) {
        Node.Entry entry = mapping.entries().get(key);
        return entry == null ? mapping.line() : entry.line();
    }

    /** A warning about one field. */
    void warn(String key, String message) {
        problems.warn(lineOf(key), prefix + key + ": " + message);
    }

    /** An error about one field. */
    ConfigException error(String key, String message) {
        return problems.error(lineOf(key), prefix + key + ": " + message);
    }

    /** An error about the value of one field. */
    ConfigException error(String key, String message, String got) {
        return error(key, message + " (got " + got + ")");
    }

    /** The text of a field; empty when it is not given or has no characters, which Litestream does not tell apart. */
    Optional<String> text(String key) throws ConfigException {
        Optional<Node> node = node(key);
        if (node.isEmpty()) {
            return Optional.empty();
        }
        if (node.get() instanceof Node.Scalar scalar) {
            return Optional.of(scalar.text()).filter(text -> !text.isEmpty());
        }
        throw error(key, "must be a single value", node.get().shown());
    }

    Optional<Fields> mapping(String key) throws ConfigException {
        Optional<Node> node = node(key);
        if (node.isEmpty()) {
            return Optional.empty();
        }
        if (node.get() instanceof Node.Mapping child) {
            return Optional.of(new Fields(child, prefix + key + ".", problems));
        }
        throw error(key, "must be a mapping of keys to values", node.get().shown());
    }

    Optional<Node.Sequence> sequence(String key) throws ConfigException {
        Optional<Node> node = node(key);
        if (node.isEmpty()) {
            return Optional.empty();
        }
        if (node.get() instanceof Node.Sequence sequence) {
            return Optional.of(sequence);
        }
        throw error(key, "must be a list", node.get().shown());
    }

    boolean bool(String key, boolean unset) throws ConfigException {
        Optional<String> text = text(key);
        if (text.isEmpty()) {
            return unset;
        }
        if (isYes(text.get())) {
            return true;
        }
        if (isNo(text.get())) {
            return false;
        }
        throw error(key, "must be true or false", text.get());
    }

    private static boolean isYes(String text) {
        return YES.contains(text);
    }

    private static boolean isNo(String text) {
        return NO.contains(text);
    }

    Duration duration(String key, Duration unset) throws ConfigException {
        Optional<String> text = text(key);
        if (text.isEmpty()) {
            return unset;
        }
        try {
            return GoDuration.parse(text.get());
        } catch (IllegalArgumentException e) {
            throw error(key, String.valueOf(e.getMessage()), text.get());
        }
    }

    /** A whole number of YAML 1.1: decimal, {@code 0x}, {@code 0b}, octal after {@code 0} or {@code 0o}, with {@code _}. */
    long integer(String key, long unset, long min, long max) throws ConfigException {
        Optional<String> text = text(key);
        if (text.isEmpty()) {
            return unset;
        }
        long value;
        try {
            value = parseInteger(text.get());
        } catch (NumberFormatException e) {
            throw error(key, "must be a whole number", text.get());
        }
        if (value < min || value > max) {
            throw error(
                    key, min == 1 ? "must be greater than 0" : "must be between " + min + " and " + max, text.get());
        }
        return value;
    }

    private static long parseInteger(String text) {
        boolean negative = text.startsWith("-");
        String digits = text.substring(negative || text.startsWith("+") ? 1 : 0).replace("_", "");
        if (digits.startsWith("-") || digits.startsWith("+")) {
            throw new NumberFormatException("two signs");
        }
        String lower = digits.toLowerCase(Locale.ROOT);
        int radix = lower.startsWith("0x") ? 16 : lower.startsWith("0b") ? 2 : lower.startsWith("0") ? 8 : 10;
        int skipped = radix == 16 || radix == 2 || lower.startsWith("0o") ? 2 : 0;
        return Long.parseLong((negative ? "-" : "") + digits.substring(skipped), radix);
    }

    /** One of an enum's constants by its lower-case name. */
    <E extends Enum<E>> E choice(String key, E unset, Class<E> type) throws ConfigException {
        Optional<String> text = text(key);
        if (text.isEmpty()) {
            return unset;
        }
        var names = new StringBuilder();
        for (E constant : type.getEnumConstants()) {
            String name = constant.name().toLowerCase(Locale.ROOT);
            if (name.equals(text.get())) {
                return constant;
            }
            names.append(names.isEmpty() ? "" : ", ").append(name);
        }
        throw error(key, "must be one of " + names, text.get());
    }

    /** A text turned into something by {@code how}, whose IllegalArgumentException becomes an error of this field. */
    <T> Optional<T> parsed(String key, Function<String, T> how) throws ConfigException {
        Optional<String> text = text(key);
        if (text.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(how.apply(text.get()));
        } catch (IllegalArgumentException e) {
            throw error(key, String.valueOf(e.getMessage()), text.get());
        }
    }
}
