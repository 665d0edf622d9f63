package io.loomstream.engine.sync;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.posix.DescriptorOutput;
import io.loomstream.engine.posix.Posix;
import io.loomstream.engine.wal.FrameChecksum;
import io.loomstream.engine.wal.WalSalts;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The file in the meta directory that keeps a database's cursor over restarts, and says whose the directory is.
 * docs/formats.md describes the bytes.
 *
 * <p>A second process is kept out by a lock on this file or, where a hold on the database carries such a lock anyhow, by
 * that one, and this file only names the database: a descriptor less for each hot database. The lock here is held whenever
 * that changes, so whoever gets it finds either no owner or the owner's lock. Only if the database was replaced at its path
 * meanwhile, the owner's lock is not found: so each owner leaves a token of its own here, and stores nothing once there is
 * another.
 *
 * <p>Two slots take turns, chosen by the TXID's last bit. The slot of TXID N+1 is written before its L0 file gets its
 * name, so a kill at any moment leaves a slot that belongs to the newest L0 file. Nothing here is synced to disk except
 * at a clean end: after a power cut the fingerprints prove nothing, which the boot id reveals.
 *
 * <p>Not thread-safe.
 */
final class CursorFile implements AutoCloseable {
    private static final int MAGIC = 0x4C4D4331; // "LMC1"
    private static final int SLOT_BYTES = 128;
    private static final int OWNER_BYTES = 128;
    private static final int CLEAN_OFFSET = 20;
    /** Less what the umask takes away. */
    private static final int MODE = 0666;

    private static final int FILE_BYTES = OWNER_BYTES + 2 * SLOT_BYTES;

    private static final int TOKEN_OFFSET = FILE_BYTES;
    private static final int DATABASE_OFFSET = TOKEN_OFFSET + Long.BYTES;
    private static final int DATABASE_BYTES_MAX = 4096;

    private static final Duration TAKE_BACK_PAUSE = Duration.ofMillis(2);
    private static final int TAKE_BACK_ATTEMPTS = 250;

    private final Posix posix;
    private final Path path;
    private final BootId bootId;
    private final Time time;
    private final long token = ThreadLocalRandom.current().nextLong();
    /** Open and locked; null while the lock is in the database. */
    private @Nullable Handle locked;

    private @Nullable Path named;

    private CursorFile(Posix posix, Path path, BootId bootId, Time time, Handle locked) {
        this.posix = posix;
        this.path = path;
        this.bootId = bootId;
        this.time = time;
        this.locked = locked;
    }

    /** Tells whether another process works on a database, and has its lock there. */
    @FunctionalInterface
    interface Claims {
        boolean byAnother(Path database) throws IOException;
    }

    /**
     * Opens or creates the file and locks it.
     *
     * @throws ConflictException when somebody else has it. (That no two databases of this process open one file is
     *     {@link Owners}' business: where locks are the process's the failed try would drop the first one's.)
     */
    static CursorFile open(Posix posix, Path path, BootId bootId, Time time, Claims claims) throws IOException {
        Handle file = new Handle(posix, posix.openOrCreate(path, MODE), path);
        boolean complete = false;
        try {
            boolean mine = file.tryLock();
            CursorFile opened = new CursorFile(posix, path, bootId, time, file);
            opened.named = mine ? databaseNamedIn(file) : null;
            if (!mine || (opened.named != null && claims.byAnother(opened.named))) {
                throw inUse(path, file);
            }
            opened.nameOwner(file);
            opened.spendCleanMarks(file);
            complete = true;
            return opened;
        } finally {
            if (!complete) {
                file.close();
            }
        }
    }

    /** The open file. Where its lock is the process's it ends with any descriptor: none is opened while one is locked. */
    private record Handle(Posix posix, int fd, Path path) implements AutoCloseable {
        boolean tryLock() throws IOException {
            return posix.tryLockWhole(fd);
        }

        /** How many bytes there were; fewer than wanted only at the end of the file. */
        int read(long position, byte[] into) throws IOException {
            return posix.read(fd, position, into, 0, into.length);
        }

        void write(long position, byte[] bytes) throws IOException {
            try {
                posix.write(fd, position, bytes, 0, bytes.length);
            } catch (FileSystemException e) {
                throw DescriptorOutput.named(e, path);
            }
        }

        @Override
        public void close() {
            posix.close(fd);
        }
    }

