package io.loomstream.engine.restore;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.error.CorruptDataException;
import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.replica.PosixFileSteps;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What a restore of many databases has finished, so that the next run goes on from there; docs/formats.md describes the file.
 * A line is written, and durable, before a database's complete file gets its name, and says which file that is. So a file that
 * has the name and is the very one is complete, after a power cut too, and any other is somebody else's, or was written to
 * since. The file is locked while it is open.
 *
 * <p>Thread-safe.
 */
public final class RestoreLog implements AutoCloseable {
    private static final long VERSION = 1;
    private static final JsonFactory FACTORY = new JsonFactory();

    private final Path file;
    private final FileChannel channel;
    private final ReentrantLock lock = new ReentrantLock();
    /** Files by database; guarded by lock. */
    private final Map<String, Identity> complete = new HashMap<>();

    private final String restore;

    private RestoreLog(Path file, FileChannel channel, String restore) {
        this.file = file;
        this.channel = channel;
        this.restore = restore;
    }

    /** What tells a file from every other one, and from itself with other content. Times are nanoseconds since 1970. */
    private record Identity(long device, long inode, long sizeBytes, long modifiedNanos) {
        /** Empty when there is no such file. */
        static Optional<Identity> of(Path path) {
            try {
                Map<String, Object> attributes =
                        Files.readAttributes(path, "unix:dev,ino,size", LinkOption.NOFOLLOW_LINKS);
                return Optional.of(new Identity(
                        number(attributes, "dev"),
                        number(attributes, "ino"),
                        number(attributes, "size"),
                        Files.getLastModifiedTime(path, LinkOption.NOFOLLOW_LINKS)
                                .to(TimeUnit.NANOSECONDS)));
            } catch (NoSuchFileException absent) {
                return Optional.empty();
            } catch (IOException e) {
                throw new TransientStorageException("cannot look at " + path + ": " + e.getMessage(), e);
            }
        }
    }

    private static long number(Map<String, Object> attributes, String name) {
        if (attributes.get(name) instanceof Number number) {
            return number.longValue();
        }
        throw new IllegalStateException("this file system says nothing about \"" + name + "\"");
    }

    /**
     * Opens the log, or makes it.
     *
     * @param restore says from where to where; another restore's log is not gone on with
     * @throws ConflictException when another restore has it open, or it is another one's
     * @throws CorruptDataException when it is not such a log
     */
    public static RestoreLog open(Path file, String restore) {
        try {
            Path parent = file.toAbsolutePath().getParent();
            if (parent != null) {
                Files.createDirectories(parent);
            }
            FileChannel channel = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            boolean opened = false;
            try {
                if (lock(channel) == null) {
                    throw new ConflictException(file + " is in use: another restore writes there");
                }
                RestoreLog log = new RestoreLog(file, channel, restore);
                log.load();
                opened = true;
                return log;
            } finally {
                if (!opened) {
                    channel.close();
                }
            }
        } catch (IOException e) {
            throw new TransientStorageException("cannot use " + file + ": " + e.getMessage(), e);
        }
    }

