package io.loomstream.admin;

import io.javalin.http.Context;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.eclipse.jetty.ee10.servlet.ServletContextRequest;

/**
 * Bodies of requests, read before a request takes one of the few places: what comes slowly must hold up nobody. A body that
 * is not there in time ends its connection.
 */
final class Bodies implements AutoCloseable {
    static final int BYTES_MAX = 64 * 1_024;
    private static final String ATTRIBUTE = Bodies.class.getName();

    private final Duration allowed;
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(
            task -> Thread.ofVirtual().name("admin-bodies").unstarted(task));

    /** @param allowed from the end of the headers to the end of the body */
    Bodies(Duration allowed) {
        this.allowed = allowed;
    }

    /**
     * Reads it, for {@link #of}.
     *
     * @throws Problem when it is too long, or does not come in time
     */
    void read(Context context) throws IOException {
        var endPoint = ServletContextRequest.getServletContextRequest(context.req())
                .getConnectionMetaData()
                .getConnection()
                .getEndPoint();
        AtomicBoolean late = new AtomicBoolean();
        Future<?> end = clock.schedule(
                () -> {
                    late.set(true);
                    endPoint.close();
                },
                allowed.toNanos(),
                TimeUnit.NANOSECONDS);
        try (InputStream in = context.req().getInputStream()) {
            byte[] body = in.readNBytes(BYTES_MAX + 1);
            if (body.length > BYTES_MAX) {
                context.header("Connection", "close");
                throw new Problem(413, "the body is larger than " + BYTES_MAX + " bytes");
            }
            context.attribute(ATTRIBUTE, body);
        } catch (IOException e) {
            if (late.get()) {
                throw new Problem(408, "the body did not come in time");
            }
            throw e;
        } finally {
            end.cancel(false);
        }
    }

    /** The body that was read. */
    static byte[] of(Context context) {
        return Optional.<byte[]>ofNullable(context.attribute(ATTRIBUTE)).orElseThrow();
    }

    @Override
    public void close() {
        clock.shutdownNow();
    }
}
