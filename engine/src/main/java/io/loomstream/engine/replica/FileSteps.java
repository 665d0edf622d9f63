package io.loomstream.engine.replica;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.FileTime;
import java.time.Instant;

/**
 * The file-system steps whose order makes a file durable and its appearance atomic. One real implementation,
 * {@link PosixFileSteps}; tests wrap it to fail or stop at a step.
 */
public interface FileSteps {
    /**
     * Creates a file for writing, which must not exist; never follows a link.
     *
     * @throws java.nio.file.FileAlreadyExistsException when anything has that name
     */
    FileChannel create(Path file, FileAccess.Grant grant) throws IOException;

    /**
     * Makes a new file, as {@link #create} does, of all the bytes of another one, and waits until it is on the disk.
     *
     * @param sizeBytes how many bytes that are
     * @param time of its last modification
     * @throws java.nio.file.FileAlreadyExistsException when anything has that name
     * @throws java.nio.file.NoSuchFileException when the directory is missing; nothing is left behind then
     */
    default void store(Path source, long sizeBytes, Path file, FileAccess.Grant grant, Instant time)
            throws IOException {
        try (FileChannel channel = create(file, grant)) {
            copy(source, channel);
            FileTime both = FileTime.from(time);
            Files.getFileAttributeView(file, BasicFileAttributeView.class).setTimes(both, both, null);
            force(channel);
        }
    }

    /** Appends all of a local file. */
    void copy(Path source, FileChannel target) throws IOException;

    /** Waits until a file's bytes, length and times are on the disk. */
    void force(FileChannel file) throws IOException;

    /** Gives a complete file its final name, replacing what has it. */
    void rename(Path from, Path to) throws IOException;

    /** Whether there is nothing of this name for certain; false also where that cannot be looked at. */
    default boolean isAbsent(Path file) {
        return Files.notExists(file);
    }

    /** Removes one name; false when there was none. */
    boolean delete(Path file) throws IOException;

    /** Waits until a directory's names are on the disk. */
    void forceDirectory(Path directory) throws IOException;

    /** Creates a directory and those above it that are missing, each durable in its parent. */
    void createDirectories(Path directory, FileAccess.Grant grant) throws IOException;
}
