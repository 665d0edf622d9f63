package io.loomstream.perf.fleet;

import io.loomstream.engine.fleet.PassReport;
import io.loomstream.engine.fleet.PathTable;
import io.loomstream.engine.fleet.ScanListener;

/** Lets the path table and the reports speak for themselves. */
final class Quiet implements ScanListener {
    @Override
    public void appeared(int row) {}

    @Override
    public void written(int row, boolean replaced) {}

    @Override
    public void gone(int row) {}

    @Override
    public void unknown(int row, String why) {
        throw new IllegalStateException("row " + row + ": " + why);
    }

    @Override
    public void unreadable(byte[] directory, String why) {
        throw new IllegalStateException(why);
    }

    @Override
    public void refused(byte[] path, Refusal why, int row) {
        throw new IllegalStateException(why + (row == PathTable.NONE ? "" : " as row " + row));
    }

    @Override
    public void incident(int missing, int known) {
        throw new IllegalStateException(missing + " of " + known + " are missing");
    }

    @Override
    public void finished(PassReport report) {
        if (report.events().listenerFailures() != 0) {
            throw new IllegalStateException("a pass met what it should not: " + report);
        }
    }
}
