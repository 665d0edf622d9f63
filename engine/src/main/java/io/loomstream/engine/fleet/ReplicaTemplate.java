package io.loomstream.engine.fleet;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Makes a database's replica path: text with <code>{{project}}</code>, <code>{{database}}</code>,
 * <code>{{branch}}</code>, <code>{{tenant}}</code>, <code>{{filename}}</code>, <code>{{relpath}}</code> or
 * <code>{{dir}}</code> in it. Values are encoded as {@link KeySegment} says, so distinct values of one variable never meet;
 * that whole paths are distinct is checked when databases are found, since a template may leave variables out.
 *
 * <p>Immutable, thread-safe.
 */
public final class ReplicaTemplate {
    /** S3 keys have at most 1024 bytes; below a replica path come a level and a name such as "/0009/…-….ltx". */
    static final int PATH_BYTES_MAX = 1024 - 64;

    private enum Variable {
        PROJECT,
        DATABASE,
        BRANCH,
        TENANT,
        FILENAME,
        RELPATH,
        DIR;

        String text() {
            return name().toLowerCase(Locale.ROOT);
        }

        String valueIn(TenantNames names) {
            return switch (this) {
                case PROJECT -> names.project();
                case DATABASE -> names.database();
                case BRANCH -> names.branch();
                case TENANT -> names.tenant();
                case FILENAME -> names.filename();
                case RELPATH -> names.relpath();
                case DIR -> names.dir();
            };
        }
    }

    private record Part(String literal, Optional<Variable> variable) {}

    private final String text;
    private final List<Part> parts;

    private ReplicaTemplate(String text, List<Part> parts) {
        this.text = text;
        this.parts = List.copyOf(parts);
    }

    /**
     * Reads a template.
     *
     * @throws IllegalArgumentException naming an unknown variable or an empty, "." or ".." segment
     */
    public static ReplicaTemplate compile(String text) {
        List<Part> parts = new ArrayList<>();
        int at = 0;
        int open;
        while ((open = text.indexOf("{{", at)) >= 0) {
            int close = text.indexOf("}}", open);
            if (close < 0) {
                throw wrong(text, "a \"{{\" is not closed");
            }
            parts.add(new Part(
                    text.substring(at, open),
                    Optional.of(variable(text, text.substring(open + 2, close).strip()))));
            at = close + 2;
        }
        if (parts.isEmpty()) {
            throw wrong(text, "it has no variable: all databases would have one replica path");
        }
        parts.add(new Part(text.substring(at), Optional.empty()));
        ReplicaTemplate template = new ReplicaTemplate(text, parts);
        // What the literal parts do wrong shows with any names.
        template.expand(new TenantNames("a", "a", "a", "a", "a", "a", "a"));
        return template;
    }

    private static Variable variable(String text, String name) {
        List<String> known = new ArrayList<>();
        for (Variable variable : Variable.values()) {
            if (variable.text().equals(name)) {
                return variable;
            }
            known.add(variable.text());
        }
        throw wrong(text, "{{" + name + "}} is unknown; there are " + String.join(", ", known));
    }

    /**
     * A database's replica path.
     *
     * @throws IllegalArgumentException when a name cannot be part of one or the path is too long; the database cannot be
     *     replicated under that name
     */
    public String expand(TenantNames names) {
        StringBuilder path = new StringBuilder();
        for (Part part : parts) {
            path.append(part.literal);
            part.variable.ifPresent(variable -> appendEncoded(path, variable, variable.valueIn(names)));
        }
        String expanded = path.toString();
        requireSegments(expanded);
        int bytes = expanded.getBytes(StandardCharsets.UTF_8).length;
        if (bytes > PATH_BYTES_MAX) {
            throw wrong(
                    text, "\"" + expanded + "\" has " + bytes + " bytes, more than the " + PATH_BYTES_MAX + " allowed");
        }
        return expanded;
    }

    /** What all replica paths begin with: the template up to the last slash before its first variable; may be empty. */
    public String root() {
        String literal = parts.getFirst().literal;
        return literal.substring(0, Math.max(0, literal.lastIndexOf('/')));
    }

    private void appendEncoded(StringBuilder path, Variable variable, String value) {
        String separator = "";
        for (String segment : value.split("/", -1)) {
            try {
                path.append(separator).append(KeySegment.encode(segment));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(
                        "replica path template \"" + text + "\": {{" + variable.text() + "}} is \"" + value + "\", and "
                                + e.getMessage(),
                        e);
            }
            separator = "/";
        }
    }

    private void requireSegments(String expanded) {
        String relative = expanded.startsWith("/") ? expanded.substring(1) : expanded;
        for (String segment : relative.split("/", -1)) {
            if (segment.isEmpty() || segment.equals(".") || segment.equals("..")) {
                throw wrong(text, "\"" + expanded + "\" has a segment \"" + segment + "\"");
            }
        }
    }

    private static IllegalArgumentException wrong(String text, String what) {
        return new IllegalArgumentException("replica path template \"" + text + "\": " + what);
    }

    @Override
    public String toString() {
        return text;
    }
}
