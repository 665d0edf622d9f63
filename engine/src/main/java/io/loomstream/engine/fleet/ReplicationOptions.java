package io.loomstream.engine.fleet;

import io.loomstream.engine.concurrent.Time;
import io.loomstream.engine.sqlite.ConnectionLimits;

/**
 * Sizes of the process's gates, and its clocks.
 *
 * @param monitorPermits looks at once
 * @param snapshotPermits copies of whole databases at once
 * @param uploadPermits databases that bring files to their replica at once
 * @param nativePermits calls into SQLite at once; fewer than carrier threads, which each such call blocks one of
 * @param connections of SQLite to replicated databases
 */
public record ReplicationOptions(
        int monitorPermits,
        int snapshotPermits,
        int uploadPermits,
        int nativePermits,
        ConnectionLimits connections,
        Time time) {
    public static ReplicationOptions defaults() {
        return new ReplicationOptions(100, 50, 200, 6, ConnectionLimits.defaults(), Time.system());
    }
}
