package io.loomstream.engine.fleet;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import io.loomstream.engine.error.CorruptDataException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;

/**
 * Which databases were hot, and who says so: what a fail-over host promotes or restores first. JSON; docs/formats.md describes
 * it.
 *
 * @param owner names the process that writes it
 * @param updated when it was written
 * @param paths of the hot databases on their host, the most recently written first
 */
public record HotList(Owner owner, Instant updated, List<String> paths) {
    private static final int VERSION = 1;
    private static final int PATHS_MAX = 1_000_000;
    private static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(8)
                    .maxStringLength(16 * 1024)
                    .maxDocumentLength(256L << 20)
                    .build())
            .build();

    public HotList {
        paths = List.copyOf(paths);
    }

    /**
     * A server process.
     *
     * @param instance its name in the configuration
     * @param host the machine's name
     * @param pid its process id there
     * @param started when it began
     */
    public record Owner(String instance, String host, long pid, Instant started) {
        /** For messages. */
        @Override
        public String toString() {
            return "instance \"" + instance + "\", process " + pid + " on host " + host + ", started " + started;
        }
    }

    /** The JSON text. */
    public byte[] encode() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (JsonGenerator json = FACTORY.createGenerator(out)) {
            json.useDefaultPrettyPrinter();
            json.writeStartObject();
            json.writeNumberField("version", VERSION);
            json.writeObjectFieldStart("owner");
            json.writeStringField("instance", owner.instance());
            json.writeStringField("host", owner.host());
            json.writeNumberField("pid", owner.pid());
            json.writeStringField("started", owner.started().toString());
            json.writeEndObject();
            json.writeStringField("updated", updated.toString());
            json.writeArrayFieldStart("databases");
            for (String path : paths) {
                json.writeString(path);
            }
            json.writeEndArray();
            json.writeEndObject();
        } catch (IOException e) {
            throw new IllegalStateException("writing to memory failed", e);
        }
        return out.toByteArray();
    }

    /**
     * Reads the JSON text back; fields that are not known are passed over.
     *
     * @param source names the file in errors
     * @throws CorruptDataException when it is not a hot list of a version this program knows
     */
    public static HotList decode(byte[] bytes, String source) {
        Reading reading = new Reading();
        try (JsonParser json = FACTORY.createParser(bytes)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw new CorruptDataException(source, 0, "not a hot list");
            }
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                reading.field(json);
            }
            if (json.currentToken() != JsonToken.END_OBJECT) {
                throw new CorruptDataException(source, json.currentLocation().getByteOffset(), "not a hot list");
            }
        } catch (IOException | DateTimeParseException e) {
            throw new CorruptDataException(source, 0, "not a hot list: " + e.getMessage());
        }
        if (reading.version != VERSION) {
            throw new CorruptDataException(source, 0, "a hot list of version " + reading.version);
        }
        return new HotList(
                new Owner(reading.instance, reading.host, reading.pid, reading.started),
                reading.updated,
                reading.paths);
    }

    /** The fields met so far. */
    private static final class Reading {
        private long version;
        private String instance = "";
        private String host = "";
        private long pid;
        private Instant started = Instant.EPOCH;
        private Instant updated = Instant.EPOCH;
        private final List<String> paths = new ArrayList<>();

        void field(JsonParser json) throws IOException {
            String name = json.currentName();
            JsonToken value = json.nextToken();
            switch (name) {
                case "version" -> version = json.getValueAsLong();
                case "updated" -> updated = Instant.parse(json.getText());
                case "owner" -> owner(json);
                case "databases" -> databases(json);
                default -> {
                    if (value != null && value.isStructStart()) {
                        json.skipChildren();
                    }
                }
            }
        }

        private void owner(JsonParser json) throws IOException {
            if (json.currentToken() != JsonToken.START_OBJECT) {
                return;
            }
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                JsonToken value = json.nextToken();
                switch (name) {
                    case "instance" -> instance = json.getText();
                    case "host" -> host = json.getText();
                    case "pid" -> pid = json.getValueAsLong();
                    case "started" -> started = Instant.parse(json.getText());
                    default -> {
                        if (value != null && value.isStructStart()) {
                            json.skipChildren();
                        }
                    }
                }
            }
        }

        private void databases(JsonParser json) throws IOException {
            if (json.currentToken() != JsonToken.START_ARRAY) {
                return;
            }
            while (json.nextToken() == JsonToken.VALUE_STRING && paths.size() < PATHS_MAX) {
                paths.add(json.getText());
            }
        }
    }
}
