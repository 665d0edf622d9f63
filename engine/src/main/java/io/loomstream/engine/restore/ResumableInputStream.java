package io.loomstream.engine.restore;

import io.loomstream.engine.error.TransientStorageException;
import io.loomstream.engine.replica.MissingFileException;
import io.loomstream.engine.replica.ReplicaClient;
import io.loomstream.engine.replica.ReplicaFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedByInterruptException;
import org.jspecify.annotations.Nullable;

/**
 * Bytes of one stored file, opened with the first read and reopened where it broke off: a connection that ends
 * early looks like the end of the file, so only the listed size says where the end of the file is. Not thread-safe.
 */
public final class ResumableInputStream extends InputStream {
    private static final int RETRIES = 3;

    private final ReplicaClient replica;
    private final ReplicaFile file;
    private final long end;
    private long position;
    private int retriesLeft = RETRIES;
    private @Nullable InputStream stream;

    /** All of a file. */
    public ResumableInputStream(ReplicaClient replica, ReplicaFile file) {
        this(replica, file, 0, file.sizeBytes());
    }

    /** The bytes from {@code from} to before {@code to}. */
    ResumableInputStream(ReplicaClient replica, ReplicaFile file, long from, long to) {
        this.replica = replica;
        this.file = file;
        this.position = from;
        this.end = to;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    /**
     * Reads on.
     *
     * @throws TransientStorageException when the retries are used up
     * @throws MissingFileException at once when the file is gone
     */
    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
        long left = end - position;
        if (left == 0) {
            return -1;
        }
        while (true) {
            try {
                int count = opened().read(buffer, offset, (int) Math.min(length, left));
                if (count >= 0) {
                    position += count;
                    return count;
                }
                giveUpOrRetry(new IOException("ended early"));
            } catch (MissingFileException | ClosedByInterruptException | InterruptedIOException e) {
                throw e;
            } catch (IOException | TransientStorageException e) {
                giveUpOrRetry(e);
            }
        }
    }

    private InputStream opened() throws IOException {
        if (stream == null) {
            stream = end == file.sizeBytes()
                    ? replica.open(file.level(), file.range(), position)
                    : replica.open(file.level(), file.range(), position, end - position);
        }
        return stream;
    }

    private void giveUpOrRetry(Exception cause) {
        try {
            close();
        } catch (IOException e) {
            cause.addSuppressed(e);
        }
        if (retriesLeft == 0) {
            throw new TransientStorageException(
                    "level " + file.level() + " " + file.range() + " of " + replica.describe() + ": stopped at byte "
                            + position + " of " + file.sizeBytes() + " after " + RETRIES + " retries: "
                            + cause.getMessage(),
                    cause);
        }
        retriesLeft--;
    }

    @Override
    public void close() throws IOException {
        InputStream open = stream;
        stream = null;
        if (open != null) {
            open.close();
        }
    }
}
