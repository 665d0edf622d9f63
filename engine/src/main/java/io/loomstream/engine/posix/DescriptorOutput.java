package io.loomstream.engine.posix;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Path;

/**
 * Writes a file from its first byte on, over what is there. Does not close the descriptor. An error names the file. Not
 * thread-safe.
 */
public final class DescriptorOutput extends OutputStream {
    private final Posix posix;
    private final int fd;
    private final Path file;
    private long position;

    public DescriptorOutput(Posix posix, int fd, Path file) {
        this.posix = posix;
        this.fd = fd;
        this.file = file;
    }

    /** How many bytes were written. */
    public long position() {
        return position;
    }

    /** The same failure of a file instead of a descriptor's. */
    public static FileSystemException named(FileSystemException failure, Path file) {
        FileSystemException named = new FileSystemException(file.toString(), null, failure.getReason());
        named.initCause(failure);
        return named;
    }

    @Override
    public void write(int value) throws IOException {
        write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        try {
            posix.write(fd, position, bytes, offset, length);
        } catch (FileSystemException e) {
            throw named(e, file);
        }
        position += length;
    }
}
