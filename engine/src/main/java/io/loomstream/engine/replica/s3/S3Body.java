package io.loomstream.engine.replica.s3;

import io.loomstream.engine.error.TransientStorageException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.ResponseInputStream;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;

/**
 * An object's bytes from an offset to its end. A body that breaks off or stalls is asked for again from where it ended, on
 * condition that the object is still the same one. Bytes are fetched a buffer at a time behind the gate; while the reader
 * thinks, no permit is held. Not thread-safe.
 */
final class S3Body extends InputStream {
    static final int BUFFER_BYTES = 256 << 10;

    /** Breaks in a row without a byte in between. */
    private static final int RESUMES_MAX = 5;

    private final S3Endpoint endpoint;
    private final GetObjectRequest request;
    private final String what;
    private final long end;
    private final @Nullable String etag;
    private final Map<String, String> metadata;
    private byte[] buffer;
    private int bufferAt;
    private int buffered;
    private long fetchedTo;
    private @Nullable ResponseInputStream<GetObjectResponse> source;

    /** What one GET gave: the answer, the first buffer, and the rest of its body unless all is in the buffer. */
    private record Opened(
            GetObjectResponse response,
            ByteBuffer first,
            @Nullable ResponseInputStream<GetObjectResponse> rest) implements AutoCloseable {
        @Override
        public void close() {
            if (rest != null) {
                rest.abort();
            }
        }
    }

    private S3Body(S3Endpoint endpoint, GetObjectRequest request, String what, long offset, Opened opened) {
        this.endpoint = endpoint;
        this.request = request;
        this.what = what;
        this.end = offset + opened.response().contentLength();
        this.etag = opened.response().eTag();
        this.metadata = opened.response().metadata();
        this.buffer = opened.first().array();
        this.buffered = opened.first().limit();
        this.fetchedTo = offset + buffered;
        this.source = opened.rest();
    }

    /**
     * Asks for an object.
     *
     * @param request without a range
     * @param what the object, for messages
     * @return empty stream when the object ends at or before the offset
     */
    static InputStream open(S3Endpoint endpoint, GetObjectRequest request, String what, long offset)
            throws S3Failure, InterruptedException {
        try {
            return new S3Body(endpoint, request, what, offset, get(endpoint, request, offset));
        } catch (S3Failure failure) {
            if (failure.kind() == S3Failure.Kind.RANGE) {
                return InputStream.nullInputStream();
            }
            throw failure;
        }
    }

    /** As {@link #open} from the start, for who wants to see what the object says about itself. */
    static S3Body open(S3Endpoint endpoint, GetObjectRequest request, String what)
            throws S3Failure, InterruptedException {
        return new S3Body(endpoint, request, what, 0, get(endpoint, request, 0));
    }

    private static Opened get(S3Endpoint endpoint, GetObjectRequest request, long offset)
            throws S3Failure, InterruptedException {
        GetObjectRequest ranged = offset == 0
                ? request
                : request.toBuilder().range("bytes=" + offset + "-").build();
        return endpoint.call(S3Operation.GET, 0, (client, progress) -> {
            ResponseInputStream<GetObjectResponse> stream = client.getObject(ranged);
            boolean kept = false;
            try {
                progress.moved();
                GetObjectResponse response = stream.response();
                requireRange(response, offset);
                byte[] first = new byte[(int) Math.min(BUFFER_BYTES, response.contentLength())];
                int count = fill(stream, first, first.length, progress);
                endpoint.counters().received(count);
                boolean whole = count == response.contentLength();
                if (!whole && count < first.length) {
                    throw new S3Failure(
                            S3Failure.Kind.TRANSIENT,
                            "Truncated",
                            "the body ended after " + count + " of " + response.contentLength() + " bytes",
                            null);
                }
                if (whole) {
                    stream.close();
                }
                kept = true;
                return new Opened(response, ByteBuffer.wrap(first, 0, count), whole ? null : stream);
            } finally {
                if (!kept) {
                    stream.abort();
                }
            }
        });
    }

