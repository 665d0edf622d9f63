package io.loomstream.engine.replica;

import io.loomstream.engine.posix.Posix;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;

/**
 * {@link FileSteps} on a POSIX file system. Small files, which a fleet stores by the thousand a second, take the fewest
 * system calls there are, where {@link Posix} is at hand.
 *
 * <p>Thread-safe.
 */
public final class PosixFileSteps implements FileSteps {
    /**
     * A raw call that waits for the disk keeps its carrier thread, for which the JVM finds no substitute as it does for its own
     * file operations: half of the carriers at most wait for a disk in {@code fsync}, the slowest call by far.
     */
    private static final Semaphore FORCES = new Semaphore(
            Math.max(
                    1,
                    Integer.getInteger(
                                    "jdk.virtualThreadScheduler.parallelism",
                                    Runtime.getRuntime().availableProcessors())
                            / 2),
            true);

    /** Larger ones are left to the kernel, which may share their blocks. */
    private static final long SMALL_BYTES = 1024 * 1024;

    @Override
    public void store(Path source, long sizeBytes, Path file, FileAccess.Grant grant, Instant time) throws IOException {
        Optional<Posix> posix = Posix.load();
        if (posix.isPresent() && sizeBytes <= SMALL_BYTES) {
            store(posix.get(), source, sizeBytes, file, grant, time);
        } else {
            FileSteps.super.store(source, sizeBytes, file, grant, time);
        }
    }

    private static void store(Posix posix, Path source, long sizeBytes, Path file, FileAccess.Grant grant, Instant time)
            throws IOException {
        int from = posix.openReadOnly(source);
        try {
            int to = posix.createNew(file, grant.modeAtBirth());
            try {
                grant.applyTo(posix, to);
                posix.copy(from, to, sizeBytes);
                posix.setTimes(to, time);
                force(posix, to);
            } finally {
                posix.close(to);
            }
        } finally {
            posix.close(from);
        }
    }

    private static void force(Posix posix, int fd) throws IOException {
        FORCES.acquireUninterruptibly();
        try {
            posix.force(fd);
        } finally {
            FORCES.release();
        }
    }

    @Override
    public boolean isAbsent(Path file) {
        Optional<Posix> posix = Posix.load();
        if (posix.isEmpty()) {
            return FileSteps.super.isAbsent(file);
        }
        try {
            return posix.get().stat(file).isEmpty(); // absent is the usual answer: the JDK's would be an exception
        } catch (IOException unknown) {
            return false;
        }
    }

    @Override
    public FileChannel create(Path file, FileAccess.Grant grant) throws IOException {
        FileChannel channel = FileChannel.open(
                file,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS),
                PosixFilePermissions.asFileAttribute(grant.atBirth()));
        try {
            grant.applyTo(file);
            return channel;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    @Override
    public void copy(Path source, FileChannel target) throws IOException {
        try (FileChannel from = FileChannel.open(source, StandardOpenOption.READ)) {
            long size = from.size();
            long at = 0;
            while (at < size) {
                long moved = from.transferTo(at, size - at, target);
                if (moved <= 0) {
                    throw new IOException(source + " ended after " + at + " of " + size + " bytes");
                }
                at += moved;
            }
        }
    }

    @Override
    public void force(FileChannel file) throws IOException {
        file.force(true);
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    }

    @Override
    public boolean delete(Path file) throws IOException {
        return Files.deleteIfExists(file);
    }

    @Override
    public void forceDirectory(Path directory) throws IOException {
        // Linux lets a directory be opened for reading and synced like a file.
        Optional<Posix> posix = Posix.load();
        if (posix.isPresent()) {
            int fd = posix.get().openReadOnly(directory);
            try {
                force(posix.get(), fd);
            } finally {
                posix.get().close(fd);
            }
            return;
        }
        try (FileChannel names = FileChannel.open(directory, StandardOpenOption.READ)) {
            names.force(true);
        }
    }

    @Override
    public void createDirectories(Path directory, FileAccess.Grant grant) throws IOException {
        Deque<Path> missing = new ArrayDeque<>();
        for (Path at = directory.toAbsolutePath(); at != null && Files.notExists(at); at = at.getParent()) {
            missing.push(at);
        }
        for (Path made : missing) {
            createDirectory(made, grant);
        }
    }

    private void createDirectory(Path directory, FileAccess.Grant grant) throws IOException {
        try {
            Files.createDirectory(directory, PosixFilePermissions.asFileAttribute(grant.atBirth()));
        } catch (FileAlreadyExistsException madeByAnother) {
            return;
        }
        try {
            grant.applyTo(directory);
            Path parent = directory.getParent();
            if (parent != null) {
                forceDirectory(parent);
            }
        } catch (IOException e) {
            // Left standing, it would be taken for durable by the next attempt.
            Files.deleteIfExists(directory);
            throw e;
        }
    }
}