    private static @Nullable Path databaseNamedIn(Handle file) throws IOException {
        byte[] lengthBytes = new byte[Short.BYTES];
        if (file.read(DATABASE_OFFSET, lengthBytes) < lengthBytes.length) {
            return null;
        }
        int length = Short.toUnsignedInt(ByteBuffer.wrap(lengthBytes).getShort());
        byte[] text = new byte[Math.min(length, DATABASE_BYTES_MAX)];
        if (length == 0
                || length > DATABASE_BYTES_MAX
                || file.read(DATABASE_OFFSET + Short.BYTES, text) < text.length) {
            return null;
        }
        try {
            return Path.of(new String(text, StandardCharsets.UTF_8));
        } catch (InvalidPathException damaged) {
            return null;
        }
    }

    /** Gives up the lock on this file, for one that this process has in the database. */
    void lockedIn(Path database) throws IOException {
        Handle file = locked;
        if (file == null) {
            return;
        }
        if (!database.equals(named)) {
            byte[] text = database.toString().getBytes(StandardCharsets.UTF_8);
            if (text.length > DATABASE_BYTES_MAX) {
                return; // then the lock stays here
            }
            byte[] record = new byte[Short.BYTES + text.length];
            ByteBuffer.wrap(record).putShort((short) text.length).put(text);
            file.write(DATABASE_OFFSET, record);
            named = database;
        }
        locked = null;
        file.close();
    }

    /**
     * Takes the lock on this file again, before the one in the database goes.
     *
     * @return false when somebody else has it, or had it since it was ours
     */
    boolean lockHere() throws IOException {
        if (locked == null) {
            locked = openOurs();
        }
        return locked != null;
    }

    /** The file, locked; null when it is not ours any more. Who only looks whose it is may be in the way for an instant. */
    private @Nullable Handle openOurs() throws IOException {
        for (int attempt = 0; attempt < TAKE_BACK_ATTEMPTS; attempt++) {
            Handle file = new Handle(posix, posix.openReadWrite(path), path);
            boolean ours = false;
            try {
                boolean mine = file.tryLock();
                ours = mine && tokenIn(file) == token;
                if (mine) {
                    return ours ? file : null;
                }
            } finally {
                if (!ours) {
                    file.close();
                }
            }
            try {
                time.sleep(TAKE_BACK_PAUSE);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException(path + ": interrupted while it is locked");
            }
        }
        return null;
    }

    private static long tokenIn(Handle file) throws IOException {
        byte[] bytes = new byte[Long.BYTES];
        return file.read(TOKEN_OFFSET, bytes) < bytes.length
                ? 0
                : ByteBuffer.wrap(bytes).getLong();
    }

    private static ConflictException inUse(Path path, Handle file) throws IOException {
        return new ConflictException(path + ": in use by another replicator (" + ownerOf(file)
                + "); one meta directory serves one database of one process");
    }

    private interface Use {
        void of(Handle file) throws IOException;
    }

    /**
     * Changes the file.
     *
     * @throws ConflictException when it is not ours any more
     */
    private void change(Use use) throws IOException {
        if (locked != null) {
            use.of(locked);
            return;
        }
        try (Handle file = openOurs()) {
            if (file == null) {
                try (Handle theirs = new Handle(posix, posix.openReadOnly(path), path)) {
                    throw inUse(path, theirs);
                }
            }
            use.of(file);
        }
    }

    private static String ownerOf(Handle file) throws IOException {
        byte[] owner = new byte[OWNER_BYTES];
        int length = file.read(0, owner);
        return length <= 0 ? "not named yet" : new String(owner, 0, length, StandardCharsets.UTF_8).trim();
    }

    private void nameOwner(Handle file) throws IOException {
        byte[] owner = new byte[OWNER_BYTES];
        byte[] text = ("pid " + ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.UTF_8);
        System.arraycopy(text, 0, owner, 0, text.length);
        file.write(0, owner);
        // What the two slots had lost of their ends reads as zero from here on.
        file.write(TOKEN_OFFSET, ByteBuffer.allocate(Long.BYTES).putLong(token).array());
    }

    /**
     * What is kept for one TXID.
     *
     * @param uploaded the newest TXID that the replica had when this was written; {@link Txid#ZERO}: not known
     */
    record Slot(Cursor cursor, Txid uploaded) {}

    /**
     * A shutdown in order vouches for what happened before it, over a restart of the machine. It must not vouch for this run
     * too: a power cut during it may bring that slot back. Costs one sync to disk, after a shutdown in order only.
     */
    private void spendCleanMarks(Handle file) throws IOException {
        boolean spent = false;
        for (long parity = 0; parity < 2; parity++) {
            byte[] slot = new byte[SLOT_BYTES];
            if (file.read(offsetOf(parity), slot) == slot.length && slot[CLEAN_OFFSET] != 0) {
                Optional<Slot> kept = parse(slot);
                if (kept.isPresent()) {
                    write(file, kept.get(), false);
                    spent = true;
                }
            }
        }
        if (spent) {
            posix.force(file.fd());
        }
    }

