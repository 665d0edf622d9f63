package io.loomstream.engine.compaction;

import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import io.loomstream.engine.replica.ReplicaFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * The file of a level index: a header that says when there is work to do, then what happened to the replica's files, one
 * record after the other. docs/formats.md describes the bytes.
 *
 * <p>Nothing is synced to the disk. After a power cut the file may be an earlier state of itself, and whatever could be
 * deleted then can be deleted now; what it lacks is found out when the replica says where it stands, when a file that it has
 * is gone, or when one that it lacks is in the way: the replica is then listed. A record that was torn is as good as not
 * written; a damaged one in the middle makes the whole file count for nothing. Not thread-safe.
 */
final class LevelJournal implements AutoCloseable {
    static final int HEADER_BYTES = 64;
    static final int RECORD_BYTES = 48;

    private static final int MAGIC = 0x4C4D4C31; // "LML1"
    /** The file is written anew when it has more than so many records that count for nothing, and more than half do. */
    private static final int SPARE_RECORDS = 256;

    private static final long NEVER = Long.MAX_VALUE;

    private final Path file;
    private final long replica;
    private FileChannel channel;
    private long records;

    /** What a record says. */
    enum Kind {
        /** The replica has this file. */
        ADDED(1),
        /** The replica does not have it any more. */
        REMOVED(2),
        /** It is about to be written. */
        INTENT(3),
        /** It was not written. */
        DROPPED(4);

        private final byte code;

        Kind(int code) {
            this.code = (byte) code;
        }

        static Optional<Kind> of(byte code) {
            return Arrays.stream(values()).filter(kind -> kind.code == code).findFirst();
        }
    }

    /** One record. */
    record Entry(Kind kind, Stored stored) {
        static Entry of(Kind kind, Stored stored) {
            return new Entry(kind, stored);
        }
    }

    /** A journal with its content. */
    record Opened(LevelJournal journal, List<Entry> records) {}

    private LevelJournal(Path file, long replica, FileChannel channel, long records) {
        this.file = file;
        this.replica = replica;
        this.channel = channel;
        this.records = records;
    }

    /** Empty when there is no file, or none that can be believed, or one of another replica. */
    static Optional<Opened> open(Path file, String replica) throws IOException {
        FileChannel channel;
        try {
            channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
        } catch (NoSuchFileException none) {
            return Optional.empty();
        }
        Optional<Opened> opened = Optional.empty();
        try {
            opened = read(file, hash(replica), channel);
            return opened;
        } finally {
            if (opened.isEmpty()) {
                channel.close();
            }
        }
    }

    private static Optional<Opened> read(Path file, long replica, FileChannel channel) throws IOException {
        byte[] content = Files.readAllBytes(file);
        ByteBuffer bytes = ByteBuffer.wrap(content);
        if (bytes.remaining() < HEADER_BYTES
                || bytes.getInt(0) != MAGIC
                || bytes.getLong(4) != replica
                || bytes.getInt(20) != crc(content, 0, 20)) {
            return Optional.empty();
        }
        List<Entry> entries = new ArrayList<>();
        boolean torn = false;
        for (int at = HEADER_BYTES; at + RECORD_BYTES <= bytes.limit(); at += RECORD_BYTES) {
            Optional<Entry> entry = entry(content, at);
            if (entry.isPresent() && torn) {
                return Optional.empty(); // damage, not a torn end
            }
            torn |= entry.isEmpty();
            entry.ifPresent(entries::add);
        }
        long whole = HEADER_BYTES + (long) entries.size() * RECORD_BYTES;
        if (whole != content.length) {
            channel.truncate(whole);
        }
        return Optional.of(new Opened(new LevelJournal(file, replica, channel, entries.size()), entries));
    }

    /** Replaces whatever is there. */
    static LevelJournal create(Path file, String replica, List<Entry> entries) throws IOException {
        long hash = hash(replica);
        return new LevelJournal(file, hash, replace(file, hash, NEVER, entries), entries.size());
    }

