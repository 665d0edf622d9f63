package io.loomstream.engine.posix;

import java.io.IOException;
import java.io.OutputStream;

/** Writes a file from its first byte on, over what is there. Does not close the descriptor. Not thread-safe. */
public final class DescriptorOutput extends OutputStream {
    private final Posix posix;
    private final int fd;
    private long position;

    public DescriptorOutput(Posix posix, int fd) {
        this.posix = posix;
        this.fd = fd;
    }

    /** How many bytes were written. */
    public long position() {
        return position;
    }

    @Override
    public void write(int value) throws IOException {
        write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        posix.write(fd, position, bytes, offset, length);
        position += length;
    }
}
