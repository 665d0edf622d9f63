package io.loomstream.engine.ltx;

import io.loomstream.engine.testing.FailingStreams;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.HashSet;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Intermediate results in memory, counted; insists on being used in order. */
final class MemorySpool implements Compactor.Spool {
    private final Set<Piece> alive = new HashSet<>();
    private UnaryOperator<InputStream> tracker = UnaryOperator.identity();
    private @Nullable IOException failure;
    private int made;
    private long writtenBytes;

    int alive() {
        return alive.size();
    }

    int made() {
        return made;
    }

    long writtenBytes() {
        return writtenBytes;
    }

    void trackWith(UnaryOperator<InputStream> readers) {
        tracker = readers;
    }

    void failWriting(IOException e) {
        failure = e;
    }

    @Override
    public Piece create() {
        Piece piece = new Piece() {
            private @Nullable ByteArrayOutputStream bytes;
            private boolean complete;

            @Override
            public OutputStream write() {
                if (bytes != null) {
                    throw new IllegalStateException("written twice");
                }
                bytes = new ByteArrayOutputStream() {
                    @Override
                    public void close() {
                        complete = true;
                        writtenBytes += count;
                    }
                };
                return failure == null ? bytes : FailingStreams.output(bytes, 50, failure);
            }

            @Override
            public InputStream read() {
                if (!complete || !alive.contains(this)) {
                    throw new IllegalStateException("read before it was written, or after it was closed");
                }
                return tracker.apply(new ByteArrayInputStream(bytes.toByteArray()));
            }

            @Override
            public void close() {
                if (!alive.remove(this)) {
                    throw new IllegalStateException("closed twice");
                }
            }
        };
        alive.add(piece);
        made++;
        return piece;
    }
}