    /** Some stores and proxies answer a range with the whole object. */
    private static void requireRange(GetObjectResponse response, long offset) throws S3Failure {
        if (response.contentLength() == null) {
            throw new S3Failure(S3Failure.Kind.TRANSIENT, "NoLength", "an answer without Content-Length", null);
        }
        String range = response.contentRange();
        if (offset > 0 && (range == null || !range.startsWith("bytes " + offset + "-"))) {
            throw new S3Failure(
                    S3Failure.Kind.TRANSIENT, "WrongRange", "asked for bytes from " + offset + ", got " + range, null);
        }
    }

    /** Reads until {@code wanted} bytes are there or the body ends. */
    private static int fill(InputStream stream, byte[] into, int wanted, Progress progress) throws IOException {
        int count = 0;
        while (count < wanted) {
            int read = stream.read(into, count, wanted - count);
            if (read < 0) {
                break;
            }
            count += read;
            progress.moved();
        }
        return count;
    }

    /** The object's length. */
    long endsAt() {
        return end;
    }

    /** What changes when the object does, if the store says. */
    Optional<String> etag() {
        return Optional.ofNullable(etag);
    }

    Map<String, String> metadata() {
        return metadata;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        if (bufferAt == buffered) {
            if (fetchedTo == end) {
                return -1;
            }
            fetch();
        }
        int count = Math.min(length, buffered - bufferAt);
        System.arraycopy(buffer, bufferAt, into, offset, count);
        bufferAt += count;
        return count;
    }

    private void fetch() throws IOException {
        try {
            for (int breaks = 0; ; ) {
                try {
                    if (source == null) {
                        resume();
                    } else {
                        next(source);
                    }
                    return;
                } catch (S3Failure failure) {
                    release();
                    if (!failure.retryable() || ++breaks > RESUMES_MAX) {
                        throw failure.toEngine(what + " from byte " + fetchedTo + " of " + end);
                    }
                }
            }
        } catch (InterruptedException e) {
            release();
            Thread.currentThread().interrupt();
            throw new TransientStorageException(what + ": interrupted at byte " + fetchedTo + " of " + end, e);
        }
    }

    private void next(InputStream from) throws S3Failure, InterruptedException {
        byte[] target = buffer.length < BUFFER_BYTES ? new byte[BUFFER_BYTES] : buffer;
        int wanted = (int) Math.min(target.length, end - fetchedTo);
        int count = endpoint.transfer((client, progress) -> fill(from, target, wanted, progress));
        endpoint.counters().received(count);
        if (count == 0) {
            throw new S3Failure(S3Failure.Kind.TRANSIENT, "Truncated", "the body ended early", null);
        }
        take(target, count);
    }

    private void resume() throws S3Failure, InterruptedException {
        GetObjectRequest same =
                etag == null ? request : request.toBuilder().ifMatch(etag).build();
        Opened opened = get(endpoint, same, fetchedTo);
        source = opened.rest();
        if (fetchedTo + opened.response().contentLength() != end) {
            throw new S3Failure(
                    S3Failure.Kind.PRECONDITION,
                    "Changed",
                    "its length is now " + (fetchedTo + opened.response().contentLength()),
                    null);
        }
        take(opened.first().array(), opened.first().limit());
    }

    private void take(byte[] bytes, int count) {
        buffer = bytes;
        bufferAt = 0;
        buffered = count;
        fetchedTo += count;
        if (fetchedTo == end) {
            finish();
        }
    }

    /** Everything was read: closing lets the connection be used again. */
    private void finish() {
        ResponseInputStream<GetObjectResponse> done = source;
        source = null;
        if (done != null) {
            try {
                done.close();
            } catch (IOException e) {
                done.abort();
            }
        }
    }

    private void release() {
        ResponseInputStream<GetObjectResponse> broken = source;
        source = null;
        if (broken != null) {
            broken.abort();
        }
    }

    /** Breaks the connection off when the reader does not want the rest: that rest may be gigabytes. */
    @Override
    public void close() {
        release();
        bufferAt = buffered;
        fetchedTo = end;
    }
}
