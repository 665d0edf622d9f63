package io.loomstream.engine.replica.s3;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import software.amazon.awssdk.core.sync.RequestBody;

/**
 * A part of a local file as a request's body: read where it lies, never held in memory. The SDK reads it more than once,
 * to sign it and to send it.
 */
final class FileBody extends InputStream {
    static final String CONTENT_TYPE = "application/octet-stream";

    private final FileChannel file;
    private final Progress progress;
    private final long end;
    private long position;
    private long mark;

    private FileBody(FileChannel file, long offset, long sizeBytes, Progress progress) {
        this.file = file;
        this.position = offset;
        this.mark = offset;
        this.end = offset + sizeBytes;
        this.progress = progress;
    }

    /** The local file cannot be read: not the store's fault. */
    static final class ReadFailedException extends UncheckedIOException {
        private static final long serialVersionUID = 1L;

        ReadFailedException(String message, IOException cause) {
            super(message, cause);
        }
    }

    /** The bytes from {@code offset} on; the channel stays open until the request has ended. */
    static RequestBody of(FileChannel file, long offset, long sizeBytes, Progress progress) {
        return RequestBody.fromContentProvider(
                () -> new FileBody(file, offset, sizeBytes, progress), sizeBytes, CONTENT_TYPE);
    }

    @Override
    public int read() {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) {
        if (length == 0) {
            return 0;
        }
        if (position == end) {
            return -1;
        }
        try {
            int wanted = (int) Math.min(length, end - position);
            int count = file.read(ByteBuffer.wrap(buffer, offset, wanted), position);
            if (count < 0) {
                throw new ReadFailedException(
                        "the local file ends at byte " + position + " of " + end, new IOException("it became shorter"));
            }
            position += count;
            progress.sent(count);
            return count;
        } catch (ReadFailedException e) {
            throw e;
        } catch (IOException e) {
            throw new ReadFailedException("the local file cannot be read at byte " + position + ": " + e, e);
        }
    }

    @Override
    public int available() {
        return (int) Math.min(Integer.MAX_VALUE, end - position);
    }

    @Override
    public boolean markSupported() {
        return true;
    }

    @Override
    public void mark(int readLimit) {
        mark = position;
    }

    @Override
    public void reset() {
        position = mark;
    }
}