    private static @Nullable FileLock lock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException heldByThisProcess) {
            return null;
        }
    }

    private void load() throws IOException {
        // Not closed: that would close the channel.
        LineInput lines = new LineInput(Channels.newInputStream(channel));
        String head = lines.next();
        if (head == null) {
            begin();
            return;
        }
        checkHead(head);
        long end = lines.position();
        for (String line = lines.next(); line != null; line = lines.next()) {
            parse(line);
            end = lines.position();
        }
        // What a crash left of a last line is overwritten.
        channel.truncate(end);
        channel.position(end);
    }

    /** A new log; also in place of one whose first line a crash cut short. Anything else is somebody's file. */
    private void begin() throws IOException {
        String head = line(json -> {
            json.writeNumberField("version", VERSION);
            json.writeStringField("restore", restore);
        });
        byte[] expected = head.getBytes(StandardCharsets.UTF_8);
        byte[] found = new byte[(int) Math.min(channel.size(), expected.length + 1L)];
        channel.read(ByteBuffer.wrap(found), 0);
        if (!Arrays.equals(found, Arrays.copyOf(expected, Math.min(found.length, expected.length)))) {
            throw notALog("its first line is cut short");
        }
        channel.truncate(0);
        channel.position(0);
        write(ByteBuffer.wrap(expected));
        channel.force(true);
        Path parent = file.toAbsolutePath().getParent();
        if (parent != null) {
            new PosixFileSteps().forceDirectory(parent);
        }
    }

    private CorruptDataException notALog(String why) {
        return new CorruptDataException(file.toString(), 0, "not a log of restored databases: " + why);
    }

    private void checkHead(String line) {
        Map<String, Object> fields = fields(line);
        if (!(fields.get("version") instanceof Long version) || !(fields.get("restore") instanceof String other)) {
            throw notALog("its first line is another one");
        }
        if (version != VERSION) {
            throw new CorruptDataException(file.toString(), 0, "a log of version " + version);
        }
        if (!other.equals(restore)) {
            throw new ConflictException(file + " is what another restore has done so far, " + other
                    + ": finish that one, or remove the file");
        }
    }

    private void parse(String line) {
        Map<String, Object> fields = fields(line);
        if (fields.get("database") instanceof String database
                && fields.get("device") instanceof Long device
                && fields.get("inode") instanceof Long inode
                && fields.get("size") instanceof Long size
                && fields.get("modified") instanceof Long modified) {
            complete.put(database, new Identity(device, inode, size, modified));
        } else {
            throw notALog("a line lacks what says which file it is about");
        }
    }

    /** Strings and whole numbers; others are passed over. */
    private Map<String, Object> fields(String line) {
        Map<String, Object> fields = new HashMap<>();
        try (JsonParser json = FACTORY.createParser(line)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw notALog("a line is no JSON object");
            }
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                switch (json.nextToken()) {
                    case VALUE_STRING -> fields.put(name, json.getText());
                    case VALUE_NUMBER_INT -> fields.put(name, json.getLongValue());
                    default -> json.skipChildren();
                }
            }
            if (json.currentToken() != JsonToken.END_OBJECT || json.nextToken() != null) {
                throw notALog("a line is no JSON object");
            }
            return fields;
        } catch (IOException e) {
            throw notALog(String.valueOf(e.getMessage()));
        }
    }

    /** Whether a database was restored by this run or an earlier one, and has not been replaced since. */
    public boolean isComplete(String database, Path output) {
        Identity expected;
        lock.lock();
        try {
            expected = complete.get(database);
        } finally {
            lock.unlock();
        }
        return expected != null && Identity.of(output).filter(expected::equals).isPresent();
    }

    /** A complete file is about to be given its name, and nobody will change it before. */
    void finished(String database, Path image, Txid reached) {
        Identity identity = Identity.of(image)
                .orElseThrow(() -> new TransientStorageException(image + " was removed by somebody else", null));
        String text = line(json -> {
            json.writeStringField("database", database);
            json.writeNumberField("device", identity.device());
            json.writeNumberField("inode", identity.inode());
            json.writeNumberField("size", identity.sizeBytes());
            json.writeNumberField("modified", identity.modifiedNanos());
            json.writeStringField("txid", reached.toString());
        });
        lock.lock();
        try {
            write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
            complete.put(database, identity);
        } catch (IOException e) {
            throw unwritable(e);
        } finally {
            lock.unlock();
        }
        try {
            // Outside the lock: the lines of others become durable with this one.
            channel.force(false);
        } catch (IOException e) {
            throw unwritable(e);
        }
    }

    private TransientStorageException unwritable(IOException e) {
        return new TransientStorageException("cannot write " + file + ": " + e.getMessage(), e);
    }

    /** Writes the fields of a line. */
    @FunctionalInterface
    private interface Content {
        void write(JsonGenerator json) throws IOException;
    }

    private static String line(Content content) {
        StringWriter line = new StringWriter();
        try (JsonGenerator json = FACTORY.createGenerator(line)) {
            json.writeStartObject();
            content.write(json);
            json.writeEndObject();
        } catch (IOException e) {
            throw new IllegalStateException("writing to memory failed", e);
        }
        return line + "\n";
    }

    /** Whether nothing was finished yet. */
    public boolean isEmpty() {
        lock.lock();
        try {
            return complete.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    /** Everything was restored, or nothing: the next restore begins anew. Before {@link #close}. */
    public void remove() {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new TransientStorageException("cannot remove " + file + ": " + e.getMessage(), e);
        }
    }

    private void write(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new TransientStorageException("cannot close " + file + ": " + e.getMessage(), e);
        }
    }
}