    /**
     * The cursor that belongs to an L0 file.
     *
     * @param ltxChecksum file checksum of that L0 file
     * @return empty when its slot does not belong to it. After a machine restart without {@link #storeClean} before it,
     *     the fingerprint is marked as proving nothing.
     */
    Optional<Slot> load(Txid txid, long ltxChecksum) throws IOException {
        Handle open = locked;
        Optional<Slot> kept;
        if (open != null) {
            kept = read(open, txid);
        } else {
            try (Handle file = new Handle(posix, posix.openReadOnly(path), path)) {
                kept = read(file, txid);
            }
        }
        return kept.filter(
                found -> found.cursor().txid().equals(txid) && found.cursor().ltxChecksum() == ltxChecksum);
    }

    private Optional<Slot> read(Handle file, Txid txid) throws IOException {
        byte[] slot = new byte[SLOT_BYTES];
        return file.read(offsetOf(txid.value()), slot) < slot.length ? Optional.empty() : parse(slot);
    }

    /** Keeps a cursor; it survives the end of this process, not that of the machine. */
    void store(Cursor cursor, Txid uploaded) throws IOException {
        change(file -> write(file, new Slot(cursor, uploaded), false));
    }

    /** Keeps a cursor over a restart of the machine: for a shutdown in order, after which nobody of ours writes. */
    void storeClean(Cursor cursor, Txid uploaded) throws IOException {
        change(file -> {
            write(file, new Slot(cursor, uploaded), true);
            posix.force(file.fd());
        });
    }

    private static long offsetOf(long txid) {
        return OWNER_BYTES + (txid & 1) * SLOT_BYTES;
    }

    private void write(Handle file, Slot kept, boolean clean) throws IOException {
        Cursor cursor = kept.cursor();
        ByteBuffer slot = ByteBuffer.allocate(SLOT_BYTES);
        slot.putInt(MAGIC).putLong(bootId.high()).putLong(bootId.low()).put(flag(clean));
        slot.putLong(cursor.txid().value()).putInt(cursor.pageSize()).putInt(cursor.commitPages());
        slot.putInt(cursor.walSalts().salt1()).putInt(cursor.walSalts().salt2());
        slot.putInt(cursor.frame())
                .putInt(cursor.frameChecksum().s1())
                .putInt(cursor.frameChecksum().s2());
        slot.put(flag(cursor.sealed()));
        FileFingerprint database = cursor.database();
        slot.putLong(database.device()).putLong(database.inode()).putLong(database.bornNanos());
        slot.putLong(database.sizeBytes()).putLong(database.modifiedNanos()).putLong(database.changedNanos());
        slot.put(flag(!database.racy())); // 0, also of a field that was never written, proves nothing
        slot.putLong(cursor.ltxChecksum()).putLong(kept.uploaded().value());
        slot.putInt(SLOT_BYTES - Integer.BYTES, crc(slot.array()));
        file.write(offsetOf(cursor.txid().value()), slot.array());
    }

    private Optional<Slot> parse(byte[] bytes) {
        ByteBuffer slot = ByteBuffer.wrap(bytes);
        if (slot.getInt(SLOT_BYTES - Integer.BYTES) != crc(bytes) || slot.getInt() != MAGIC) {
            return Optional.empty();
        }
        boolean sameBoot = new BootId(slot.getLong(), slot.getLong()).equals(bootId);
        boolean clean = slot.get() == 1;
        Cursor cursor = new Cursor(
                new Txid(slot.getLong()),
                slot.getInt(),
                slot.getInt(),
                new WalSalts(slot.getInt(), slot.getInt()),
                slot.getInt(),
                new FrameChecksum(slot.getInt(), slot.getInt()),
                slot.get() == 1,
                new FileFingerprint(
                        slot.getLong(),
                        slot.getLong(),
                        slot.getLong(),
                        slot.getLong(),
                        slot.getLong(),
                        slot.getLong(),
                        slot.get() != 1),
                slot.getLong());
        if (cursor.commitPages() <= 0 || cursor.frame() < 0) {
            return Optional.empty();
        }
        return Optional.of(new Slot(sameBoot || clean ? cursor : cursor.unproven(), new Txid(slot.getLong())));
    }

    private static byte flag(boolean value) {
        return (byte) (value ? 1 : 0);
    }

    private static int crc(byte[] slot) {
        CRC32C crc = new CRC32C();
        crc.update(slot, 0, SLOT_BYTES - Integer.BYTES);
        return (int) crc.getValue();
    }

    /** Gives the lock up, if it is here. */
    @Override
    public void close() {
        Handle file = locked;
        locked = null;
        if (file != null) {
            file.close();
        }
    }
}
