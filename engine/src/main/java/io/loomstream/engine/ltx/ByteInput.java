package io.loomstream.engine.ltx;

import io.loomstream.engine.error.CorruptDataException;
import java.io.IOException;
import java.io.InputStream;

/** A stream read in exact pieces, with its position: too few bytes is a corrupt file, anything else the stream's error. */
final class ByteInput {
    private static final int BUFFER_BYTES = 64 * 1024;
    private static final int SMALLEST_BUFFER_BYTES = 4 * 1024;

    private final InputStream in;
    private final String source;
    private byte[] buffer = new byte[SMALLEST_BUFFER_BYTES];
    private int start;
    private int end;
    private long position;

    ByteInput(InputStream in, String source) {
        this.in = in;
        this.source = source;
    }

    String source() {
        return source;
    }

    /** Offset in the file of the next byte. */
    long position() {
        return position;
    }

    CorruptDataException corrupt(long offset, String problem) {
        return new CorruptDataException(source, offset, problem);
    }

    void readFully(byte[] target, int offset, int length) throws IOException {
        int done = 0;
        while (done < length) {
            if (start == end && !fill(length - done)) {
                throw corrupt(position, "truncated: " + (length - done) + " bytes are missing");
            }
            int n = Math.min(end - start, length - done);
            System.arraycopy(buffer, start, target, offset + done, n);
            start += n;
            position += n;
            done += n;
        }
    }

    /** The next byte, or -1 at the end of the stream. */
    int readOrEnd() throws IOException {
        if (start == end && !fill(1)) {
            return -1;
        }
        position++;
        return buffer[start++] & 0xFF;
    }

    private boolean fill(int wanted) throws IOException {
        if (buffer.length < BUFFER_BYTES && (wanted > buffer.length || position > buffer.length)) {
            buffer = new byte[BUFFER_BYTES];
        }
        start = 0;
        end = Math.max(0, in.read(buffer, 0, buffer.length));
        return end > 0;
    }

    /** The rest as a stream; reading from it moves this input on. */
    InputStream asStream() {
        return new InputStream() {
            @Override
            public int read() throws IOException {
                return readOrEnd();
            }

            @Override
            public int read(byte[] target, int offset, int length) throws IOException {
                if (length == 0) {
                    return 0;
                }
                if (start == end && !fill(length)) {
                    return -1;
                }
                int n = Math.min(end - start, length);
                System.arraycopy(buffer, start, target, offset, n);
                start += n;
                position += n;
                return n;
            }
        };
    }
}
