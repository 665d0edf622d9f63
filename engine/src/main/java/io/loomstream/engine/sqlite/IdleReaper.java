package io.loomstream.engine.sqlite;

import io.loomstream.engine.concurrent.Time;
import java.util.concurrent.Callable;

/** Closes connections that nobody used for the idle timeout, until interrupted. Used by one thread. */
public final class IdleReaper implements Callable<Void> {
    private final SqliteConnections connections;
    private final Time time;

    public IdleReaper(SqliteConnections connections, Time time) {
        this.connections = connections;
        this.time = time;
    }

    @Override
    public Void call() throws InterruptedException {
        while (true) {
            // One that becomes idle during the sleep expires after it: nothing is overslept.
            time.sleep(connections.untilNextReap());
            connections.reap();
        }
    }
}
