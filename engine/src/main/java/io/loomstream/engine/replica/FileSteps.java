package io.loomstream.engine.replica;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

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

    /** Appends all of a local file. */
    void copy(Path source, FileChannel target) throws IOException;

    /** Waits until a file's bytes, length and times are on the disk. */
    void force(FileChannel file) throws IOException;

    /** Gives a complete file its final name, replacing what has it. */
    void rename(Path from, Path to) throws IOException;

    /** Removes one name; false when there was none. */
    boolean delete(Path file) throws IOException;

    /** Waits until a directory's names are on the disk. */
    void forceDirectory(Path directory) throws IOException;

    /** Creates a directory and those above it that are missing, each durable in its parent. */
    void createDirectories(Path directory, FileAccess.Grant grant) throws IOException;
}
