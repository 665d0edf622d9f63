package io.loomstream.app.top;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A JSON value whose fields may be missing: what a server of another version does not say is empty, zero or nothing.
 *
 * @param value a map, a list, a text, a number, a truth value, or empty for null and for what is not there
 */
public record JsonTree(Optional<Object> value) {
    private static final JsonFactory FACTORY = new JsonFactory();
    private static final JsonTree NOTHING = new JsonTree(Optional.empty());

    /** @throws IOException when it is no JSON */
    static JsonTree parse(String text) throws IOException {
        try (JsonParser parser = FACTORY.createParser(text)) {
            parser.nextToken();
            return read(parser);
        }
    }

    /** The value that begins at the current token. The parser itself bounds the depth. */
    private static JsonTree read(JsonParser parser) throws IOException {
        JsonToken token = parser.currentToken();
        if (token == null || token == JsonToken.VALUE_NULL) {
            return NOTHING;
        }
        return switch (token) {
            case START_OBJECT -> {
                Map<String, JsonTree> fields = new LinkedHashMap<>();
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                    String name = parser.currentName();
                    parser.nextToken();
                    fields.put(name, read(parser));
                }
                yield new JsonTree(Optional.of(fields));
            }
            case START_ARRAY -> {
                List<JsonTree> items = new ArrayList<>();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    items.add(read(parser));
                }
                yield new JsonTree(Optional.of(items));
            }
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> new JsonTree(Optional.of(parser.getDoubleValue()));
            case VALUE_TRUE, VALUE_FALSE -> new JsonTree(Optional.of(parser.getBooleanValue()));
            default -> new JsonTree(Optional.of(parser.getText()));
        };
    }

    JsonTree get(String field) {
        return fields().getOrDefault(field, NOTHING);
    }

    Map<String, JsonTree> fields() {
        Map<String, JsonTree> fields = new LinkedHashMap<>();
        if (value.orElse("") instanceof Map<?, ?> map) {
            map.forEach((name, field) -> fields.put((String) name, (JsonTree) field));
        }
        return fields;
    }

    List<JsonTree> items() {
        return value.orElse("") instanceof List<?> list
                ? list.stream().map(JsonTree.class::cast).toList()
                : List.of();
    }

    String text() {
        return value.orElse("") instanceof String text ? text : "";
    }

    double number() {
        return value.orElse("") instanceof Double number ? number : 0;
    }

    boolean isThere() {
        return value.isPresent();
    }
}
