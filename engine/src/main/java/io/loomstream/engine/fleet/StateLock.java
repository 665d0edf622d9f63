package io.loomstream.engine.fleet;

import io.loomstream.engine.error.ConflictException;
import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.fleet.HotList.Owner;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The lock file of a state directory: one server of one host uses it. Released by the kernel when the process ends. */
final class StateLock implements AutoCloseable {
    private static final int OWNER_BYTES_MAX = 1024;

    private final FileChannel file;

    private StateLock(FileChannel file) {
        this.file = file;
    }

    /**
     * Takes the lock and writes down whose it is.
     *
     * @throws ConflictException naming the owner when another process has it
     */
    static StateLock take(Path directory, Owner owner) {
        Path path = directory.resolve("lock");
        FileChannel file = null;
        boolean taken = false;
        try {
            Files.createDirectories(directory);
            file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            if (!tryLock(file)) {
                throw new ConflictException(path + ": another server uses this state directory: " + read(file));
            }
            file.truncate(0);
            file.write(ByteBuffer.wrap(owner.toString().getBytes(StandardCharsets.UTF_8)), 0);
            taken = true;
            return new StateLock(file);
        } catch (IOException e) {
            throw new TransientStorageException("the lock " + path + " cannot be taken: " + e.getMessage(), e);
        } finally {
            if (!taken && file != null) {
                close(file);
            }
        }
    }

    private static boolean tryLock(FileChannel file) throws IOException {
        try {
            return file.tryLock() != null;
        } catch (OverlappingFileLockException heldByThisProcess) {
            return false;
        }
    }

    private static String read(FileChannel file) throws IOException {
        ByteBuffer text = ByteBuffer.allocate(OWNER_BYTES_MAX);
        int length = file.read(text, 0);
        return length <= 0 ? "not named yet" : new String(text.array(), 0, length, StandardCharsets.UTF_8);
    }

    private static void close(FileChannel file) {
        try {
            file.close();
        } catch (IOException e) {
            throw new TransientStorageException("a lock file cannot be closed: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        close(file);
    }
}
