package io.loomstream.engine.fleet;

import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Calls the listener, counts, and keeps its failures away from the pass. Thread-safe as far as the listener is. */
final class ScanEvents {
    private static final Logger LOG = LoggerFactory.getLogger(ScanEvents.class);

    private final ScanListener listener;
    private final LongAdder appeared = new LongAdder();
    private final LongAdder written = new LongAdder();
    private final LongAdder gone = new LongAdder();
    private final LongAdder unknown = new LongAdder();
    private final LongAdder refused = new LongAdder();
    private final LongAdder failures = new LongAdder();

    ScanEvents(ScanListener listener) {
        this.listener = listener;
    }

    void appeared(int row) {
        appeared.increment();
        tell(() -> listener.appeared(row));
    }

    void written(int row, boolean replaced) {
        written.increment();
        tell(() -> listener.written(row, replaced));
    }

    void gone(int row) {
        gone.increment();
        tell(() -> listener.gone(row));
    }

    void unknown(int row, String why) {
        unknown.increment();
        tell(() -> listener.unknown(row, why));
    }

    void unreadable(byte[] directory, String why) {
        unknown.increment();
        tell(() -> listener.unreadable(directory, why));
    }

    void refused(byte[] path, ScanListener.Refusal why, int row) {
        refused.increment();
        tell(() -> listener.refused(path, why, row));
    }

    void incident(int missing, int known) {
        tell(() -> listener.incident(missing, known));
    }

    void finished(PassReport report) {
        tell(() -> listener.finished(report));
    }

    PassReport.Events counts(int missing) {
        return new PassReport.Events(
                appeared.sum(), written.sum(), gone.sum(), unknown.sum(), refused.sum(), missing, failures.sum());
    }

    private void tell(Runnable call) {
        try {
            call.run();
        } catch (RuntimeException e) {
            failures.increment();
            LOG.error("a listener of the scanner failed; the database waits in its tier", e);
        }
    }
}
