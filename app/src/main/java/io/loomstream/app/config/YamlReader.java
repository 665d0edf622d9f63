package io.loomstream.app.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads the first document of a YAML text into {@link Node}s. Anchors, aliases and merge keys are resolved here, since
 * the parser below only reports them. An alias shares the node it names, so nesting aliases costs nothing; what merge
 * keys copy is counted and bounded. Tags that would make objects are refused.
 */
final class YamlReader {
    static final int DEPTH_MAX = 50;
    static final int ALIASES_MAX = 10_000;
    static final int MERGED_ENTRIES_MAX = 100_000;

    private static final String MERGE_KEY = "<<";
    private static final Set<String> PLAIN_TAGS = Set.of("str", "int", "float", "bool", "null", "map", "seq", "merge");

    private final YAMLParser parser;
    private final Problems problems;
    private final Map<String, Node> anchors = new HashMap<>();
    private final Set<String> openAnchors = new HashSet<>();
    private int aliases;
    private int mergedEntries;

    private YamlReader(YAMLParser parser, Problems problems) {
        this.parser = parser;
        this.problems = problems;
    }

    /** The first document of {@code text}; null when there is none. */
    static @Nullable Node read(String text, Problems problems) throws ConfigException {
        try (YAMLParser parser = YAMLFactory.builder().build().createParser(text)) {
            var reader = new YamlReader(parser, problems);
            JsonToken first = parser.nextToken();
            return first == null ? null : reader.node(first, 1);
        } catch (JsonProcessingException e) {
            throw problems.error(lineOf(e), "yaml: " + oneLine(e.getOriginalMessage()));
        } catch (ConfigException e) {
            throw e;
        } catch (IOException e) {
            throw new ConfigException("yaml: " + e.getMessage());
        }
    }

    private static int lineOf(JsonProcessingException e) {
        return e.getLocation() == null ? 0 : e.getLocation().getLineNr();
    }

    /** The parser's own message goes on with an excerpt of the file over several lines. */
    private static String oneLine(@Nullable String message) {
        return message == null ? "cannot be read" : message.lines().findFirst().orElse("cannot be read");
    }

    private int line() {
        return parser.currentTokenLocation().getLineNr();
    }

    private Node node(JsonToken token, int depth) throws IOException {
        if (depth > DEPTH_MAX) {
            throw problems.error(line(), "yaml: nested more than " + DEPTH_MAX + " deep");
        }
        if (parser.isCurrentAlias()) {
            return aliased(parser.getText());
        }
        refuseTag();
        String anchor = Objects.requireNonNullElse(parser.getObjectId(), "");
        openAnchors.add(anchor);
        int line = line();
        Node node = switch (token) {
            case START_OBJECT -> mapping(line, depth);
            case START_ARRAY -> sequence(line, depth);
            case VALUE_NULL -> new Node.Scalar("", true, line);
            case VALUE_STRING, VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT, VALUE_TRUE, VALUE_FALSE -> {
                // The parser gives nothing at all ("key:") as an empty string.
                String text = parser.getText();
                yield new Node.Scalar(text, text.isEmpty(), line);
            }
            default -> throw problems.error(line, "yaml: a value of a kind that configurations do not have");
        };
        openAnchors.remove(anchor);
        if (!anchor.isEmpty()) {
            anchors.put(anchor, node);
        }
        return node;
    }

    private void refuseTag() throws IOException {
        String tag = parser.getTypeId();
        if (tag != null && !PLAIN_TAGS.contains(tag.substring(tag.lastIndexOf(':') + 1))) {
            throw problems.error(line(), "yaml: tag !<" + tag + "> is not allowed");
        }
    }

    private Node aliased(String name) throws ConfigException {
        if (++aliases > ALIASES_MAX) {
            throw problems.error(line(), "yaml: more than " + ALIASES_MAX + " aliases");
        }
        if (openAnchors.contains(name)) {
            throw problems.error(line(), "yaml: anchor &" + name + " contains itself");
        }
        Node node = anchors.get(name);
        if (node == null) {
            throw problems.error(line(), "yaml: unknown anchor *" + name);
        }
        return node;
    }

    private Node sequence(int line, int depth) throws IOException {
        List<Node> items = new ArrayList<>();
        for (JsonToken token = parser.nextToken(); token != JsonToken.END_ARRAY; token = parser.nextToken()) {
            items.add(node(token, depth + 1));
        }
        return new Node.Sequence(items, line);
    }

    private Node mapping(int line, int depth) throws IOException {
        Map<String, Node.Entry> own = new LinkedHashMap<>();
        Map<String, Node.Entry> merged = new LinkedHashMap<>();
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String key = parser.currentName();
            int keyLine = line();
            Node value = node(parser.nextToken(), depth + 1);
            if (key.equals(MERGE_KEY)) {
                merge(value, keyLine, merged);
                continue;
            }
            Node.Entry earlier = own.put(key, new Node.Entry(value, keyLine));
            if (earlier != null) {
                problems.warn(
                        keyLine, "\"" + key + "\" stands in line " + earlier.line() + " already; the last one counts");
            }
        }
        // The keys written here win over merged ones wherever "<<" stands, as the YAML merge specification has it.
        merged.forEach(own::putIfAbsent);
        return new Node.Mapping(own, line);
    }

    /** Of several merged mappings the first that has a key gives its value. */
    private void merge(Node source, int line, Map<String, Node.Entry> into) throws ConfigException {
        switch (source) {
            case Node.Mapping mapping -> {
                mergedEntries += mapping.entries().size();
                if (mergedEntries > MERGED_ENTRIES_MAX) {
                    throw problems.error(line, "yaml: merge keys copy more than " + MERGED_ENTRIES_MAX + " entries");
                }
                mapping.entries().forEach(into::putIfAbsent);
            }
            case Node.Sequence sequence -> {
                for (Node item : sequence.items()) {
                    if (!(item instanceof Node.Mapping)) {
                        throw problems.error(line, "yaml: \"<<\" takes mappings only");
                    }
                    merge(item, line, into);
                }
            }
            case Node.Scalar scalar ->
                throw problems.error(line, "yaml: \"<<\" takes a mapping (got " + scalar.shown() + ")");
        }
    }
}
