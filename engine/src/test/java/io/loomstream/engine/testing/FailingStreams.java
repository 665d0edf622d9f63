package io.loomstream.engine.testing;

import java.io.FilterInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/** Streams that work for some bytes and then fail, each time they are asked. */
public final class FailingStreams {
    private FailingStreams() {}

    /** A stream that gives {@code goodBytes} of another one. */
    public static InputStream input(InputStream in, long goodBytes, IOException failure) {
        return new FilterInputStream(in) {
            private long left = goodBytes;

            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
            }

            @Override
            public int read(byte[] target, int offset, int length) throws IOException {
                if (left == 0) {
                    throw failure;
                }
                int read = super.read(target, offset, (int) Math.min(length, left));
                left -= Math.max(0, read);
                return read;
            }
        };
    }

    /** A stream that takes {@code goodBytes} for another one. */
    public static OutputStream output(OutputStream out, long goodBytes, IOException failure) {
        return new FilterOutputStream(out) {
            private long left = goodBytes;

            @Override
            public void write(int one) throws IOException {
                write(new byte[] {(byte) one}, 0, 1);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                int good = (int) Math.min(length, left);
                out.write(bytes, offset, good);
                left -= good;
                if (good < length) {
                    throw failure;
                }
            }
        };
    }
}
