package io.loomstream.engine.sync;

import io.loomstream.engine.concurrent.Gate;

/**
 * The gates of the process: how much of each kind of work runs at once. Order against deadlocks: monitor or snapshot is
 * given back before upload is waited for. Below upload there is only the S3 gate, which the S3 replicas take and give back
 * for every request; whoever holds that one waits for nobody.
 */
public record Gates(Gate monitors, Gate snapshots, Gate uploads) {
    /** Gates of these sizes. */
    public static Gates of(int monitorPermits, int snapshotPermits, int uploadPermits) {
        return new Gates(
                new Gate("monitor", monitorPermits),
                new Gate("snapshot", snapshotPermits),
                new Gate("upload", uploadPermits));
    }

    /** Work that may be interrupted. */
    @FunctionalInterface
    interface Work<T> {
        T run() throws InterruptedException;
    }

    <T> T monitor(Work<T> work) throws InterruptedException {
        return through(monitors, work);
    }

    <T> T snapshot(Work<T> work) throws InterruptedException {
        return through(snapshots, work);
    }

    <T> T upload(Work<T> work) throws InterruptedException {
        return through(uploads, work);
    }

    private static <T> T through(Gate gate, Work<T> work) throws InterruptedException {
        Gate.Permit permit = gate.acquire();
        try {
            return work.run();
        } finally {
            permit.close();
        }
    }
}
