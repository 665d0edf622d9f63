package io.loomstream.engine.fleet;

import io.loomstream.engine.concurrent.Time;

/**
 * Sizes of the process's gates, and its clocks.
 *
 * @param monitorPermits looks at once
 * @param snapshotPermits copies of whole databases at once
 * @param uploadPermits databases that bring files to their replica at once
 * @param compactionPermits databases whose files are merged or deleted at once, snapshots aside
 * @param nativePermits calls into SQLite at once; fewer than carrier threads, which each such call blocks one of
 */
public record ReplicationOptions(
        int monitorPermits,
        int snapshotPermits,
        int uploadPermits,
        int compactionPermits,
        int nativePermits,
        Time time) {
    public static ReplicationOptions defaults() {
        return new ReplicationOptions(100, 50, 200, 20, 6, Time.system());
    }
}