    /** When the work of a database is due, from the header alone; empty when nothing is, or there is no such file. */
    static Optional<Instant> dueOf(Path file) throws IOException {
        ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            while (header.hasRemaining() && channel.read(header) >= 0) {}
        } catch (NoSuchFileException none) {
            return Optional.empty();
        }
        if (header.hasRemaining() || header.getInt(0) != MAGIC || header.getInt(20) != crc(header.array(), 0, 20)) {
            return Optional.of(Instant.EPOCH); // the work itself finds out what is wrong
        }
        long due = header.getLong(12);
        return due == NEVER ? Optional.empty() : Optional.of(Instant.ofEpochMilli(due));
    }

    private static FileChannel replace(Path file, long replica, long due, List<Entry> entries) throws IOException {
        // Not ".tmp": such files are removed when a database is opened, which may be at this moment.
        Path staging = file.resolveSibling(file.getFileName() + ".new");
        FileChannel channel = FileChannel.open(
                staging,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE);
        boolean complete = false;
        try {
            writeFully(channel, header(replica, due), 0);
            writeFully(channel, encode(entries), HEADER_BYTES);
            Files.move(staging, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            complete = true;
            return channel;
        } finally {
            if (!complete) {
                channel.close();
            }
        }
    }

    /** Writes records; the end of the process cannot lose them any more when this returns. */
    void append(List<Entry> entries) throws IOException {
        writeFully(channel, encode(entries), HEADER_BYTES + records * RECORD_BYTES);
        records += entries.size();
    }

    /** Notes when the database's work is due; survives the end of the process. */
    void due(Optional<Instant> due) throws IOException {
        writeFully(channel, header(replica, due.map(Instant::toEpochMilli).orElse(NEVER)), 0);
    }

    /** Whether most of the file counts for nothing when so many records count. */
    boolean isUntidy(int live) {
        long spare = records - live;
        return spare > SPARE_RECORDS && spare > live;
    }

    /** Writes the file anew. */
    void replaceAll(List<Entry> live) throws IOException {
        FileChannel old = channel;
        channel = replace(file, replica, NEVER, live);
        records = live.size();
        old.close();
    }

    private static ByteBuffer header(long replica, long due) {
        ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
        header.putInt(MAGIC).putLong(replica).putLong(due);
        header.putInt(crc(header.array(), 0, 20));
        return header.clear();
    }

    private static ByteBuffer encode(List<Entry> entries) {
        ByteBuffer bytes = ByteBuffer.allocate(entries.size() * RECORD_BYTES);
        for (Entry entry : entries) {
            int at = bytes.position();
            ReplicaFile stored = entry.stored().file();
            bytes.put(entry.kind().code).put((byte) stored.level().number()).putShort((short) 0);
            bytes.putLong(stored.range().min().value())
                    .putLong(stored.range().max().value());
            bytes.putLong(stored.sizeBytes()).putLong(stored.createdAt().toEpochMilli());
            bytes.putLong(entry.stored().checksum());
            bytes.putInt(crc(bytes.array(), at, RECORD_BYTES - Integer.BYTES));
        }
        return bytes.flip();
    }

    private static Optional<Entry> entry(byte[] file, int at) {
        ByteBuffer bytes = ByteBuffer.wrap(file);
        Optional<Kind> kind = Kind.of(bytes.get(at));
        int level = bytes.get(at + 1);
        if (bytes.getInt(at + RECORD_BYTES - Integer.BYTES) != crc(file, at, RECORD_BYTES - Integer.BYTES)
                || kind.isEmpty()
                || level < 0
                || level > Level.SNAPSHOT.number()) {
            return Optional.empty();
        }
        TxidRange range = new TxidRange(new Txid(bytes.getLong(at + 4)), new Txid(bytes.getLong(at + 12)));
        ReplicaFile stored = new ReplicaFile(
                new Level(level), range, bytes.getLong(at + 20), Instant.ofEpochMilli(bytes.getLong(at + 28)));
        return Optional.of(new Entry(kind.get(), new Stored(stored, bytes.getLong(at + 36))));
    }

    private static void writeFully(FileChannel channel, ByteBuffer bytes, long at) throws IOException {
        long position = at;
        while (bytes.hasRemaining()) {
            position += channel.write(bytes, position);
        }
    }

    /** 64 bits of FNV-1a: tells replicas apart, against mistakes only. */
    private static long hash(String text) {
        long hash = 0xcbf29ce484222325L;
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
        }
        return hash;
    }

    private static int crc(byte[] bytes, int from, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, from, length);
        return (int) crc.getValue();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
