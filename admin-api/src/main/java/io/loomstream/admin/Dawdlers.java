package io.loomstream.admin;

import java.time.Duration;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.util.component.AbstractLifeCycle;
import org.eclipse.jetty.util.thread.Scheduler;

/**
 * Ends connections whose request takes too long to arrive. A silent connection is ended by its idle timeout, which starts
 * anew with each byte: a client that sends one now and then would keep its connection for ever, and a thousand such clients
 * would keep everybody else out.
 *
 * <p>Only what comes before the routes is meant: a request that is worked on may take as long as it needs. Looks at all
 * connections a few times within the time allowed, from the server's scheduler.
 */
final class Dawdlers extends AbstractLifeCycle implements Connection.Listener {
    private static final int LOOKS = 4;

    private final Scheduler scheduler;
    private final long allowedNanos;
    private final Map<Connection, Progress> connections = new ConcurrentHashMap<>();

    /** @param allowed from the first byte of a request to the last one of its headers */
    Dawdlers(Scheduler scheduler, Duration allowed) {
        this.scheduler = scheduler;
        this.allowedNanos = allowed.toNanos();
    }

    /** How far a connection was at the last look. Touched by looks only, of which one runs at a time. */
    private static final class Progress {
        private long requests;
        private long bytes;
        private long sinceNanos;
        private boolean arriving;

        /** A connection has to say something whole in time, a TLS handshake included. */
        private Progress(long nowNanos) {
            this.sinceNanos = nowNanos;
            this.arriving = true;
        }

        /** Takes note; true when the request that arrives has taken too long. */
        private boolean tooLong(Connection connection, long nowNanos, long allowedNanos) {
            long requestsNow = connection.getMessagesIn();
            long bytesNow = connection.getBytesIn();
            boolean workedOn = requestsNow > connection.getMessagesOut();
            if (requestsNow != requests || workedOn) {
                requests = requestsNow;
                bytes = bytesNow;
                arriving = false;
            } else if (!arriving && bytesNow != bytes) {
                bytes = bytesNow;
                arriving = true;
                sinceNanos = nowNanos;
            }
            return arriving && nowNanos - sinceNanos > allowedNanos;
        }
    }

    @Override
    protected void doStart() {
        scheduleLook();
    }

    @Override
    public void onOpened(Connection connection) {
        // Of TLS and HTTP on one socket, HTTP is the one that counts requests.
        if (connection instanceof org.eclipse.jetty.server.internal.HttpConnection) {
            connections.put(connection, new Progress(System.nanoTime()));
        }
    }

    @Override
    public void onClosed(Connection connection) {
        connections.remove(connection);
    }

    private void scheduleLook() {
        scheduler.schedule(this::look, Math.max(1, allowedNanos / LOOKS), TimeUnit.NANOSECONDS);
    }

    private void look() {
        if (!isRunning() && !isStarting()) {
            return;
        }
        long now = System.nanoTime();
        for (Iterator<Map.Entry<Connection, Progress>> all =
                        connections.entrySet().iterator();
                all.hasNext(); ) {
            Map.Entry<Connection, Progress> one = all.next();
            if (one.getValue().tooLong(one.getKey(), now, allowedNanos)) {
                all.remove();
                one.getKey().getEndPoint().close();
            }
        }
        scheduleLook();
    }
}
