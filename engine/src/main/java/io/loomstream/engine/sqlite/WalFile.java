package io.loomstream.engine.sqlite;

import io.loomstream.engine.posix.FileStat;
import io.loomstream.engine.posix.Posix;
import io.loomstream.engine.wal.WalHeader;
import io.loomstream.engine.wal.WalSource;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/** An open {@code -wal} file. */
public final class WalFile implements WalSource, AutoCloseable {
    private final Posix posix;
    private final int fd;
    private boolean open = true;

    private WalFile(Posix posix, int fd) {
        this.posix = posix;
        this.fd = fd;
    }

    /** Empty when there is no such file. */
    static Optional<WalFile> open(Posix posix, Path path) throws IOException {
        try {
            return Optional.of(new WalFile(posix, posix.openReadOnly(path)));
        } catch (NoSuchFileException absent) {
            return Optional.empty();
        }
    }

    @Override
    public int read(long positionBytes, byte[] buffer, int offset, int length) throws IOException {
        return posix.read(fd, positionBytes, buffer, offset, length);
    }

    public FileStat stat() throws IOException {
        return posix.stat(fd);
    }

    /** The header as it stands now; empty when the file is shorter than one or it is not valid. */
    public Optional<WalHeader> header() throws IOException {
        byte[] bytes = new byte[WalHeader.SIZE_BYTES];
        int length = read(0, bytes, 0, bytes.length);
        return length < bytes.length ? Optional.empty() : WalHeader.parse(bytes);
    }

    @Override
    public void close() {
        if (open) {
            open = false;
            posix.close(fd);
        }
    }
}
