package io.loomstream.engine.fleet;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.io.SerializedString;
import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.fleet.HotList.Owner;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.function.Consumer;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/**
 * Which database's replica is where: what brings a lost host back at the same paths. Lines of JSON, compressed; docs/formats.md
 * describes them. Written and read a line at a time: what is in memory is the compressed text, about 15 bytes a database.
 */
public final class PathMap {
    private static final int VERSION = 1;
    private static final int BUFFER_BYTES = 64 << 10;
    private static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(8)
                    .maxStringLength(16 << 10)
                    .maxDocumentLength(-1)
                    .build())
            .build();

    private PathMap() {}

    /**
     * One database.
     *
     * @param path absolute, on its host
     * @param replica its replica's path below the root that the map is under; a whole URL, or an absolute path, where it is
     *     not below it
     */
    public record Entry(String path, String replica) {}

    /**
     * What the map's last line says, and has been checked.
     *
     * @param databases how many there are
     * @param digest of the entries, whatever their order
     */
    public record Summary(long databases, String digest) {}

    /** Makes a map; for one thread. */
    static final class Writer implements AutoCloseable {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private final JsonGenerator json;
        private final Digest digest = new Digest();

        Writer(Owner owner, Instant now) {
            try {
                OutputStream compressed = new GZIPOutputStream(bytes, BUFFER_BYTES);
                json = FACTORY.createGenerator(compressed);
                json.setRootValueSeparator(new SerializedString("\n"));
                json.writeStartObject();
                json.writeNumberField("version", VERSION);
                json.writeStringField("instance", owner.instance());
                json.writeStringField("host", owner.host());
                json.writeNumberField("pid", owner.pid());
                json.writeStringField("started", owner.started().toString());
                json.writeStringField("updated", now.toString());
                json.writeEndObject();
            } catch (IOException e) {
                throw inMemory(e);
            }
        }

        void add(Entry entry) {
            digest.add(entry);
            try {
                json.writeStartObject();
                json.writeStringField("path", entry.path());
                json.writeStringField("replica", entry.replica());
                json.writeEndObject();
            } catch (IOException e) {
                throw inMemory(e);
            }
        }

        /** Of what was added so far. */
        Summary summary() {
            return digest.summary();
        }

        /** The map, complete. */
        byte[] finish() {
            Summary summary = digest.summary();
            try {
                json.writeStartObject();
                json.writeNumberField("databases", summary.databases());
                json.writeStringField("digest", summary.digest());
                json.writeEndObject();
                json.writeRaw('\n');
                json.close();
            } catch (IOException e) {
                throw inMemory(e);
            }
            return bytes.toByteArray();
        }

        @Override
        public void close() {
            try {
                json.close();
            } catch (IOException e) {
                throw inMemory(e);
            }
        }

        private static UncheckedIOException inMemory(IOException e) {
            return new UncheckedIOException("writing to memory failed", e);
        }
    }

    /**
     * Reads a map a line at a time. Entries are handed on before the last line is checked: a consumer that must not act on a
     * damaged map reads it twice.
     *
     * @param compressed is not closed
     * @param source names the map in errors
     * @throws CorruptDataException when it is damaged, cut short, or of a version this program does not know
     */
    public static Summary read(InputStream compressed, String source, Consumer<Entry> consumer) {
        Digest digest = new Digest();
        try (GZIPInputStream text =
                        new GZIPInputStream(new BufferedInputStream(compressed, BUFFER_BYTES), BUFFER_BYTES);
                JsonParser json = FACTORY.createParser(text)) {
            Line head = line(json, source);
            if (head.version != VERSION) {
                throw new CorruptDataException(source, 0, "a path map of version " + head.version);
            }
            for (Line line = line(json, source); ; line = line(json, source)) {
                if (line.databases >= 0) {
                    Summary said = new Summary(line.databases, line.digest);
                    if (!said.equals(digest.summary())) {
                        throw new CorruptDataException(
                                source, 0, "its last line says " + said + ", its lines are " + digest.summary());
                    }
                    if (json.nextToken() != null) {
                        throw new CorruptDataException(source, 0, "it goes on after its last line");
                    }
                    return said;
                }
                Entry entry = new Entry(line.path, line.replica);
                digest.add(entry);
                consumer.accept(entry);
            }
        } catch (IOException e) {
            throw new CorruptDataException(source, 0, "not a path map, or damaged: " + e.getMessage());
        }
    }

    /** The fields of one line. */
    private static final class Line {
        private long version = -1;
        private long databases = -1;
        private String digest = "";
        private String path = "";
        private String replica = "";
    }

    private static Line line(JsonParser json, String source) throws IOException {
        if (json.nextToken() != JsonToken.START_OBJECT) {
            throw new CorruptDataException(source, json.currentLocation().getByteOffset(), "it is cut short");
        }
        Line line = new Line();
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String name = json.currentName();
            JsonToken value = json.nextToken();
            switch (name) {
                case "version" -> line.version = json.getValueAsLong(-1);
                case "databases" -> line.databases = json.getValueAsLong(-1);
                case "digest" -> line.digest = json.getText();
                case "path" -> line.path = json.getText();
                case "replica" -> line.replica = json.getText();
                default -> {
                    if (value != null && value.isStructStart()) {
                        json.skipChildren();
                    }
                }
            }
        }
        if (json.currentToken() != JsonToken.END_OBJECT) {
            throw new CorruptDataException(source, json.currentLocation().getByteOffset(), "a line is cut short");
        }
        return line;
    }

    /** The sum of the entries' hashes: which entries there are, in whatever order the table has them. */
    private static final class Digest {
        private final MessageDigest sha;
        private long databases;
        private long low;
        private long high;

        Digest() {
            try {
                sha = MessageDigest.getInstance("SHA-256");
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException("every JDK has SHA-256", e);
            }
        }

        void add(Entry entry) {
            sha.update(entry.path().getBytes(StandardCharsets.UTF_8));
            sha.update((byte) 0);
            ByteBuffer hash = ByteBuffer.wrap(sha.digest(entry.replica().getBytes(StandardCharsets.UTF_8)));
            databases++;
            low += hash.getLong();
            high += hash.getLong();
        }

        Summary summary() {
            HexFormat hex = HexFormat.of();
            return new Summary(databases, hex.toHexDigits(high) + hex.toHexDigits(low));
        }
    }
}
