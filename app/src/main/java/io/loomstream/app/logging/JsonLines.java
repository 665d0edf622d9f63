package io.loomstream.app.logging;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;

/** One JSON object a line: time, level, msg, then the attributes in their order. */
final class JsonLines implements LineFormat {
    private final JsonFactory json = new JsonFactory();

    @Override
    public String format(Line line) {
        var out = new StringWriter(200);
        try (JsonGenerator object = json.createGenerator(out)) {
            object.writeStartObject();
            object.writeStringField("time", line.timeText());
            object.writeStringField("level", line.body().level().name());
            if (!line.source().isEmpty()) {
                object.writeStringField("source", line.source());
            }
            object.writeStringField("msg", line.body().message());
            for (Line.Attribute attribute : line.body().attributes()) {
                switch (attribute.value()) {
                    case Integer number -> object.writeNumberField(attribute.key(), number);
                    case Long number -> object.writeNumberField(attribute.key(), number);
                    case Boolean truth -> object.writeBooleanField(attribute.key(), truth);
                    default ->
                        object.writeStringField(
                                attribute.key(), attribute.value().toString());
                }
            }
            object.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory", e);
        }
        return out.toString();
    }
}
